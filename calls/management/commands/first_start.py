from __future__ import annotations

import sys
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand

from config.launcher.demo import PASSWORD, USERS


class Command(BaseCommand):
    help = "Before `make start`: refuses users of the demo, and asks for the first administrator."

    def handle(self, *args: Any, **options: Any) -> None:
        people = get_user_model().objects.filter(is_active=True)
        known = [
            user.get_username() for user in people.filter(username__in=USERS) if user.check_password(PASSWORD)
        ]
        if known:
            raise CommandError(
                f"Patchbay: {', '.join(known)} can log in with the password of the demo, which everybody knows. "
                "Change it (`manage.py changepassword NAME`), or use another database."
            )
        if people.filter(is_superuser=True).exists():
            return
        if not sys.stdin.isatty():
            self.stdout.write(
                "There is no administrator yet. In another terminal: .venv/bin/python manage.py createsuperuser"
            )
            return
        self.stdout.write("This is the first start. Who administers Patchbay?")
        call_command("createsuperuser")
