"""What `make start` asks and refuses."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from config.launcher import demo


@pytest.mark.django_db
def test_a_user_of_the_demo_with_its_password_is_refused() -> None:
    User.objects.create_user("priya", password=demo.PASSWORD)
    with pytest.raises(CommandError, match=r"priya.*changepassword"):
        call_command("first_start")


@pytest.mark.django_db
def test_somebody_of_that_name_with_a_password_of_their_own_is_welcome() -> None:
    User.objects.create_superuser("priya", password="something else entirely")
    call_command("first_start")


@pytest.mark.django_db
def test_without_a_terminal_it_says_how_to_make_the_first_administrator() -> None:
    out = StringIO()
    call_command("first_start", stdout=out)
    assert "createsuperuser" in out.getvalue()
