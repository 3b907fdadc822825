"""How a transfer comes to be: asked for by a person, a rehearsal or the AI, following another, for a callback."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from calls.agents import protocol as p
from calls.agents.speech.summary import problem_of
from calls.errors import Refused
from calls.events import Actor, record
from calls.models import Call, Department
from calls.services.calls import locked
from calls.services.links import addressee, direct
from calls.services.snapshot import turns_of
from calls.timing import now
from transfers import briefing
from transfers.code_targets import endpoint_for
from transfers.models import BriefingVersion, Callback, Endpoint, Manager, Transfer, WaitsWith
from transfers.selectors import manager_named, open_transfer, phone_leg, policy_of
from transfers.states import TransferState
from transfers.transfer_events import TransferRequested
from transfers.waking import wake
from transfers.writing import touched

PRACTICE_BRIEFING = (
    "This is a rehearsal, and nobody is waiting. On a real call you hear here who is waiting, and why. "
    "3 says it again, 4 tells more, 2 declines, 5 names somebody else, and 9 means no more calls today: "
    "try them. Once you are connected, star 0 gives the caller back."
)


def request_transfer(
    *,
    call_id: UUID,
    key: UUID,
    reason: str,
    department: Department | None = None,
    person: Manager | None = None,
    briefing_text: str = "",
    user: User | None = None,
    actor: Actor | None = None,
    kind: Transfer.Kind = Transfer.Kind.WARM,
    endpoint: Endpoint | None = None,
) -> Transfer:
    """Ask for a person; the same `key` is the same request. Raises Refused.

    By `user`, else by `actor` (a rehearsal's, a program's key), else by the AI. `endpoint`: only this phone of
    `person` is called.
    """
    try:
        with transaction.atomic():
            call = locked(call_id)
            again = Transfer.objects.filter(request_key=key).first()
            if again:
                return again
            if not call.is_live:
                raise Refused(gettext("The call has ended, so there is nobody to transfer."))
            if call.caller_with == p.CallerWith.SUPERVISOR:
                raise Refused(gettext("A supervisor is talking to the caller. They give the caller back first."))
            if open_transfer(call_id):
                raise Refused(gettext("A transfer of this call is already under way. Nothing was changed."))
            if Transfer.objects.filter(call=call, state=TransferState.MERGED).exists():
                raise Refused(gettext("The caller is already talking to a manager. Nothing was changed."))
            stays_in_house(call, department)
            if call.is_practice:
                raise Refused(
                    gettext("This is a rehearsal with one manager: nobody else is called. Nothing was changed.")
                )
            if kind == Transfer.Kind.COLD:
                _can_be_referred(call)
            by = Actor.of(user) if user else actor or Actor("ai")
            return _create(call, key, kind, reason, department, person, briefing_text, user, by, endpoint)
    except IntegrityError as error:
        again = Transfer.objects.filter(request_key=key).first()
        if again:
            return again
        raise Refused(gettext("A transfer of this call is already under way. Nothing was changed.")) from error


def _create(
    call: Call,
    key: UUID,
    kind: Transfer.Kind,
    reason: str,
    department: Department | None,
    person: Manager | None,
    text: str,
    user: User | None,
    by: Actor,
    endpoint: Endpoint | None,
) -> Transfer:
    cold = kind == Transfer.Kind.COLD
    made = _make(
        call,
        by,
        request_key=key,
        kind=kind,
        waits_with=WaitsWith.AI if cold else WaitsWith.HOLD,
        reason=reason.strip()[:500],
        department=department or call.department or (person.departments.first() if person else None),
        person=person,
        endpoint=endpoint,
        requested_by=user,
    )
    briefing.save(made, briefing.draft(call, reason=reason), author=BriefingVersion.Author.EXTRACTION)
    if text.strip():
        author = BriefingVersion.Author.PERSON if user else BriefingVersion.Author.AI
        briefing.save(made, text, author=author, user=user)
    return made


def _make(call: Call, by: Actor, **fields: Any) -> Transfer:
    """The row and its event; the briefing is drafted by whoever asked for it."""
    made = Transfer.objects.create(call=call, profile=call.profile, requested_at=now(), **fields)
    record(
        TransferRequested(
            kind=made.kind,
            by=by.kind,
            department_id=made.department_id,
            person_id=str(made.person_id or ""),
            follows_id=str(made.follows_id or ""),
        ),
        actor=by,
        call_id=call.pk,
        transfer_id=made.pk,
        payload={"reason": made.reason},
    )
    touched(made)
    wake(made.pk)
    return made


def ask(call: Call, body: p.TransferRequested) -> None:
    """The AI's request; what came of it goes back to it. The AI is with the caller anyway."""
    answer = p.Answer(request_id=body.request_id)
    try:
        made = request_by_agent(call, body)
        answer = answer.model_copy(update={"transfer_id": made.pk})
    except Refused as no:
        answer = answer.model_copy(update={"accepted": False, "words": str(no)})
    direct(addressee(call.pk, p.Role.SUPPORT), f"answer:{body.request_id}", answer)


def request_by_agent(call: Call, body: p.TransferRequested) -> Transfer:
    """By names of the roster, or, from code, by an address. Raises Refused."""
    department = (
        Department.objects.of(call).filter(name__iexact=body.department).first() if body.department else None
    )
    endpoint = endpoint_for(call, body.target) if body.target else None
    if endpoint:
        person: Manager | None = endpoint.manager
    else:
        person = manager_named(call, body.person, department or call.department) if body.person else None
    return request_transfer(
        call_id=call.pk,
        key=body.request_id,
        reason=body.reason or problem_of(turns_of(call)),
        department=department,
        person=person,
        endpoint=endpoint,
        briefing_text=body.briefing,
        kind=Transfer.Kind.COLD if _ai_may_refer(call, department, body) else Transfer.Kind.WARM,
    )


def _ai_may_refer(call: Call, department: Department | None, body: p.TransferRequested) -> bool:
    """Only where the department allows it; otherwise it is a warm one."""
    return body.cold and policy_of(department or call.department).ai_may_refer


def follow(
    earlier: Transfer,
    *,
    key: UUID,
    by: Actor,
    prefer: Manager | None = None,
    spare: Manager | None = None,
    waits_with: WaitsWith = WaitsWith.HOLD,
) -> Transfer:
    """The same caller's next transfer, after one that was joined: nobody has to approve it again.

    Drafted anew from all that was said since. `prefer` is called first, `spare` not at all.
    """
    call = earlier.call
    made = _make(
        call,
        by,
        request_key=key,
        reason=earlier.reason,
        department=earlier.department,
        follows=earlier,
        prefer=prefer,
        spare=spare,
        waits_with=waits_with,
        approved=True,
    )
    briefing.save(made, briefing.draft(call, reason=made.reason), author=BriefingVersion.Author.EXTRACTION)
    return made


def request_callback_transfer(*, call: Call, callback: Callback, manager: Manager, user: User) -> Transfer:
    """The transfer of a call that is made for a callback: its claimer is rung first, the caller afterwards."""
    made = _make(
        call,
        Actor.of(user),
        request_key=uuid4(),
        reason=f"Callback: {callback.preferred}".rstrip(": "),
        department=callback.department,
        person=manager,
        prefer=manager,
        follows=callback.transfer,
        waits_with=WaitsWith.AI,
        requested_by=user,
    )
    text = callback.briefing or briefing.draft(callback.call, reason=made.reason)
    briefing.save(made, text, author=BriefingVersion.Author.EXTRACTION)
    return made


def request_practice(
    *, call: Call, key: UUID, manager: Manager, endpoint: Endpoint | None, user: User
) -> Transfer:
    """The one transfer of a rehearsal with a manager: called wherever they are, by their department's rules.

    `department` is their own, and no call's: see `Call.is_practice`.
    """
    made = _make(
        call,
        Actor.of(user),
        request_key=key,
        reason="A rehearsal: nobody is waiting.",
        department=manager.departments.order_by("name").first(),
        person=manager,
        prefer=manager,
        endpoint=endpoint,
        requested_by=user,
    )
    briefing.save(made, PRACTICE_BRIEFING, author=BriefingVersion.Author.PERSON, user=user)
    return made


def stays_in_house(call: Call, department: Department | None) -> None:
    """No rehearsal rings a real department's phones, and no caller is led to the rehearsals'. Raises Refused."""
    if department and department.rehearsal != call.rehearsal:
        where = (
            gettext("a rehearsal stays in its own department")
            if call.rehearsal
            else gettext("only rehearsals are led there")
        )
        raise Refused(gettext("This is not possible: %(where)s. Nothing was changed.") % {"where": where})


def _can_be_referred(call: Call) -> None:
    """A cold transfer needs a caller's carrier that can be asked to call somebody else."""
    if phone_leg(call) is None:
        raise Refused(
            gettext("This caller is not on a telephone, so no carrier can be asked to call somebody else.")
        )
    if call.caller_with != p.CallerWith.AI:
        raise Refused(gettext("The caller is not with the AI now. Nothing was changed."))
