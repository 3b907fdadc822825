"""The callbacks as their page and the wallboard show them: overdue ones first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext, gettext_noop

from calls.compiled import Argument, RowsFor
from calls.display import Display, department_name
from calls.timing import now
from transfers.access import Lens
from transfers.models import Callback

MOST = 200
MOST_OVERDUE = 20
S = Callback.State
SHOWN = {
    S.OPEN: ("approval", "phone-incoming", gettext_noop("Waits for somebody")),
    S.CLAIMED: ("brief", "user-check", gettext_noop("Claimed")),
    S.CALLING: ("hold", "phone-outgoing", gettext_noop("Calling")),
    S.DONE: ("ended", "check", gettext_noop("Done")),
}


@dataclass(frozen=True)
class Row:
    callback: Callback
    caller: str
    department: str
    display: Display
    overdue: bool
    claimed_by: str
    briefing: str

    @property
    def version(self) -> int:
        return self.callback.version

    @property
    def sort(self) -> str:
        """The earliest due first; what is done comes last, the newest of it first."""
        if self.callback.done_at:
            return f"z-{10**12 - self.callback.done_at.timestamp():020.3f}"
        return f"a-{self.callback.due_at.timestamp():020.3f}-{self.callback.pk}"


def rows(lens: Lens, *, done: bool = False) -> Sequence[Row]:
    """Those that wait, or the newest of those that are done."""
    found = _seen(lens)
    found = found.filter(state=S.DONE).order_by("-done_at") if done else found.exclude(state=S.DONE)
    return sorted((_row(callback, lens) for callback in found[:MOST]), key=lambda row: row.sort)


def row(lens: Lens, pk: str) -> Row | None:
    found = _seen(lens).filter(pk=pk).first()
    return _row(found, lens) if found else None


def overdue(lens: Lens) -> Sequence[Row]:
    """For the wallboard: nobody has called, and it was promised."""
    at = now()
    late = [pk for pk, due_at in _due_first(lens) if due_at < at]
    found = _seen(lens).filter(pk__in=late).order_by("due_at") if late else ()
    return [_row(callback, lens) for callback in found]


def next_overdue(lens: Lens) -> Sequence[datetime]:
    """When the next one will be, if nobody calls until then; empty: none waits."""
    if not lens.sight.call_back:
        return ()
    return [due_at for (due_at,) in _next_due(lens, at=now())]


def _uncalled(lens: Lens) -> QuerySet[Callback]:
    return lens.callbacks().exclude(state__in=(S.DONE, S.CALLING)).order_by("due_at")


_due_first: RowsFor[Lens] = RowsFor(lambda lens: _uncalled(lens).values_list("pk", "due_at")[:MOST_OVERDUE])
_next_due: RowsFor[Lens] = RowsFor(
    lambda lens: _uncalled(lens).filter(due_at__gte=Argument("at")).values_list("due_at")[:1]
)


def _seen(lens: Lens) -> QuerySet[Callback]:
    return lens.callbacks().select_related("department", "claimed_by", "call", "calling")


def _row(callback: Callback, lens: Lens) -> Row:
    role, icon, kept = SHOWN[S(callback.state)]
    words = gettext(kept)
    late = callback.is_open and callback.due_at < now()
    by = callback.claimed_by.get_username() if callback.claimed_by else ""
    if callback.state == S.DONE:
        words = str(callback.get_result_display())
    elif by:
        words = gettext("%(state)s by %(user)s") % {"state": words, "user": by}
    shows_number = lens.sight.full_number and callback.number
    return Row(
        callback=callback,
        caller=callback.number if shows_number else f"…{callback.number_last4}",
        department=department_name(callback.department),
        display=Display("failed" if late else role, icon, words),
        overdue=late,
        claimed_by=by,
        briefing=callback.briefing if lens.sight.transcript else "",
    )
