"""Where the measures stand: a database of rows with a console on it, or the whole running product.

Each is brought up when the first measure asks for it and taken down at the end; neither is anybody else's.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

from tests.product import Product
from tests.servers import Servers

if TYPE_CHECKING:
    from tests.browser import Console


class Ground:
    """`rows` and `product` exist from the moment that they are first named."""

    def __init__(self, *, quick: bool = False) -> None:
        self.quick = quick
        self.rehearsals: list[dict[str, float]] | None = None  # see `rehearsed`
        self._open = ExitStack()
        self._began = time.monotonic()

    def __enter__(self) -> Ground:
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()

    def say(self, text: str) -> None:
        """A line of progress, with the seconds since the beginning."""
        sys.stdout.write(f"{time.monotonic() - self._began:6.0f} s  {text}\n")
        sys.stdout.flush()

    def few(self, many: int) -> int:
        """How many samples to take: a quick run takes a quarter."""
        return max(1, many // 4) if self.quick else many

    @cached_property
    def rows(self) -> Rows:
        self.say("starting PostgreSQL and Valkey for rows …")
        made = Rows()
        self._open.callback(made.stop)
        made.start()
        return made

    @cached_property
    def product(self) -> Product:
        """With the demo's house and the carrier simulator; only a measure's own callers are on the line."""
        self.say("starting the product (the agents load their speech models) …")
        return self._open.enter_context(Product("--demo", "--quiet"))


class Rows:
    """Throwaway servers with the product's tables, and Django in this process reading them."""

    def __init__(self) -> None:
        self.servers = Servers()
        self._console: Console | None = None

    def start(self) -> None:
        self.servers.start()
        # Playwright runs an event loop in this thread; the database is used between its calls only.
        os.environ.update(self.servers.environment | {"DJANGO_ALLOW_ASYNC_UNSAFE": "1", "LOG_LEVEL": "ERROR"})
        import django
        from django.core.management import call_command

        django.setup()
        from config import celery  # noqa: F401 - as every process of the product has it

        call_command("migrate", verbosity=0)

    def emptied(self) -> None:
        """But for what the migrations wrote: roles and permissions."""
        from tests.emptied import truncate

        truncate()

    def console(self) -> Console:
        """The web process on these rows; started once."""
        from tests.browser import Console

        if self._console is None:
            self._console = Console()
            self._console.start()
        return self._console

    def stop(self) -> None:
        if self._console:
            self._console.stop()
        if "django" in sys.modules:
            from django.db import connections

            connections.close_all()
        self.servers.stop()
