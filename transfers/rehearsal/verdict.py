"""From what a rehearsal brought home to its report: every promise that was not kept is a problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calls.telephony.hears import Party
from transfers.rehearsal import delay, judge, tones, words
from transfers.rehearsal.house import House
from transfers.rehearsal.report import Report
from transfers.rehearsal.scenarios import Break, Scenario
from transfers.rehearsal.sound import NOTHING, RATE, Recording, first_sound, without_tones
from transfers.rehearsal.speech import TONES, Ears
from transfers.rehearsal.takes import Takes
from transfers.rehearsal.timeline import EDGE_S, phases, spans
from transfers.states import EndReason, Outcome

BEFORE_S = 0.3
FEWEST_WORDS = 2  # of an answer
RINGS_ON_S = 1.0  # after the caller has hung up


@dataclass(frozen=True)
class Heard:
    caller: Ears  # without the hold, whose music is no speech
    manager: Ears | None

    @classmethod
    def of(cls, takes: Takes) -> Heard:
        marks, caller = takes.marks, takes.caller
        back = marks.merged or marks.returned or caller.ended
        quiet = caller.samples.copy()
        if marks.held:
            first, last = (round((at - caller.began) * RATE) for at in (marks.held, back))
            quiet[max(0, first) : max(0, last)] = 0
        return cls(Ears(Recording(quiet, caller.began)), Ears(takes.manager) if takes.manager else None)


def report(takes: Takes, scenario: Scenario, house: House, broken: Break | None) -> Report:
    found = Report(
        scenario=scenario.name,
        outcome=takes.end,
        attempt_outcome=takes.outcome,
        said_by_caller=takes.said_by_caller,
        said_by_manager=takes.said_by_manager,
        carrier_request=takes.request,
        problems=list(takes.stuck),
        call=takes.call,
        trunk=house.trunk,
        broken=broken or "",
    )
    heard = Heard.of(takes)
    _hear(takes)
    found.phases = phases(takes.marks, relay_delay_ms=_relay_delay_ms(takes))
    found.heard_by_manager_text = heard.manager.text() if heard.manager else ""
    found.heard_by_caller_text = heard.caller.text()
    _outcome(takes, scenario, found)
    _tones(takes, found)
    if scenario.exchanges:
        _words(takes, heard, found)
    if takes.marks.returned:
        _return(takes, heard, found)
    _hold_words(takes, found)
    _particulars(takes, scenario, found)
    _not_measured(takes, found)
    return found


def _hear(takes: Takes) -> None:
    """The marks that only ears can set."""
    marks, manager = takes.marks, takes.manager or NOTHING
    caller = without_tones(takes.caller, TONES)
    if marks.clicked:
        marks.hold_heard = first_sound(caller.part(marks.clicked, marks.clicked + 10))
    if marks.answered:
        marks.briefing_heard = first_sound(without_tones(manager, TONES).part(marks.answered, manager.ended))
    if marks.decided and marks.merged:
        marks.caller_heard = tones.begins(takes.caller.part(marks.decided, takes.caller.ended), tones.MANAGER_HZ)
        marks.manager_heard = tones.begins(manager.part(marks.decided, manager.ended), tones.CALLER_HZ)


def _relay_delay_ms(takes: Takes) -> float | None:
    """The slower of the two directions."""
    if takes.exchange is None or takes.manager is None:
        return None
    since, until = takes.exchange
    ways = ((takes.direct_caller, takes.manager), (takes.direct_manager, takes.caller))
    lags = [delay.lag_s(direct.part(since, until), relayed.part(since, until)) for direct, relayed in ways]
    known = [lag for lag in lags if lag is not None]
    return max(known) * 1000 if len(known) == len(ways) else None


def _outcome(takes: Takes, scenario: Scenario, found: Report) -> None:
    if takes.marks.clicked is None:
        return  # told already: it did not come that far
    if (takes.end, takes.outcome) != (scenario.end, scenario.outcome or ""):
        wanted = scenario.end.label + (f" ({scenario.outcome.label})" if scenario.outcome else "")
        got = EndReason(takes.end).label if takes.end else "no end"
        got += f" ({Outcome(takes.outcome).label})" if takes.outcome else ""
        found.problems.append(f"The transfer ended with “{got}”, expected is “{wanted}”.")


def _tones(takes: Takes, found: Report) -> None:
    heard = {Party.CALLER: takes.caller}
    if takes.manager is not None and len(takes.manager.samples):
        heard[Party.MANAGER] = takes.manager
    tables = judge.cells(spans(takes.marks), heard)
    if takes.real_phone:  # whether a real phone's tone is heard cannot be told: it has none
        tables = [cell for cell in tables if not cell.expected]
    found.leak = any(cell.leaked for cell in tables)
    found.problems += [cell.words for cell in tables if cell.words]


def _words(takes: Takes, heard: Heard, found: Report) -> None:
    if takes.real_phone:
        return
    if takes.exchange is None or heard.manager is None:
        if not takes.stuck:
            found.problems.append("Caller and manager were not joined for long enough to say their words.")
        return
    since, until = takes.exchange
    found.heard_by_manager = heard.manager.words(takes.said_by_caller, since - BEFORE_S, until)
    found.heard_by_caller = heard.caller.words(takes.said_by_manager, since - BEFORE_S, until)
    _enough(found, "manager", takes.said_by_caller, found.heard_by_manager)
    _enough(found, "caller", takes.said_by_manager, found.heard_by_caller)


def _enough(found: Report, ear: str, said: Sequence[str], heard: Sequence[str]) -> None:
    if len(heard) < words.ENOUGH * len(said):
        found.problems.append(
            f"The {ear} recognised {len(heard)} of the {len(said)} words that were said to them."
        )


def _return(takes: Takes, heard: Heard, found: Report) -> None:
    returned, question = takes.marks.returned, takes.question
    if returned is None or question is None:
        return  # told already
    asked, ended = question
    found.heard_after_return = heard.caller.text(returned, asked)
    if words.share_of_text(takes.words_for_caller, found.heard_after_return) < words.ENOUGH:
        found.problems.append("The caller is back with the AI and does not hear why.")
    if len(words.spoken(heard.caller.text(ended))) < FEWEST_WORDS:
        found.problems.append("The caller is back with the AI, asks a question and hears no answer.")


def _hold_words(takes: Takes, found: Report) -> None:
    """What the caller says on hold is heard by nobody and written down nowhere."""
    said = takes.said_on_hold
    if said and takes.manager is not None and words.share(said, found.heard_by_manager_text) >= words.ENOUGH:
        found.leak = True
        found.problems.append("Leak on hold: the manager hears what the caller says.")
    if said and words.share(said, takes.transcript) >= words.ENOUGH:
        found.leak = True
        found.problems.append("Leak on hold: the transcript has what the caller said to nobody.")


def _particulars(takes: Takes, scenario: Scenario, found: Report) -> None:
    if takes.manager is None:
        return
    if scenario.account_number_heard and not words.digits_heard(takes.account_number, found.heard_by_manager_text):
        found.problems.append("The manager asked for the account number and did not hear it.")
    heard = words.share_of_text(scenario.manager_hears, found.heard_by_manager_text)
    if scenario.manager_hears and heard < words.ENOUGH:
        found.problems.append("The manager did not hear the briefing as it was edited.")
    if scenario.way == "caller-leaves" and (rang := _rang_for_nobody_s(takes)) > RINGS_ON_S:
        found.problems.append(f"The caller hung up and the phone rang for another {rang:.1f} s.")
    if scenario.tones_first:
        _tones_first(takes, found)


def _rang_for_nobody_s(takes: Takes) -> float:
    stopped, left = (takes.request or {}).get("ended_at"), takes.marks.ended
    return float(stopped) - left if stopped and left else 0.0


def _tones_first(takes: Takes, found: Report) -> None:
    """The extension's keys come before anything is said."""
    pressed = _keys_heard_at(takes)
    began = takes.marks.briefing_heard
    if pressed is None:
        found.problems.append("The switchboard did not hear the extension.")
    elif began is not None and began < pressed - EDGE_S:
        found.problems.append("The briefing began before the extension was dialled.")


def _keys_heard_at(takes: Takes) -> float | None:
    """When the switchboard had the last key."""
    events = (takes.request or {}).get("events", ())
    return max((float(event["at"]) for event in events if event["what"] == "digits"), default=None)


def _not_measured(takes: Takes, found: Report) -> None:
    if takes.real_phone:
        found.not_measured.append("what the manager heard and said: a real phone's ears are its own")
    elif found.phases.relay_delay_ms is None and takes.exchange:
        found.not_measured.append(f"the relay's delay (the merge strategy is {takes.strategy or 'unknown'})")
