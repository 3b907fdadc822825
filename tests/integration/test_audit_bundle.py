"""A transfer's record to take away: a script that knows no Patchbay verifies it, or says what does not hold."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from calls.audit import keys
from calls.events import Actor, FactLearnt, record
from calls.models import Event
from calls.roles import Role
from calls.seals import seal_events
from tests import rows
from tests.people import account
from transfers.models import Transfer
from transfers.states import TransferState

pytestmark = pytest.mark.django_db
Files = dict[str, str]


@pytest.fixture
def transfer() -> Transfer:
    """One among others, with words of its own."""
    where = rows.department("Billing")
    other = rows.transfer(rows.call(where), TransferState.MERGED)
    made = rows.transfer(rows.call(where), TransferState.MERGED)
    for one in (other, made, other, made):
        said = {"value": "the account is 1234"}
        record(FactLearnt(key="account"), actor=Actor("ai"), call_id=one.call_id, transfer_id=one.pk, payload=said)
    seal_events()
    return made


def taken(client: Client, transfer: Transfer, role: Role = Role.AUDITOR) -> bytes:
    client.force_login(account(role, *([transfer.department] if transfer.department else [])))
    answer = client.get(f"/transfers/{transfer.pk}/bundle")
    assert answer.status_code == 200
    return answer.content


def verified(bundle: bytes, folder: Path, *more: str) -> tuple[int, str]:
    """By the script that comes with it, in a Python that sees no Patchbay."""
    path = folder / "bundle.zip"
    path.write_bytes(bundle)
    with zipfile.ZipFile(path) as files:
        files.extract("verify_bundle.py", folder)
    command = [sys.executable, "-I", "verify_bundle.py", path.name, *more]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def changed(bundle: bytes, name: str, change: Callable[[str], str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bundle)) as files, zipfile.ZipFile(out, "w") as new:
        for one in files.namelist():
            text = files.read(one).decode()
            new.writestr(one, change(text) if one == name else text)
    return out.getvalue()


def test_it_verifies_elsewhere(client: Client, transfer: Transfer, tmp_path: Path) -> None:
    bundle = taken(client, transfer)
    code, said = verified(bundle, tmp_path, "--public-key", keys.public_key().hex())
    assert code == 0, said
    assert "3 of 3 events hold, under 1 signed heads." in said
    with zipfile.ZipFile(io.BytesIO(bundle)) as files:
        about = json.loads(files.read("transfer.json"))
        events = files.read("events.jsonl").decode()
    assert about["briefings"][0]["text"] == transfer.briefing
    assert "the account is 1234" in events
    assert Event.objects.filter(type="audit.exported", transfer_id=transfer.pk).count() == 1


WAYS = {
    "an event": (
        "events.jsonl",
        lambda text: text.replace("call.fact_learnt", "call.fact_forgot"),
        "not what was sealed",
    ),
    "words": ("events.jsonl", lambda text: text.replace("1234", "4321"), "not those that it was recorded with"),
    "a link": (
        "proof.jsonl",
        lambda text: text.replace('"digests": ["', '"digests": ["00'),
        "not those that head",
    ),
    "the head": ("proof.jsonl", lambda text: text.replace("first_seal", "fist_seal"), "not signed by the key"),
}


@pytest.mark.parametrize(("name", "change", "told"), WAYS.values(), ids=WAYS)
def test_what_was_changed_in_it_is_told(
    client: Client, transfer: Transfer, tmp_path: Path, name: str, change: Callable[[str], str], told: str
) -> None:
    code, said = verified(changed(taken(client, transfer), name, change), tmp_path)
    assert (code, told in said) == (1, True), said


def test_another_installation_s_key_is_told(client: Client, transfer: Transfer, tmp_path: Path) -> None:
    code, said = verified(taken(client, transfer), tmp_path, "--public-key", "ab" * 32)
    assert (code, "another key" in said) == (1, True), said


def test_an_event_of_no_signed_part_is_told(client: Client, transfer: Transfer, tmp_path: Path) -> None:
    code, said = verified(changed(taken(client, transfer), "proof.jsonl", lambda _: ""), tmp_path)
    assert (code, "in no signed part" in said) == (1, True), said


def test_words_are_for_those_who_may_read_them(client: Client, transfer: Transfer, tmp_path: Path) -> None:
    user = account(Role.SUPERVISOR, transfer.department)  # type: ignore[arg-type]
    role = user.groups.get()
    role.permissions.remove(*role.permissions.filter(codename="view_transcript"))
    client.force_login(user)
    bundle = client.get(f"/transfers/{transfer.pk}/bundle").content
    with zipfile.ZipFile(io.BytesIO(bundle)) as files:
        assert "1234" not in "".join(files.read(name).decode() for name in files.namelist())
    assert verified(bundle, tmp_path)[0] == 0


def test_it_is_for_nobody_else(client: Client, transfer: Transfer) -> None:
    path = f"/transfers/{transfer.pk}/bundle"
    client.force_login(account(Role.MANAGER))
    assert client.get(path).status_code == 403
    client.force_login(account(Role.SUPERVISOR, rows.department("Claims"), name="another"))
    assert client.get(path).status_code == 404
