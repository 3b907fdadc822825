"""What can be rehearsed: how the manager's phone behaves, and how the transfer has to end. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from transfers.states import EndReason, Outcome


class Break(StrEnum):
    """A fault put into the run on purpose: the judge has to find it."""

    LEAK = "leak"
    DEAF_CALLER = "deaf-caller"
    SILENT_MANAGER = "silent-manager"
    VOICEMAIL_ACCEPT = "voicemail-accept"


@dataclass(frozen=True)
class Scenario:
    """`name` is also the carrier's for a phone that behaves so. `end` and `outcome`: how it has to end."""

    name: str
    about: str
    end: EndReason = EndReason.CONNECTED
    outcome: Outcome | None = None  # of the attempt; None: it is merged
    dtmf: str = ""
    ring_time_s: int = 25
    hears_it_out: bool = True  # the briefing: long enough for the caller to say something that nobody hears
    tells_all: bool = False  # the caller answers what the AI asks for, instead of being escalated before
    account_number_heard: bool = False
    tones_first: bool = False
    phone: str = ""  # the carrier's scenario, where it has another name
    second: str = ""  # what the phone of a second manager does, who is there too
    way: str = ""  # what is done beside the plain course: see `ways.py`
    policy: Mapping[str, object] = field(default_factory=dict)  # of the department, where it is not the usual one
    manager_hears: str = ""  # words that have to be in the briefing
    by_phone: bool = False  # the caller is a simulated phone: see `by_phone.py`

    @property
    def exchanges(self) -> bool:
        """Both say their words to each other."""
        joined = self.end == EndReason.CONNECTED and self.outcome is None
        return joined and self.way in ("", "held", "in-line", "approved", "redirected", "call-now")

    @property
    def phone_plays(self) -> str:
        return self.phone or self.name


def _returns(
    name: str, about: str, outcome: Outcome, *, ring_time_s: int = 25, hears_it_out: bool = False
) -> Scenario:
    end = EndReason.DECLINED if outcome == Outcome.DECLINED else EndReason.NO_MANAGER
    return Scenario(name, about, end, outcome, ring_time_s=ring_time_s, hears_it_out=hears_it_out)


def _gives_up(name: str, about: str, end: EndReason) -> Scenario:
    return Scenario(name, about, end, Outcome.CANCELLED, phone="no-answer", way=name, hears_it_out=False)


_ALL = (
    Scenario("accepts", "hears the briefing and says yes", tells_all=True),
    Scenario("accepts-by-key", "hears the briefing and presses 1"),
    Scenario("asks-again", "presses 3 to hear the briefing again, then says yes"),
    Scenario("slow", "rings for long before somebody answers"),
    Scenario("extension", "a switchboard that needs 1234#", dtmf="wwww1234#", tones_first=True),
    Scenario("sip-uri", "is reached at a SIP address"),
    Scenario(
        "asks-account-number",
        "asks for the account number, then says yes",
        tells_all=True,
        account_number_heard=True,
    ),
    Scenario("drops", "says yes, is cut off soon after, and is called again", way="redialled"),
    Scenario("gives-back", "talks and gives the caller back to the AI (*0)", way="given-back"),
    Scenario("says-goodbye", "talks for a while and hangs up; the AI asks the caller", way="goodbye"),
    Scenario("asks-another", "asks for another manager (*1)", second="accepts-by-key", way="another"),
    Scenario("held", "talks, and a supervisor holds the caller for a moment", phone="accepts-by-key", way="held"),
    Scenario("in-line", "is busy at first: the caller waits in line", phone="accepts-by-key", way="in-line"),
    Scenario(
        "approved",
        "takes a call that a supervisor has edited and approved",
        phone="accepts-by-key",
        way="approved",
        policy={"approval": "approve"},
        manager_hears="The caller wants an umbrella and a bicycle.",
    ),
    Scenario(
        "names-another",
        "says who should be asked instead, and that one takes the call",
        second="accepts-by-key",
        way="redirected",
        hears_it_out=False,
        policy={"max_attempts": 2},
    ),
    Scenario(
        "not-approved",
        "is not rung: a supervisor declines, with a reason",
        EndReason.NOT_APPROVED,
        phone="accepts",
        way="not-approved",
        policy={"approval": "approve"},
    ),
    Scenario(
        "cold",
        "is called by the caller's own carrier (SIP REFER)",
        EndReason.COLD_COMPLETED,
        phone="accepts",
        way="cold",
        by_phone=True,
    ),
    Scenario(
        "cold-refused",
        "is busy when the caller's own carrier calls; the caller is still with the AI",
        EndReason.ERROR,
        phone="busy",
        way="cold",
        by_phone=True,
    ),
    Scenario(
        "call-now",
        "calls the caller of a callback, and is joined with them",
        phone="accepts-by-key",
        way="call-now",
        by_phone=True,
    ),
    _returns("no-answer", "rings and nobody answers", Outcome.NO_ANSWER, ring_time_s=6),
    _returns("busy", "is busy (486)", Outcome.BUSY),
    _returns("refuses", "rejects the call (603)", Outcome.DECLINED),
    _returns("declines", "hears the briefing and says no, with a reason", Outcome.DECLINED, hears_it_out=True),
    _returns("not-today", "presses 9: not today", Outcome.DECLINED, hears_it_out=True),
    _returns("voicemail", "a voicemail answers", Outcome.VOICEMAIL),
    _returns("hangs-up", "hangs up during the briefing", Outcome.HUNG_UP),
    replace(
        _returns(
            "callback", "does not answer; the caller wants to be called back", Outcome.NO_ANSWER, ring_time_s=6
        ),
        phone="no-answer",
        way="callback",
    ),
    _returns("unavailable", "rings, then is unavailable (480)", Outcome.NO_ANSWER),
    _returns("trunk-down", "is behind a line that is down (503)", Outcome.TRUNK_ERROR),
    _returns("not-in-service", "has a number that does not exist (404)", Outcome.INVALID_NUMBER),
    replace(
        _returns("hesitates", "cannot make up their mind for too long", Outcome.TIMED_OUT, hears_it_out=True),
        policy={"consultation_limit_s": 40},
    ),
    replace(
        _returns("hold-limit", "rings for longer than the caller may be on hold", Outcome.TIMED_OUT),
        phone="no-answer",
        policy={"hold_limit_s": 30},
        ring_time_s=60,
    ),
    _gives_up("caller-leaves", "rings while the caller hangs up", EndReason.CALLER_LEFT),
    _gives_up("key-zero", "rings while the caller presses 0", EndReason.CALLER_RETURNED),
    _gives_up("cancelled", "rings while a supervisor cancels", EndReason.SUPERVISOR_CANCELLED),
    _returns("silent", "answers and stays silent", Outcome.SILENT, hears_it_out=True),
)
SCENARIOS: Mapping[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
