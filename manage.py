#!/usr/bin/env python
import os
import sys
from importlib import import_module

# `up` makes the environment that the settings read; `run` becomes another program; `alive` has to be quick.
BEFORE_DJANGO = {"up": "config.launcher.main", "run": "config.launcher.run", "alive": "config.alive"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if len(sys.argv) > 1 and sys.argv[1] in BEFORE_DJANGO:
        sys.exit(import_module(BEFORE_DJANGO[sys.argv[1]]).main(sys.argv[2:]))
    from django.core.management import execute_from_command_line

    from config import celery  # noqa: F401 - the hints' broker, for the clock above all

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
