"""The audit: each way of changing the record is found and named; a cut chain by heads that were kept elsewhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError, ProgrammingError, connection, transaction
from django.test import Client

from calls.audit import chain, heads, keys, runs
from calls.errors import Refused
from calls.events import Actor, ContentErased, FactLearnt, canonical, record
from calls.models import AuditHead, AuditRun, Event, EventPayload, Seal
from calls.roles import Role
from calls.seals import link_digest, seal_events
from calls.timing import clock_of, now
from tests import rows
from tests.people import account

pytestmark = pytest.mark.django_db
AI = Actor("ai", "AJ_1")


@pytest.fixture
def sealed() -> list[int]:
    """The sequences of eight sealed events of one call, every second one with words."""
    call = rows.call(None).pk
    made = [
        record(
            FactLearnt(key=f"key-{n}"), actor=AI, call_id=call, payload={"value": "words"} if n % 2 else None
        ).seq
        for n in range(8)
    ]
    seal_events()
    return made


def by_the_owner(*statements: str) -> None:
    """As somebody with the database's own rights can: no trigger is asked."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_an_untouched_record_verifies(sealed: list[int]) -> None:
    told: list[tuple[int, int]] = []
    verdict = chain.verify(told=lambda done, of: told.append((done, of)))
    newest = Seal.objects.order_by("seq").last()
    assert newest
    assert (verdict.ok, verdict.seals, verdict.digest) == (True, Seal.objects.count(), bytes(newest.digest))
    assert told[-1] == (verdict.seals, verdict.seals)


@pytest.mark.django_db(transaction=True)
def test_what_is_told_meanwhile_is_seen_by_others_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run's progress stands in its row, and the page reads that by another connection."""
    monkeypatch.setattr(chain, "BATCH", 3)
    monkeypatch.setattr(runs, "TOLD_EVERY_S", 0)
    for n in range(8):
        record(FactLearnt(key=f"key-{n}"), actor=AI)
    seal_events()
    run = AuditRun.objects.create(asked_by=account(Role.AUDITOR), asked_at=now(), told_at=now())
    page, seen = connection.copy(), []
    judge = chain._judge

    def looks(*args: Any) -> chain.Break | None:
        with page.cursor() as cursor:
            cursor.execute("SELECT looked_at FROM calls_auditrun WHERE id = %s", [run.pk])
            seen.append(cursor.fetchone()[0])
        return judge(*args)

    monkeypatch.setattr(chain, "_judge", looks)
    runs.do(run.pk)
    page.close()
    assert set(seen) == {0, 3, 6}


def test_a_file_of_heads_gets_only_what_its_end_lacks(sealed: list[int], tmp_path: Path) -> None:
    file = tmp_path / "heads.jsonl"
    heads.sign_head()
    heads.export(file)
    file.write_text("x" * 2 * heads.LAST_BYTES + "\n" + file.read_text())  # how it began is not read again
    record(FactLearnt(key="later"), actor=AI)
    seal_events()
    later_head()
    assert heads.export(file) == 1
    assert [one.number for one in heads.read(file.read_text().splitlines()[1:])] == list(
        AuditHead.objects.order_by("seq").values_list("seq", flat=True)
    )


def test_a_line_that_was_cut_stops_no_head_from_being_kept(sealed: list[int], tmp_path: Path) -> None:
    """As a full disk cuts one; whoever compares the file is told of it."""
    file = tmp_path / "heads.jsonl"
    heads.sign_head()
    heads.export(file)
    record(FactLearnt(key="later"), actor=AI)
    seal_events()
    later_head()
    heads.export(file)
    file.write_bytes(file.read_bytes()[:-40])
    assert heads.export(file) == 1  # the head is not there as a whole
    assert heads.export(file) == 0
    first, cut, again = file.read_text().splitlines()
    assert [one.number for one in heads.read([first, again])] == list(
        AuditHead.objects.order_by("seq").values_list("seq", flat=True)
    )
    with pytest.raises(ValueError, match="line 2 is not a head"):
        list(heads.read([first, cut]))


def link_of(event: int) -> int:
    return Seal.objects.get(event_id=event).seq


CHANGES = {
    "actor": "actor_id = 'AJ_2'",
    "time": "at = at + interval '1 second'",
    "type": "type = 'call.ended'",
    "facts": """facts = '{"key": "other"}'""",
    "call": "call_id = gen_random_uuid()",
    "bytes": "body = replace(convert_from(body, 'UTF8'), 'key-', 'kex-')::bytea",
    "payload_digest": "payload_digest = '\\x00'",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_event_is_found_by_each_of_its_columns(sealed: list[int], change: str) -> None:
    by_the_owner(f"UPDATE calls_event SET {change} WHERE seq = {sealed[3]}")
    broken = chain.verify().broken
    assert broken
    assert (broken.kind, broken.event, broken.seal) == ("changed", sealed[3], link_of(sealed[3]))
    assert str(sealed[3]) in broken.words


@pytest.mark.parametrize("name", ["actor", "at", "attempt", "call", "facts", "id", "payload", "transfer", "type"])
def test_bytes_that_were_forged_with_their_link_are_found_by_the_columns(sealed: list[int], name: str) -> None:
    """Of the newest event, so that no later link tells."""
    event = Event.objects.get(pk=sealed[7])
    said = json.loads(bytes(event.body))
    said[name] = {"actor": ["ai", "AJ_2"], "facts": {"key": "other"}}.get(name, "2026-01-01T00:00:00.000001+00:00")
    body, previous = canonical(said), bytes(Seal.objects.get(event=event).previous)
    by_the_owner(
        f"UPDATE calls_event SET body = '\\x{body.hex()}' WHERE seq = {event.seq}",
        f"UPDATE calls_seal SET digest = '\\x{link_digest(previous, body).hex()}' WHERE event_id = {event.seq}",
    )
    broken = chain.verify().broken
    assert broken
    assert (broken.kind, broken.event) == ("changed", event.seq)
    assert f"“{name}”" in broken.words


def test_an_event_in_whatever_letters_and_times_verifies() -> None:
    """What the quick comparison of its bytes does not know is read as a whole."""
    at = datetime(2026, 1, 1, tzinfo=UTC)  # no part of a second
    with clock_of(lambda: at):
        record(FactLearnt(key='"Grüße"\\ \u2028'), actor=Actor("person", 'ü"\\\n'), payload={"value": "é"})
    seal_events()
    assert chain.verify().ok


def test_changed_words_are_found(sealed: list[int]) -> None:
    by_the_owner(f"UPDATE calls_eventpayload SET body = 'other' WHERE event_id = {sealed[5]}")
    broken = chain.verify().broken
    assert broken
    assert (broken.kind, broken.event) == ("changed", sealed[5])


def test_a_removed_event_is_found_with_its_link_or_without(sealed: list[int]) -> None:
    with transaction.atomic():
        by_the_owner(f"DELETE FROM calls_event WHERE seq = {sealed[2]}")
        broken = chain.verify().broken
        assert broken
        assert (broken.kind, broken.event) == ("missing", sealed[2])
        by_the_owner(f"DELETE FROM calls_seal WHERE event_id = {sealed[2]}")
        broken = chain.verify().broken
        assert broken
        assert (broken.kind, broken.event) == ("missing", sealed[3])  # the first that is left behind the gap


def test_the_first_of_several_changes_is_named(sealed: list[int]) -> None:
    for event in (sealed[6], sealed[1], sealed[4]):
        by_the_owner(f"UPDATE calls_event SET actor_id = 'x' WHERE seq = {event}")
    broken = chain.verify().broken
    assert broken
    assert broken.event == sealed[1]


def test_two_links_that_changed_places_are_found(sealed: list[int]) -> None:
    one, two = link_of(sealed[2]), link_of(sealed[3])
    by_the_owner(
        f"UPDATE calls_seal SET seq = -1 WHERE seq = {one}",
        f"UPDATE calls_seal SET seq = {one} WHERE seq = {two}",
        f"UPDATE calls_seal SET seq = {two} WHERE seq = -1",
    )
    broken = chain.verify().broken
    assert broken
    assert (broken.kind, broken.event) == ("reordered", sealed[3])


def test_an_event_that_was_put_in_is_found(sealed: list[int]) -> None:
    """With a link that fits the one before it, in a gap that was made for it."""
    after = Seal.objects.get(event_id=sealed[3])
    forged = record(FactLearnt(key="forged"), actor=AI)
    digest = link_digest(bytes(after.digest), bytes(forged.body)).hex()
    by_the_owner(
        f"UPDATE calls_seal SET seq = seq + 1000 WHERE seq > {after.seq}",
        "INSERT INTO calls_seal (seq, event_id, previous, digest, sealed_at) "
        f"VALUES ({after.seq + 1}, {forged.seq}, '\\x{bytes(after.digest).hex()}', '\\x{digest}', now())",
    )
    broken = chain.verify().broken
    assert broken
    assert (broken.kind, broken.event) == ("inserted", forged.seq)


def test_words_that_vanish_need_an_event_that_says_so() -> None:
    call = rows.call(None).pk
    event = record(FactLearnt(key="name"), actor=AI, call_id=call, payload={"value": "Ann"})
    seal_events()
    EventPayload.objects.filter(event=event).delete()
    broken = chain.verify().broken
    assert broken
    assert (broken.kind, broken.event) == ("missing", event.seq)
    record(ContentErased(why="request"), actor=AI, call_id=call)
    seal_events()
    verdict = chain.verify()
    assert (verdict.ok, verdict.erased) == (True, 1)


# ── heads ────────────────────────────────────────────────────────────────────────────────────────


def later_head(minutes: int = 6) -> AuditHead | None:
    at = now() + timedelta(minutes=minutes)
    with clock_of(lambda: at):
        return heads.sign_head()


def test_a_head_signs_what_came_since_the_last_and_only_in_time(sealed: list[int]) -> None:
    first = heads.sign_head()
    assert first
    assert heads.sign_head() is None  # five minutes are not over
    assert later_head() is None  # nothing new
    record(FactLearnt(key="later"), actor=AI)
    seal_events()
    second = later_head()
    assert second
    said = json.loads(bytes(second.body))
    assert said["links"] == 1
    assert second.first_seal > first.last_seal
    assert keys.signed_by(keys.public_key(), bytes(second.body), bytes(second.signature))
    assert heads.compare(heads.stored()) == (2, None)


@pytest.mark.parametrize("doing", ["DELETE FROM calls_audithead", "UPDATE calls_audithead SET last_seal = 1"])
def test_postgresql_refuses_to_change_a_head(sealed: list[int], doing: str) -> None:
    heads.sign_head()
    with pytest.raises((ProgrammingError, InternalError), match="append-only"), transaction.atomic():
        connection.cursor().execute(doing)


def test_a_chain_that_was_cut_off_verifies_alone_but_not_with_a_kept_head(
    sealed: list[int], tmp_path: Path
) -> None:
    file = tmp_path / "heads.jsonl"
    heads.sign_head()
    assert heads.export(file) == 1
    assert heads.export(file) == 0  # it has them all
    gone = f"{sealed[6]}, {sealed[7]}"
    by_the_owner(
        f"DELETE FROM calls_seal WHERE event_id IN ({gone})",
        f"DELETE FROM calls_event WHERE seq IN ({gone})",
        "DELETE FROM calls_audithead",
    )
    assert chain.verify().ok
    with pytest.raises(CommandError, match="cut off"):
        call_command("verify_audit", heads=file)


def test_a_chain_that_was_hashed_anew_is_found_by_its_head(sealed: list[int]) -> None:
    heads.sign_head()
    event = Event.objects.get(pk=sealed[4])
    said = json.loads(bytes(event.body))
    said["actor"][1] = "AJ_2"
    by_the_owner(
        f"UPDATE calls_event SET actor_id = 'AJ_2', body = '\\x{canonical(said).hex()}' WHERE seq = {event.seq}"
    )
    previous = b"\0" * 32
    for seal in Seal.objects.order_by("seq").select_related("event"):
        digest = link_digest(previous, bytes(seal.event.body))
        values = f"previous = '\\x{previous.hex()}', digest = '\\x{digest.hex()}'"
        by_the_owner(f"UPDATE calls_seal SET {values} WHERE seq = {seal.seq}")
        previous = digest
    assert chain.verify().ok
    _, broken = heads.compare(heads.stored())
    assert broken
    assert "hashed anew" in broken.words


def test_a_head_that_somebody_else_signed_is_none(sealed: list[int]) -> None:
    head = heads.sign_head()
    assert head
    forged = heads.Kept(head.seq, bytes(head.body), b"x" * 64)
    _, broken = heads.compare([forged])
    assert broken
    assert "not signed by this installation" in broken.words


def test_a_file_that_is_no_list_of_heads_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "heads.jsonl"
    file.write_text("hello\n")
    with pytest.raises(CommandError, match="line 1 is not a head"):
        call_command("verify_audit", heads=file)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify_audit", heads=tmp_path / "none")


def test_the_command_says_what_it_found(sealed: list[int]) -> None:
    heads.sign_head()
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert f"{Seal.objects.count()} links verify, and 1 signed heads fit them." in out.getvalue()
    by_the_owner(f"UPDATE calls_event SET actor_id = 'x' WHERE seq = {sealed[0]}")
    with pytest.raises(CommandError, match=f"Event {sealed[0]} was changed"):
        call_command("verify_audit")


# ── the page ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def auditor(client: Client) -> Client:
    client.force_login(account(Role.AUDITOR))
    return client


def test_an_auditor_has_it_verified_from_the_page(sealed: list[int], auditor: Client) -> None:
    page = auditor.get("/audit").content.decode()
    assert "Nobody has verified" in page
    assert auditor.post("/audit/verify").status_code == 204
    run = AuditRun.objects.get()
    assert "links are verified" in auditor.get("/audit").content.decode()
    runs.do(run.pk)
    runs.do(run.pk)  # a hint that comes twice
    run.refresh_from_db()
    assert run.ended_at
    assert not run.broken_kind
    page = auditor.get("/audit").content.decode()
    assert f"All {run.looked_at} links verify" in page
    assert Event.objects.filter(type="audit.verified").count() == 1


def test_the_page_names_what_was_changed(sealed: list[int], auditor: Client) -> None:
    by_the_owner(f"UPDATE calls_event SET actor_id = 'x' WHERE seq = {sealed[2]}")
    auditor.post("/audit/verify")
    runs.do(AuditRun.objects.get().pk)
    assert f"Event {sealed[2]} was changed" in auditor.get("/audit").content.decode()


def test_a_second_one_waits_for_the_first_and_one_that_stopped_is_told(auditor: Client) -> None:
    user = account(Role.AUDITOR, name="another")
    runs.ask(user)
    with pytest.raises(Refused, match="under way already"):
        runs.ask(user)
    at = now() + timedelta(minutes=2)
    with clock_of(lambda: at):
        assert "It stopped without a result" in auditor.get("/audit").content.decode()
        runs.ask(user)


def test_heads_are_taken_from_the_page(sealed: list[int], auditor: Client) -> None:
    heads.sign_head()
    taken = auditor.get("/audit/heads").content.decode().splitlines()
    assert [one.number for one in heads.read(taken)] == [AuditHead.objects.get().seq]


@pytest.mark.parametrize("path", ["/audit", "/audit/heads", "/audit/verify"])
def test_it_is_for_those_who_may_verify(client: Client, path: str) -> None:
    client.force_login(account(Role.MANAGER))
    answer = client.post(path) if path.endswith("verify") else client.get(path)
    assert answer.status_code == 403


# ── who comes in ─────────────────────────────────────────────────────────────────────────────────


def test_log_ins_are_events(client: Client) -> None:
    user = account(Role.SUPERVISOR)
    client.post("/login", {"username": user.username, "password": "wrong"})
    client.post("/login", {"username": user.username, "password": "of-no-importance"})
    client.post("/logout")
    made = Event.objects.filter(type__startswith="account.").order_by("seq").values_list("type", "actor_id")
    who = str(user.pk)
    assert list(made) == [("account.log_in_failed", ""), ("account.logged_in", who), ("account.logged_out", who)]
    assert b"wrong" not in bytes(EventPayload.objects.get().body)


def test_reading_a_transcript_is_an_event_once_an_opening(auditor: Client) -> None:
    call = rows.call(None)
    rows.say(call, "caller", "I was charged twice", seconds=5)
    auditor.get(f"/calls/{call.pk}")
    auditor.get(f"/calls/{call.pk}", headers={"HX-Request": "true", "X-Snapshot": "1"})
    read = Event.objects.get(type="transcript.read")
    assert (read.call_id, read.facts["page"], read.actor_kind) == (call.pk, "call", "person")
