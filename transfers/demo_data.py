"""The demo's house: three departments, their AI, their managers, and accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from typing import Any

from calls.roles import Role
from transfers.models import Endpoint, Policy

SHOWN_NUMBER = "+12025550199"
CARRIER_ADDRESS = "carrier.invalid"  # the simulator stands in for LiveKit's SIP service: nothing is resolved

NAME = {"key": "name", "label": "Name", "required": True, "may_be_spoken": True}
ACCOUNT = {"key": "account_number", "label": "Account number", "required": True, "may_be_spoken": True}
CLAIM = {"key": "claim_number", "label": "Claim number", "required": False, "may_be_spoken": True}
INTRODUCTION = "You are now connected. I am leaving you to it. Goodbye."


@dataclass(frozen=True)
class DemoDepartment:
    name: str
    number: str  # what its callers dial
    policy: dict[str, Any]
    profile: dict[str, Any]


DEPARTMENTS = (
    DemoDepartment(
        "Billing",
        "+12025550190",
        {"approval": Policy.Approval.APPROVE, "approval_limit_s": 60, "at_limit": Policy.AtLimit.RETURN},
        {
            "greeting": "Hello, this is Billing. You are talking to an AI. How can I help you?",
            "persona": "Calm, brief and exact about money.",
            "facts": [NAME, ACCOUNT],
            "sections": ["who", "reason", "facts", "tried"],
            "introduction": INTRODUCTION,
            "disclosure": ["This call is transcribed."],
        },
    ),
    DemoDepartment(
        "Claims",
        "+12025550191",
        {"approval": Policy.Approval.AUTO},
        {
            "greeting": "Welcome to Claims. I am an AI. What happened?",
            "persona": "Warm and patient: the caller may have had a bad day.",
            "facts": [NAME, CLAIM],
            "sections": ["reason", "who", "facts", "tried"],
            "introduction": INTRODUCTION,
            "disclosure": ["This call is transcribed."],
        },
    ),
    DemoDepartment(
        "Support",
        "+12025550192",
        {"approval": Policy.Approval.AUTO, "hold_limit_s": 120},
        {
            "greeting": "Hi, you have reached Support. I am an AI. What is the matter?",
            "persona": "Practical; one step at a time.",
            "facts": [NAME, ACCOUNT],
            "sections": [],
            "introduction": "",
            "disclosure": [],
        },
    ),
)
UNASSIGNED_PROFILE = {
    "greeting": "Hello, you are talking to an AI. How can I help, and which department do you need?",
    "facts": [NAME],
}
UNASSIGNED_NUMBER = "+12025550193"


@dataclass(frozen=True)
class Way:
    address: str
    kind: str = Endpoint.Kind.PHONE
    dtmf: str = ""
    ring_time_s: int = 25


# Rung while a desk is open with a checked microphone; a phone otherwise, so that nobody has to open one.
AT_DESK = Way("", kind=Endpoint.Kind.BROWSER)


@dataclass(frozen=True)
class DemoManager:
    name: str
    departments: tuple[str, ...]
    priority: int
    ways: tuple[Way, ...]
    weekdays: range = range(7)
    hours: tuple[time, time] = field(default=(time(0), time(0)))  # round the clock
    time_zone: str = "America/New_York"
    user: str = ""


MANAGERS = (
    DemoManager("Dana", ("Billing",), 1, (AT_DESK, Way("+12025550101")), user="dana"),
    DemoManager("Omar", ("Billing", "Support"), 2, (Way("+12025550108"),)),
    DemoManager("Lea", ("Billing",), 3, (Way("+12025550103", ring_time_s=15),)),
    DemoManager("Ines", ("Claims",), 1, (Way("+12025550106"),), time_zone="Europe/Lisbon"),
    DemoManager("Tom", ("Claims",), 2, (Way("sip:tom@pbx.example.com", kind=Endpoint.Kind.SIP_URI),)),
    DemoManager("Marco", ("Support",), 1, (Way("+12025550102"),), time_zone="Europe/Rome"),
    DemoManager("Yara", ("Support",), 3, (Way("+12025550113", dtmf="wwww1234#"),)),
    DemoManager(
        "Quentin",
        ("Claims",),
        3,
        (Way("+12025550101"),),
        weekdays=range(5),
        hours=(time(9), time(17)),
        time_zone="Europe/Paris",
    ),
)

ROLES: dict[str, tuple[Role, tuple[str, ...]]] = {
    "priya": (Role.SUPERVISOR, ("Billing", "Claims")),
    "dana": (Role.MANAGER, ()),
    "audra": (Role.AUDITOR, ()),
    "admin": (Role.ADMINISTRATOR, ()),
}
