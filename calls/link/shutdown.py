"""Whether this web process is being stopped: a deploy must not look like the death of every agent."""

from __future__ import annotations

from functools import cache

_begun = False


def begun() -> bool:
    return _begun


@cache
def watch() -> None:
    """Daphne runs on Twisted, which tells before it closes any connection. Once a process."""
    from twisted.internet import reactor

    reactor.addSystemEventTrigger("before", "shutdown", _note)  # type: ignore[arg-type]


def _note() -> None:
    global _begun
    _begun = True
