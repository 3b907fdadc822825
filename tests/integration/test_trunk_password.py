"""An inline trunk's password: typed once, encrypted in the database, dialled with, shown and told to nobody."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from calls.events import SYSTEM
from calls.health import Verdict
from calls.kept_secrets import Unreadable, decrypt, encrypt
from calls.models import Event, EventPayload
from calls.roles import Role
from calls.telephony.gateway import InlineTrunk
from tests.people import account
from transfers import health
from transfers.models import Trunk
from transfers.roster_services import keep_stored_trunk
from transfers.trunks import trunk_of

pytestmark = pytest.mark.django_db
SECRET = " hush-hush, 7 "
LINE = {
    "name": "Line",
    "kind": "inline",
    "hostname": "sip.example.com",
    "sip_number": "+12025550199",
    "transport": "tls",
    "auth_username": "patchbay",
}


@pytest.fixture
def administrator() -> Client:
    client = Client()
    client.force_login(account(Role.ADMINISTRATOR))
    return client


def save(client: Client, **fields: Any) -> str:
    """What the page complains about; empty where it was saved."""
    trunk = Trunk.objects.first()
    where = "change" if trunk else "add"
    address = reverse(f"admin:transfers_trunk_{where}", args=(trunk.pk,) if trunk else ())
    answer = client.post(address, LINE | fields)
    return "" if answer.status_code == 302 else answer.content.decode()


def dialled_with() -> str:
    trunk = trunk_of(Trunk.objects.get())
    assert isinstance(trunk, InlineTrunk)
    assert SECRET not in repr(trunk)
    return trunk.password


def everything_stored() -> str:
    """The trunk's row as the database has it, and what the record says of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM transfers_trunk")
        rows = str(cursor.fetchall())
    return rows + str(list(Event.objects.values())) + str([bytes(one.body) for one in EventPayload.objects.all()])


def test_a_password_is_set_replaced_and_forgotten_and_never_shown(administrator: Client, settings: Any) -> None:
    settings.SIP_AUTH_PASSWORD = "from-the-environment"
    assert save(administrator) == ""
    assert dialled_with() == "from-the-environment"

    assert save(administrator, new_password=SECRET) == ""
    assert dialled_with() == SECRET
    kept = Trunk.objects.get().auth_password
    page = administrator.get(
        reverse("admin:transfers_trunk_change", args=(Trunk.objects.get().pk,))
    ).content.decode()
    assert "One is set." in page
    assert SECRET.strip() not in page + everything_stored()
    assert kept not in page
    assert kept not in str([bytes(one.body) for one in EventPayload.objects.all()])
    told = Event.objects.filter(type="setting.saved").latest("seq")
    assert told.facts["fields"] == ["auth_password"]

    assert save(administrator, name="Other") == ""  # an empty field leaves it as it is
    assert Trunk.objects.get().auth_password == kept
    assert save(administrator, new_password="another") == ""
    assert dialled_with() == "another"
    assert save(administrator, forget_password="on") == ""
    assert dialled_with() == "from-the-environment"


def test_a_password_goes_to_no_other_host_and_with_no_line_that_has_none(administrator: Client) -> None:
    assert save(administrator, new_password=SECRET) == ""
    assert "given for another host" in save(administrator, hostname="sip.elsewhere.example")
    assert "for an inline trunk with a user name" in save(administrator, auth_username="")
    assert save(administrator, hostname="sip.elsewhere.example", new_password=SECRET) == ""
    assert save(administrator, kind="stored", trunk_id="ST_1") == ""
    assert Trunk.objects.get().auth_password == ""
    assert save(administrator, new_password=SECRET) == ""
    kept = keep_stored_trunk("ST_2", name="Line", sip_number="", actor=SYSTEM)  # by `manage.py telephony apply`
    assert (kept.pk, kept.auth_password) == (Trunk.objects.get().pk, "")


def test_a_deleted_line_leaves_no_password_in_the_record(administrator: Client) -> None:
    assert save(administrator, new_password=SECRET) == ""
    kept = Trunk.objects.get().auth_password
    administrator.post(reverse("admin:transfers_trunk_delete", args=(Trunk.objects.get().pk,)), {"post": "yes"})
    payload = bytes(EventPayload.objects.get(event__type="setting.deleted").body).decode()
    assert "sip.example.com" in payload
    assert kept not in payload


def test_keys_are_changed_one_after_the_other_and_a_lost_one_is_told(settings: Any) -> None:
    old = encrypt(SECRET)
    assert old != encrypt(SECRET)
    settings.ENCRYPTION_KEYS = ["n" * 32]
    assert decrypt(old) == SECRET
    new = encrypt(SECRET)
    settings.ENCRYPTION_KEYS = ["m" * 32, "n" * 32]
    assert decrypt(new) == SECRET
    settings.ENCRYPTION_KEYS = []
    with pytest.raises(Unreadable):
        decrypt(new)
    Trunk.objects.create(**LINE, auth_password=new, is_default=True)
    assert dialled_with() == ""  # the carrier says whether it needs one
    check = health.trunk()
    assert (check.verdict, "“Line” cannot be read" in check.says) == (Verdict.ILL, True)
    assert "Type the password again" in check.do
