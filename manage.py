#!/usr/bin/env python
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if len(sys.argv) > 1 and sys.argv[1] == "up":
        # The launcher comes before the settings: it makes the environment that they read.
        from config.launcher.main import main as up

        sys.exit(up(sys.argv[2:]))
    from django.core.management import execute_from_command_line

    from config import celery  # noqa: F401 - the hints' broker, for the clock above all

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
