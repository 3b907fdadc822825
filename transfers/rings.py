"""“Ring this number”: a phone line is tried from the administration, outside any call. Writes its rows."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from calls import effects
from calls.errors import Refused
from calls.events import SYSTEM, Actor, EventBody, record
from calls.timing import now
from transfers import dial_rules
from transfers.models import Attempt, Endpoint, Manager, Ring, Trunk
from transfers.states import OPEN_ATTEMPT, Outcome

ANSWERED = "answered"
RING_S = 25  # for a number that is nobody's way to be reached


class RingAsked(EventBody):
    """The number is in the payload."""

    type = "line.ring_asked"
    ring_id: str
    trunk_id: int | None
    endpoint_id: int | None


class RingEnded(EventBody):
    type = "line.ring_ended"
    ring_id: str
    outcome: str
    sip_status: int | None = None


def busy_manager(address: str) -> Manager | None:
    """Whoever is called or talks to a caller now and is reached there; their rows are locked meanwhile.

    The lock keeps a new attempt waiting until this transaction has ended: it refers to its manager.
    """
    ways = Endpoint.objects.filter(address=address).values("manager_id")
    people = list(Manager.objects.select_for_update(of=("self",)).filter(pk__in=ways).order_by("pk"))
    busy = Attempt.objects.filter(manager__in=people, state__in=OPEN_ATTEMPT).select_related("manager").first()
    return busy.manager if busy else None


@transaction.atomic
def ring_number(*, key: UUID, user: User, trunk: Trunk, number: str) -> Ring:
    """Have a number in E.164 rung over this line. Raises Refused."""
    return _ring(key, user, address=number, trunk=trunk)


@transaction.atomic
def ring_endpoint(*, key: UUID, user: User, endpoint: Endpoint) -> Ring:
    """Have a manager's own phone rung, as a transfer would. Raises Refused."""
    if endpoint.kind == Endpoint.Kind.BROWSER:
        raise Refused(gettext("A browser has no number to ring: open the desk in it instead."))
    return _ring(key, user, address=endpoint.address, trunk=endpoint.trunk, endpoint=endpoint)


def _ring(key: UUID, user: User, *, address: str, trunk: Trunk | None, endpoint: Endpoint | None = None) -> Ring:
    known = Ring.objects.filter(request_key=key).first()
    if known:
        return known
    why = dial_rules.refusal(address)
    if why:
        raise Refused(gettext("This number is not rung: %(words)s.") % {"words": why.words})
    busy = busy_manager(address)
    if busy:
        raise Refused(
            gettext(
                "%(name)s is being called or talks to a caller now, so this phone is not rung. "
                "Try it again when that is over."
            )
            % {"name": busy.name}
        )
    if Ring.objects.filter(address=address).exclude(state=Ring.State.ENDED).exists():
        raise Refused(gettext("This number is being rung already. Wait for its result."))
    made = Ring.objects.create(
        request_key=key,
        trunk=trunk,
        endpoint=endpoint,
        address=address,
        last4=address[-4:] if address.startswith("+") else "",
        asked_by=user,
        asked_at=now(),
    )
    record(
        RingAsked(
            ring_id=str(made.pk),
            trunk_id=trunk.pk if trunk else None,
            endpoint_id=endpoint.pk if endpoint else None,
        ),
        actor=Actor.of(user),
        payload={"address": address},
    )
    effects.ensure("ring", made.pk)
    return made


@transaction.atomic
def end(ring: Ring, *, outcome: str, sip_status: int | None = None, detail: str = "") -> None:
    """How it went; the first word counts. Its room is closed, and with it the phone is hung up."""
    running = Ring.objects.filter(pk=ring.pk).exclude(state=Ring.State.ENDED)
    fresh = {
        "state": Ring.State.ENDED,
        "ended_at": now(),
        "outcome": outcome,
        "sip_status": sip_status,
        "detail": detail[:200],
        "address": "",
    }
    if running.update(**fresh):
        record(RingEnded(ring_id=str(ring.pk), outcome=outcome, sip_status=sip_status), actor=SYSTEM)
        effects.ensure("close_ring", ring.pk)


# ── in words ─────────────────────────────────────────────────────────────────────────────────────

WORDS = {
    ANSWERED: gettext_noop("It was answered, and hung up at once. The line works."),
    Outcome.BUSY: gettext_noop("It is busy. The line works; try again later, or another phone."),
    Outcome.NO_ANSWER: gettext_noop("It rang and nobody picked up. The line works."),
    Outcome.DECLINED: gettext_noop("Somebody refused the call. The line works."),
    Outcome.INVALID_NUMBER: gettext_noop("The carrier knows no such number. Check it, with its country code."),
    Outcome.UNREACHABLE: gettext_noop("The carrier could not reach it. Check the number, or try another phone."),
    Outcome.LOST: gettext_noop("Nobody can say how it went: the answer was lost. It was hung up. Try once more."),
    Outcome.CANCELLED: gettext_noop(
        "It was not rung: its manager is in a call of Patchbay now. Try again when that is over."
    ),
    Outcome.NOT_ALLOWED: gettext_noop(
        "It was not rung: the dialling rules refuse it. An administrator can change them."
    ),
    Outcome.TRUNK_ERROR: gettext_noop(
        "The line itself did not work. Check its settings here, and the carrier's account."
    ),
}
REFUSES_LOG_IN = (401, 403, 407)


def words(ring: Ring) -> str:
    """One sentence for whoever waits for it: what happened, what it means, what to do."""
    if ring.state == Ring.State.ASKED:
        return gettext("It will be rung in a moment.")
    if not ring.is_over:
        return gettext("It is being rung now. Pick it up to see that it works; it is hung up at once.")
    if ring.outcome == Outcome.TRUNK_ERROR and ring.sip_status in REFUSES_LOG_IN:
        return gettext("The carrier refuses this line. Check its user name and password, and the number shown.")
    return gettext(WORDS.get(ring.outcome, gettext_noop("It could not be rung.")))


def status(ring: Ring) -> str:
    """ "SIP 486 Busy Here"; empty where it was answered."""
    if ring.sip_status:
        return f"SIP {ring.sip_status} {ring.detail}".strip()
    return ring.detail
