"""The briefing's versions: drafted from the call at once, by the AI when it comes, edited by people."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Max

from calls.agents.protocol import Brief, Profile, Role
from calls.agents.speech.summary import briefing_draft, hide
from calls.events import SYSTEM, Actor, record
from calls.models import AgentProfile, Call
from calls.services.links import addressee, direct
from calls.services.snapshot import profile_message, turns_of
from calls.timing import now
from transfers.models import Attempt, BriefingVersion, Transfer
from transfers.states import OPEN_ATTEMPT
from transfers.transfer_events import BriefingSaved
from transfers.writing import touched


def draft(call: Call, *, reason: str, profile: AgentProfile | None = None, until: datetime | None = None) -> str:
    """By extraction from what was said and learnt; within the profile's word limit.

    `profile` in place of the call's own, `until`: without what was said from then on.
    """
    used = profile or call.profile
    return briefing_draft(
        turns=turns_of(call, until=until),
        facts=_facts(call),
        profile=_told(call, used),
        sections=tuple(used.sections) if used else (),
        reason=reason,
    )


def _facts(call: Call) -> dict[str, str]:
    return dict(call.facts.values_list("key", "value"))


def _told(call: Call, profile: AgentProfile | None) -> Profile:
    return profile_message(profile, department=call.department.name if call.department else "")


def speakable(call: Call, text: str, *, profile: AgentProfile | None = None) -> str:
    """A model's draft without what may not be spoken, and no longer than allowed. A person may write anything."""
    told = _told(call, profile or call.profile)
    return " ".join(hide(text, _facts(call), told).split()[: told.word_limit])


def save(transfer: Transfer, text: str, *, author: BriefingVersion.Author, user: User | None = None) -> None:
    """Keep a version; it is what is spoken, unless a person's edit stands against a draft."""
    if author == BriefingVersion.Author.AI:
        text = speakable(transfer.call, text)
    text = " ".join(text.split())
    if author != BriefingVersion.Author.PERSON and transfer.briefing_edited:
        return
    if not text or text == transfer.briefing:
        return
    nth = (transfer.briefings.aggregate(last=Max("nth"))["last"] or 0) + 1
    BriefingVersion.objects.create(transfer=transfer, nth=nth, author=author, user=user, text=text, saved_at=now())
    edited = transfer.briefing_edited or author == BriefingVersion.Author.PERSON
    transfer.briefing, transfer.briefing_edited, transfer.briefing_saved_at = text, edited, now()
    transfer.save(update_fields=("briefing", "briefing_edited", "briefing_saved_at"))
    record(
        BriefingSaved(nth=nth, author=author),
        actor=Actor.of(user) if user else SYSTEM,
        call_id=transfer.call_id,
        transfer_id=transfer.pk,
        payload={"text": text},
    )
    touched(transfer)
    _tell_agent(transfer, text, nth)


def _tell_agent(transfer: Transfer, text: str, nth: int) -> None:
    attempt = Attempt.objects.filter(transfer=transfer, state__in=OPEN_ATTEMPT, briefing_started_at=None).first()
    if attempt:
        direct(addressee(transfer.call_id, Role.TRANSFER, attempt.pk), f"brief:{nth}", Brief(text=text))
