"""What the agent link tells jobs about transfers."""

from __future__ import annotations

from calls.agents import protocol as p
from calls.link import registry
from calls.models import AgentJob, Call, Directive
from calls.services.snapshot import turns_of
from transfers import pin
from transfers.decide import Next
from transfers.models import Attempt, Transfer
from transfers.selectors import phone_leg, policy_of, roster_names
from transfers.states import TransferState
from transfers.words import after_merge


def register() -> None:
    registry.resolve_with(p.Role.TRANSFER, _call_of_attempt)
    registry.resolve_with(p.Role.BRIDGE, _call_of_attempt)
    registry.enrich_with(_with_transfer)


def _call_of_attempt(hello: p.Hello) -> Call | None:
    if hello.attempt_id is None:
        return None
    attempt = Attempt.objects.filter(pk=hello.attempt_id).select_related("transfer__call").first()
    return attempt.transfer.call if attempt and attempt.is_open else None


def _with_transfer(job: AgentJob, snapshot: p.Snapshot) -> p.Snapshot:
    if job.attempt_id:
        attempt = Attempt.objects.select_related("transfer__call", "transfer__department", "manager").get(
            pk=job.attempt_id
        )
        return snapshot.model_copy(update={"transfer": _of_attempt(attempt)})
    transfer = Transfer.objects.filter(call_id=job.call_id).order_by("-requested_at").first()
    policy = policy_of(transfer.department if transfer else job.call.department)
    updates: dict[str, object] = {
        "departments": _departments(job.call),
        "caller_last4": job.call.caller_last4,
        "offers_callback": policy.offers_callback,
        "may_refer": policy.ai_may_refer and phone_leg(job.call) is not None,
        **({} if snapshot.opening else _opening(job.call)),
    }
    if transfer:
        updates["transfer"] = of_transfer(transfer)
    if snapshot.caller_with == p.CallerWith.HOLD:
        updates["hold"] = p.HoldPlan(line="", progress_line=policy.progress_line)
    return snapshot.model_copy(update=updates)


def _opening(call: Call) -> dict[str, object]:
    """What somebody is waiting to hear: why they were called, or how the last transfer ended."""
    if call.source == Call.Source.CALLBACK and not call.utterances.exists():
        where = f" from {call.department.name}" if call.department else ""
        return {"opening": f"Hello, this is the call back{where} that you asked for. I am connecting you now."}
    if pin.manager_calling(call) and not call.utterances.exists():
        return {"opening": pin.WORDS}
    ended = Transfer.objects.filter(call=call, ended_at__isnull=False).order_by("-ended_at").first()
    if ended is None or call.caller_with != p.CallerWith.AI:
        return {}
    keys = (f"back:{ended.pk}", f"resume:{ended.pk}")
    if Directive.objects.filter(key__in=keys, done_at__isnull=False).exists():
        return {}
    asks = ended.words_for_caller == after_merge(Next.ASK)
    return {"opening": ended.words_for_caller, "asks_whether_done": asks}


def _departments(call: Call) -> tuple[p.RosterDepartment, ...]:
    return tuple(p.RosterDepartment(name=name, people=tuple(people)) for name, people in roster_names(call))


def of_transfer(transfer: Transfer) -> p.TransferSnapshot:
    """What any job is told of it."""
    attempt = transfer.attempts.select_related("manager").order_by("-nth").first()
    base = p.TransferSnapshot(
        transfer_id=transfer.pk,
        state=transfer.state,
        reason=transfer.reason,
        end_reason=transfer.end_reason,
        words_for_caller=transfer.words_for_caller,
        department=transfer.department.name if transfer.department else "",
        briefing=transfer.briefing,
    )
    merged = attempt if transfer.state in (TransferState.MERGED, TransferState.MERGING) else None
    if merged is None:
        return base
    return base.model_copy(
        update={
            "attempt_id": merged.pk,
            "attempt_state": merged.state,
            "manager_name": merged.manager.name,
        }
    )


def _of_attempt(attempt: Attempt) -> p.TransferSnapshot:
    transfer = attempt.transfer
    saved = transfer.briefing_saved_at
    since = tuple(turn for turn in turns_of(transfer.call) if turn.side == "call" and saved and turn.at > saved)
    return of_transfer(transfer).model_copy(
        update={
            "attempt_id": attempt.pk,
            "attempt_state": attempt.state,
            "manager_name": attempt.manager.name,
            "since_then": since,
            "redirect_targets": () if transfer.call.is_practice else _departments(transfer.call),
            "practice": transfer.call.is_practice,
            "accepted_on_screen": attempt.accepted_at is not None,
        }
    )
