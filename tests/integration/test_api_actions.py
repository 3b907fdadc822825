"""What a program does through the API: done by the services, once, and written down as its own doing."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from calls.models import ApiAnswer, ApiKey, Event
from calls.services import api_keys
from calls.services import calls as call_services
from tests.keys import Program, key
from tests.people import account
from tests.product import until
from tests.world import Story, World
from transfers import history, record
from transfers.access import lens_of_key
from transfers.api import transfers as api_transfers
from transfers.history_filters import Filters
from transfers.models import Manager, Policy, Presence, Transfer
from transfers.states import TransferState

ASK = {"reason": "charged twice"}


@pytest.fixture
def story(world: World) -> Story:
    return Story(world, approval=Policy.Approval.APPROVE)


@pytest.fixture
def crm(story: Story) -> tuple[ApiKey, Program]:
    made, secret = key(story.where)
    return made, Program(secret)


def by_key(made: ApiKey) -> list[str]:
    """The events that this key is the actor of, in order."""
    mine = Event.objects.filter(actor_kind="api_key", actor_id=str(made.pk)).order_by("seq")
    return list(mine.values_list("type", flat=True))


def test_a_program_asks_approves_and_cancels(story: Story, crm: tuple[ApiKey, Program]) -> None:
    made, who = crm
    asked = who.post(f"calls/{story.call.pk}/transfers", ASK)
    assert asked.status_code == 201
    said = asked.json()
    assert (said["state"], said["waits_for_approval"], said["reason"]) == ("requested", True, "charged twice")
    approved = who.post(f"transfers/{said['id']}/approve", {"seen_version": said["version"]})
    assert approved.status_code == 200, approved.content
    story.world.settle()
    assert who.get(f"transfers/{said['id']}").json()["state"] == "connecting"
    assert who.post(f"transfers/{said['id']}/cancel").status_code == 200
    story.world.settle()
    assert story.state == ("cancelled", "supervisor_cancelled")
    assert by_key(made) == ["transfer.requested", "transfer.decided", "transfer.cancel_asked"]


def test_a_program_declines_and_the_reason_is_kept(story: Story, crm: tuple[ApiKey, Program]) -> None:
    _, who = crm
    story.escalates()
    assert who.post(f"transfers/{story.transfer.pk}/decline", {"reason": "we write to them"}).status_code == 200
    story.world.settle()
    assert story.transfer.decline_reason == "we write to them"
    assert story.transfer.state == TransferState.REJECTED


def test_a_stale_version_approves_nothing(story: Story, crm: tuple[ApiKey, Program]) -> None:
    _, who = crm
    story.escalates()
    old = story.transfer.version - 1
    answer = who.post(f"transfers/{story.transfer.pk}/approve", {"seen_version": old})
    assert (answer.status_code, story.transfer.approved) == (409, None)


def test_a_program_chooses_a_person_of_a_department(story: Story, crm: tuple[ApiKey, Program]) -> None:
    _, who = crm
    omar = story.people["Omar"]
    asked = who.post(f"calls/{story.call.pk}/transfers", ASK | {"manager_id": str(omar.pk)})
    assert asked.json()["manager_id"] == str(omar.pk)
    stranger = story.world.manager("Ines", story.world.department("Claims"), number="+12025550177")
    wrong = who.post(f"calls/{story.call.pk}/transfers", ASK | {"manager_id": str(stranger.pk)})
    assert wrong.status_code == 409


def test_a_program_sets_presence_with_a_reason(story: Story, crm: tuple[ApiKey, Program]) -> None:
    made, who = crm
    dana = story.people["Dana"]
    answer = who.put(f"managers/{dana.pk}/presence", {"presence": "away", "reason": "in a meeting"})
    assert (answer.status_code, answer.json()["presence"], answer.json()["free"]) == (200, "away", False)
    assert Manager.objects.get(pk=dana.pk).presence == Presence.AWAY
    assert by_key(made) == ["manager.presence_set"]


def test_the_history_and_the_record_name_the_program(story: Story, crm: tuple[ApiKey, Program]) -> None:
    made, who = crm
    who.post(f"calls/{story.call.pk}/transfers", ASK)
    page = history.history_page(lens_of_key(made), Filters())
    assert [row.asked_by for row in page.rows] == ["CRM"]
    row = history.history_row(lens_of_key(made), story.transfer.pk)
    assert row
    assert row.asked_by == "CRM"
    assert ("CRM", "asked for a transfer") in [(line.who, line.what) for line in record.lines(story.transfer)]


def test_the_page_of_a_transfer_names_the_program(story: Story, crm: tuple[ApiKey, Program], client: Any) -> None:
    crm[1].post(f"calls/{story.call.pk}/transfers", ASK)
    client.force_login(account("supervisor", story.where))  # type: ignore[arg-type]
    assert "asked by CRM" in client.get(f"/transfers/{story.transfer.pk}").content.decode()


# ── the same request twice ───────────────────────────────────────────────────────────────────────


def test_the_same_request_twice_is_answered_with_the_first_answer(
    story: Story, crm: tuple[ApiKey, Program]
) -> None:
    _, who = crm
    first = who.post(f"calls/{story.call.pk}/transfers", ASK, key="k-1")
    story.world.settle()
    again = who.post(f"calls/{story.call.pk}/transfers", ASK, key="k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert Transfer.objects.count() == 1


def test_a_key_used_for_something_else_is_refused(story: Story, crm: tuple[ApiKey, Program]) -> None:
    _, who = crm
    who.post(f"calls/{story.call.pk}/transfers", ASK, key="k-1")
    other = who.post(f"calls/{story.call.pk}/transfers", {"reason": "another"}, key="k-1")
    assert (other.status_code, other.json()["type"]) == (422, "urn:patchbay:problem:key-reused")
    elsewhere = who.post(f"transfers/{story.transfer.pk}/cancel", ASK, key="k-1")
    assert elsewhere.status_code == 422


def test_what_a_service_refused_is_refused_again(story: Story, crm: tuple[ApiKey, Program]) -> None:
    _, who = crm
    story.escalates()
    first = who.post(f"calls/{story.call.pk}/transfers", ASK, key="k-1")
    with transaction.atomic():
        call_services.end_call(call_services.locked(story.call.pk), reason="supervisor")
    again = who.post(f"calls/{story.call.pk}/transfers", ASK, key="k-1")
    assert (first.status_code, again.status_code) == (409, 409)
    assert again.json() == first.json()


def test_two_programs_may_use_the_same_words_for_a_key(story: Story, crm: tuple[ApiKey, Program]) -> None:
    _, who = crm
    other = Program(key(story.where, name="helpdesk")[1])
    first = who.post(f"calls/{story.call.pk}/transfers", ASK, key="k-1")
    second = other.post(f"calls/{story.call.pk}/transfers", ASK, key="k-1")
    assert (first.status_code, second.status_code) == (201, 409)


def test_an_answer_is_kept_for_a_day(story: Story, crm: tuple[ApiKey, Program], world: World) -> None:
    _, who = crm
    who.post(f"calls/{story.call.pk}/transfers", ASK, key="k-1")
    world.at += timedelta(hours=23)
    api_keys.forget_answers()
    assert ApiAnswer.objects.count() == 1
    world.at += timedelta(hours=2)
    api_keys.forget_answers()
    assert ApiAnswer.objects.count() == 0


def test_an_answer_too_old_that_no_clock_has_cleared_away_is_none(
    story: Story, crm: tuple[ApiKey, Program], world: World
) -> None:
    _, who = crm
    who.post(f"calls/{story.call.pk}/transfers", ASK, key="k-1")
    world.at += timedelta(hours=25)
    assert who.post(f"calls/{story.call.pk}/transfers", {"reason": "another"}, key="k-1").status_code == 409


def test_a_fault_leaves_no_answer_and_may_be_tried_again(
    story: Story, crm: tuple[ApiKey, Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, who = crm

    def breaks(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(api_transfers, "transfer_details", breaks)
        assert who.post(f"calls/{story.call.pk}/transfers", ASK, key="k-1").status_code == 500
    assert (Transfer.objects.count(), ApiAnswer.objects.count()) == (0, 0)
    assert who.post(f"calls/{story.call.pk}/transfers", ASK, key="k-1").status_code == 201


def test_two_processes_at_once_do_it_once(story: Story, crm: tuple[ApiKey, Program]) -> None:
    """The second waits for the first one's transaction: here it is held open until the second one waits."""
    made, who = crm
    answers: list[Any] = []

    def second() -> None:
        try:
            answers.append(who.post(f"calls/{story.call.pk}/transfers", ASK, key="k-1"))
        finally:
            connection.close()

    with transaction.atomic():
        first = who.post(f"calls/{story.call.pk}/transfers", ASK, key="k-1")
        thread = threading.Thread(target=second)
        thread.start()
        waits_for_a_lock()
        assert answers == []
    thread.join(30)
    assert [first.status_code, answers[0].status_code] == [201, 201]
    assert answers[0].content == first.content
    assert Transfer.objects.count() == 1
    assert by_key(made).count("transfer.requested") == 1


def waits_for_a_lock() -> None:
    """Until another connection of this database waits for a lock."""

    def somebody() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            return bool(cursor.fetchone()[0])

    until(somebody, 20, "the second request waits for the first")
