"""What supervisors mean for a call: joined in, taken over, given back. All of it when they are in the room."""

from __future__ import annotations

from calls.agents import protocol as p
from calls.announcements import barging, taken_over
from calls.events import Actor
from calls.link import registry
from calls.models import Supervision
from calls.services.calls import move_caller
from calls.services.links import addressee, direct
from calls.services.snapshot import snapshot_of
from calls.services.supervised import key_of_return, words_of_return
from calls.states import CallerWith


def take_over(grant: Supervision) -> None:
    """Caller and supervisor, nobody else; `grant` and its call are locked."""
    call = grant.call
    move_caller(call, CallerWith.SUPERVISOR, actor=Actor.of(grant.user))
    support = addressee(call.pk, p.Role.SUPPORT)
    direct(support, f"take_over:{grant.pk}", p.TakeOver(identity=grant.identity))
    taken_over.send(sender=Supervision, call=call, user=grant.user)


def give_back(grant: Supervision, *, actor: Actor) -> None:
    """The AI has the caller again, knows what was said, and says so; unless the call is over."""
    call = grant.call
    if not call.is_live or call.caller_with != CallerWith.SUPERVISOR:
        return
    move_caller(call, CallerWith.AI, actor=actor)
    job = addressee(call.pk, p.Role.SUPPORT)
    if job is None:
        return
    known = registry.enriched(job, snapshot_of(job)).model_copy(update={"opening": ""})
    direct(job, key_of_return(grant), p.Resume(words=words_of_return(grant), snapshot=known))


def barge(grant: Supervision, *, on: bool) -> None:
    """The caller hears them anyway. The AI is told, no music plays, and a line carries them to the manager."""
    call = grant.call
    if not call.is_live:
        return
    body = p.Barge(identity=grant.identity, on=on)
    direct(addressee(call.pk, p.Role.SUPPORT), f"barge:{grant.pk}:{'on' if on else 'off'}", body)
    barging.send(sender=Supervision, grant=grant, on=on)
