"""`manage.py run web|worker|clock|agents`: one of the product's programs in this very process, as `up` starts it.

For containers and service managers: a signal reaches the program itself, and so does its end.
"""

from __future__ import annotations

import os
import sys

from config import env
from config.launcher.commands import Command, agents, programs

NAMES = ("web", "worker", "clock", "agents")


def main(arguments: list[str]) -> None:
    """Never returns: the program takes this process's place."""
    if len(arguments) != 1 or arguments[0] not in NAMES:
        raise SystemExit(f"Patchbay: `manage.py run` takes one of {', '.join(NAMES)}.")
    argv = program(arguments[0]).argv
    os.chdir(env.ROOT)
    sys.stdout.flush()
    os.execv(argv[0], argv)


def program(name: str) -> Command:
    """Two clocks are two processes of one kind."""
    known = (agents(), *programs(env.number("PORT"), host=env.text("WEB_HOST")))
    return next(command for command in known if command.name.split("-")[0] == name)
