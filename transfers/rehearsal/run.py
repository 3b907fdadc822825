"""One rehearsal from its options to its report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings

from transfers.models import Attempt
from transfers.rehearsal import facts, house, verdict
from transfers.rehearsal.by_phone import PhoneCourse
from transfers.rehearsal.carrier import Carrier
from transfers.rehearsal.course import Course, Setting
from transfers.rehearsal.errors import CannotRehearse, Stuck
from transfers.rehearsal.parties import Stage
from transfers.rehearsal.report import Report
from transfers.rehearsal.scenarios import SCENARIOS, Break, Scenario
from transfers.rehearsal.takes import Takes
from transfers.rehearsal.tones import MANAGER_HZ
from transfers.states import OPEN_ATTEMPT

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    scenario: str = "accepts"
    trunk: str = ""  # stored, inline; empty: as other calls go
    number: str = ""  # a real phone
    wav: Path | None = None
    broken: Break | None = None
    agent: str = ""  # the name of somebody's own agent, which answers and asks for the transfer by itself


def rehearse(options: Options, tell: Tell) -> Report:
    """Raises CannotRehearse if it cannot begin; whatever fails later is in the report."""
    scenario = SCENARIOS["voicemail" if options.broken == Break.VOICEMAIL_ACCEPT else options.scenario]
    carrier = _carrier(options)
    address = options.number or (_phone(carrier, scenario.phone_plays) if carrier else "")
    with house.alone():
        house.end_earlier()
        second = _phone(carrier, scenario.second) if carrier and scenario.second else ""
        made = house.prepare(scenario, address=address, trunk=options.trunk, second=second)
        _wait_until_free(made)
        if carrier:
            _script(carrier, address, options.broken)
        setting = Setting(_as_broken(scenario, options), made, options.broken, carrier, options.agent)
        by = f" The agent is {options.agent}, and is to call {address}." if options.agent else ""
        tell(f"Rehearsal: the manager {scenario.about}. The line is {made.trunk}.{by}")
        with Stage() as stage, _clock(tell) as say:
            takes = (PhoneCourse(setting, say) if scenario.by_phone else Course(setting, stage, say)).run()
    if options.wav:
        _keep(takes, options.wav)
    return verdict.report(takes, setting.scenario, made, options.broken)


def _carrier(options: Options) -> Carrier | None:
    if options.number:
        if SCENARIOS[options.scenario].by_phone:
            raise CannotRehearse("In this scenario the caller is a simulated phone too: leave out --number.")
        if options.broken:
            raise CannotRehearse("A fault can only be put into a simulated phone: leave out --number or --break.")
        return None
    if not settings.CARRIER_URL:
        raise CannotRehearse(
            "There is no carrier simulator here (it belongs to the demo). Name a phone: --number."
        )
    return Carrier()


def _phone(carrier: Carrier, plays: str) -> str:
    numbers = carrier.phones()
    if plays not in numbers:
        raise CannotRehearse(f"The carrier simulator has no phone that plays “{plays}”.")
    return numbers[plays]


def _script(carrier: Carrier, address: str, broken: Break | None) -> None:
    how: dict[str, object] = {"tone_hz": MANAGER_HZ, "chatter": False}
    if broken == Break.VOICEMAIL_ACCEPT:
        how["press_at_answer"] = "1"
    carrier.script(address, **how)


def _as_broken(scenario: Scenario, options: Options) -> Scenario:
    """A voicemail that presses 1 is taken for a manager: the judge expects one, and does not find one."""
    if options.broken == Break.VOICEMAIL_ACCEPT:
        return replace(SCENARIOS["accepts"], name=options.scenario)
    return scenario


def _wait_until_free(made: house.House) -> None:
    """An earlier rehearsal's attempt may be closing."""
    busy = Attempt.objects.filter(manager=made.manager, state__in=OPEN_ATTEMPT)
    try:
        facts.until(lambda: not busy.exists(), 15, "an earlier rehearsal does not end: is the worker running?")
    except Stuck as stuck:
        raise CannotRehearse(str(stuck)) from stuck


@contextmanager
def _clock(tell: Tell) -> Iterator[Callable[[float, str], None]]:
    """Lines with the seconds since the beginning."""
    began = time.time()
    yield lambda at, text: tell(f"{at - began:6.1f} s  {text}")


def _keep(takes: Takes, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "caller.wav").write_bytes(takes.caller.wav())
    if takes.manager:
        (folder / "manager.wav").write_bytes(takes.manager.wav())
