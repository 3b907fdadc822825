"""What each number does when it is dialled, like test cards. Fictional numbers only (+1 202 555 0100 to 0199)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

OK = 200
FICTIONAL = re.compile(r"\+120255501\d\d")
CALLERS = re.compile(r"\+120255501[4-8]\d")  # the simulated callers' own numbers: they pick up when called back


@dataclass(frozen=True)
class Behaviour:
    """How a phone meets a call: `rings_s` until it answers or refuses with `status`; `never`: it only rings.

    `script` names what it does after it answered (`scripts.SCRIPTS`).
    """

    about: str
    script: str = "silent"
    status: int = OK
    rings_s: float = 2.0
    never: bool = False
    refused_at_once: bool = False  # no ringing before the refusal


SCENARIOS: Mapping[str, Behaviour] = {
    "accepts": Behaviour("listens to the briefing and says “Yes, put them through.”", "accepts"),
    "busy": Behaviour("is busy (486)", status=486, rings_s=0.3, refused_at_once=True),
    "no-answer": Behaviour("rings and nobody answers", never=True),
    "refuses": Behaviour("rings and refuses the call (603)", status=603),
    "voicemail": Behaviour("a voicemail, whose greeting says “press 1” and “yes”", "voicemail", rings_s=4.0),
    "declines": Behaviour("declines aloud, with a reason", "declines"),
    "redirects": Behaviour("says that it belongs to Support", "redirects"),
    "names-another": Behaviour("says who should be asked instead", "names_another"),
    "hesitates": Behaviour("cannot make up their mind", "hesitates"),
    "hangs-up": Behaviour("hangs up in the middle of the briefing", "hangs_up"),
    "accepts-by-key": Behaviour("presses 1 to take the call", "accepts_by_key"),
    "drops": Behaviour("takes the call and is cut off soon after the merge", "drops"),
    "slow": Behaviour("answers after 12 s, then takes the call", "accepts", rings_s=12.0),
    "asks-account-number": Behaviour(
        "asks for the account number, hears its digits, then takes the call", "asks_account_number"
    ),
    "extension": Behaviour("a switchboard: silent until it gets 1234#, then takes the call", "extension"),
    "silent": Behaviour("answers and says nothing"),
    "not-today": Behaviour("presses 9: not today", "not_today"),
    "asks-again": Behaviour("presses 3 to hear the briefing again, then takes the call", "asks_again"),
    "instant": Behaviour("answers at once and takes the call", "accepts", rings_s=0.0),
    "unavailable": Behaviour("rings, then is unavailable (480)", status=480),
    "trunk-down": Behaviour("the carrier's line is down (503)", status=503, rings_s=0.2, refused_at_once=True),
    "not-in-service": Behaviour("no such number (404)", status=404, rings_s=0.2, refused_at_once=True),
    "gives-back": Behaviour("takes the call, talks, and gives the caller back to the AI (*0)", "gives_back"),
    "asks-another": Behaviour("takes the call, talks, and asks for another manager (*1)", "asks_another"),
    "says-goodbye": Behaviour("takes the call, talks for a while and hangs up", "says_goodbye"),
    "called-back": Behaviour("a caller who is called back: says hello and talks", "called_back", rings_s=3.0),
    "sip-uri": Behaviour("a SIP address; takes the call by voice", "accepts"),
}


@dataclass(frozen=True)
class Phone:
    number: str
    scenario: str
    name: str  # whoever answers

    @property
    def behaviour(self) -> Behaviour:
        return SCENARIOS[self.scenario]

    @property
    def about(self) -> str:
        return f"{self.name}: {self.behaviour.about}"


PHONES = (
    Phone("+12025550101", "accepts", "Dana"),
    Phone("+12025550102", "busy", "Marco"),
    Phone("+12025550103", "no-answer", "Lea"),
    Phone("+12025550104", "refuses", "Ravi"),
    Phone("+12025550105", "voicemail", "Nora"),
    Phone("+12025550106", "declines", "Ines"),
    Phone("+12025550107", "redirects", "Pavel"),
    Phone("+12025550108", "accepts-by-key", "Omar"),
    Phone("+12025550109", "hangs-up", "Greta"),
    Phone("+12025550110", "drops", "Bruno"),
    Phone("+12025550111", "slow", "Sofia"),
    Phone("+12025550112", "asks-account-number", "Hugo"),
    Phone("+12025550113", "extension", "Yara"),
    Phone("+12025550114", "silent", "Kim"),
    Phone("+12025550115", "not-today", "Ola"),
    Phone("+12025550116", "asks-again", "Jonas"),
    Phone("+12025550117", "instant", "Mina"),
    Phone("+12025550118", "unavailable", "Theo"),
    Phone("+12025550119", "trunk-down", "Ada"),
    Phone("+12025550120", "gives-back", "Vera"),
    Phone("+12025550121", "asks-another", "Milo"),
    Phone("+12025550122", "says-goodbye", "Nina"),
    Phone("+12025550123", "names-another", "Petra"),
    Phone("+12025550124", "hesitates", "Emil"),
    Phone("+12025550125", "not-in-service", "nobody"),
    Phone("sip:tom@pbx.example.com", "sip-uri", "Tom"),
)
BY_NUMBER = {phone.number: phone for phone in PHONES}


def phone_at(address: str) -> Phone:
    """Whoever has this address. A `sip:` user named like a scenario behaves so; others take the call."""
    if address in BY_NUMBER:
        return BY_NUMBER[address]
    if CALLERS.fullmatch(address):
        return Phone(address, "called-back", "a caller")
    user = re.match(r"sips?:([^@;]+)", address)
    if user:
        return Phone(address, user[1] if user[1] in SCENARIOS else "sip-uri", user[1].title())
    return Phone(address, "not-in-service", "nobody")
