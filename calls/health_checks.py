"""What `calls` checks of the house: database, Valkey, LiveKit, webhooks, worker, clocks, agents, speech, rule."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from concurrent.futures import TimeoutError as TooLate
from datetime import timedelta
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import redis
from django.conf import settings
from django.db import Error, connection

from calls import health
from calls.agents.protocol import DEAD_AFTER_SECONDS
from calls.health import Ailment, Check, Verdict
from calls.live.publish import valkey
from calls.models import AgentJob, Owner, OwnerRole, WebhookDelivery
from calls.telephony import loop
from calls.telephony.gateway import GatewayError
from calls.timing import now

SILENT = timedelta(seconds=3)
SKEW_SECONDS = 5.0
OK, UNSURE, ILL = Verdict.OK, Verdict.UNSURE, Verdict.ILL
LOOK = "Look at its log in the state folder (.patchbay/logs), and start it again: make demo, or make start."


def database() -> Check:
    try:
        with connection.cursor() as cursor:
            began = time.monotonic()
            cursor.execute("SELECT current_setting('server_version')")
            version = cursor.fetchone()[0]
    except Error as error:
        return Check("Database", ILL, f"It does not answer ({type(error).__name__}).", "Check DATABASE_URL.")
    return Check("Database", OK, f"PostgreSQL {version} answers in {(time.monotonic() - began) * 1000:.0f} ms.")


def valkey_answers() -> Check:
    try:
        began = time.monotonic()
        valkey().ping()
    except redis.RedisError as error:
        return Check("Valkey", ILL, f"It does not answer ({type(error).__name__}).", "Check VALKEY_URL.")
    return Check("Valkey", OK, f"It answers in {(time.monotonic() - began) * 1000:.0f} ms.")


def livekit_http_url() -> str:
    parts = urlsplit(settings.LIVEKIT_URL)
    return urlunsplit(("https" if parts.scheme in ("wss", "https") else "http", parts.netloc, "/", "", ""))


def livekit_keys() -> Check:
    try:
        rooms = loop.run(loop.gateway().list_rooms(), within_s=5)
    except GatewayError as error:
        if error.code in ("unauthenticated", "permission_denied"):
            do = "Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to the server's own."
            return Check("LiveKit", ILL, "It refuses our keys.", do)
        return Check(
            "LiveKit", ILL, f"It does not answer as it should ({error.code or error}).", "Check LIVEKIT_URL."
        )
    except (TimeoutError, TooLate):
        return Check("LiveKit", ILL, "It did not answer in 5 s.", "Check LIVEKIT_URL and that the server runs.")
    return Check("LiveKit", OK, f"It accepts our keys and has {len(rooms)} room{'' if len(rooms) == 1 else 's'}.")


def livekit_clock() -> Check:
    name = "Clock skew"
    try:
        with urllib.request.urlopen(livekit_http_url(), timeout=3) as answer:
            date = answer.headers.get("Date")
    except urllib.error.HTTPError as error:
        date = error.headers.get("Date")
    except OSError:
        return Check(name, ILL, "LiveKit's clock cannot be read: it does not answer.", "Check LIVEKIT_URL.")
    if not date:
        return Check(name, UNSURE, "LiveKit does not say its time.")
    skew = abs((now() - parsedate_to_datetime(date)).total_seconds())
    if skew > SKEW_SECONDS:
        do = "Let both machines follow the same time server: tokens are refused when clocks differ."
        return Check(name, ILL, f"LiveKit's clock differs from ours by {skew:.0f} s.", do)
    return Check(name, OK, "LiveKit's clock and ours agree within a second or so.")


def webhooks() -> Check:
    last = WebhookDelivery.objects.order_by("-received_at").values_list("received_at", flat=True).first()
    if last is None:
        do = "Add /webhooks/livekit here to LiveKit's configuration. Until then states follow in seconds."
        return Check("Webhooks", UNSURE, "None has come yet.", do)
    ago = int((now() - last).total_seconds())
    return Check("Webhooks", OK, f"The last one came {_ago(ago)} ago.")


def _ago(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def beating(role: OwnerRole) -> int:
    """How many processes of a role have a heartbeat."""
    return Owner.objects.filter(role=role, beat_at__gt=now() - SILENT).count()


def worker() -> Check:
    count = beating(OwnerRole.WORKER)
    if not count:
        return Check("Worker", ILL, "No worker is running. The clock does its work, more slowly.", LOOK)
    return Check("Worker", OK, f"{count} running.")


def clocks() -> Check:
    count = beating(OwnerRole.CLOCK)
    if not count:
        return Check("Clocks", ILL, "No clock is running: nothing moves on by itself.", LOOK)
    if count == 1:
        return Check("Clocks", UNSURE, "One of two is running.", LOOK)
    return Check("Clocks", OK, f"{count} running.")


def agent_servers() -> list[dict[str, Any]] | None:
    """What each AgentServer says of itself; None if this machine does not know where they are.

    The agents' process notes its own health address in the state folder (`agents.json`: {"url": …}).
    """
    path = settings.PATCHBAY_STATE / "agents.json"
    if not path.exists():
        return None
    try:
        base = json.loads(path.read_text())["url"].rstrip("/")
        with urllib.request.urlopen(f"{base}/", timeout=0.8) as healthy:
            healthy.read()
        with urllib.request.urlopen(f"{base}/worker", timeout=0.8) as answer:
            return [json.load(answer)]
    except (OSError, ValueError, KeyError):
        return []


def live_jobs() -> int:
    fresh = now() - timedelta(seconds=DEAD_AFTER_SECONDS)
    return AgentJob.objects.filter(closed_at=None, last_seen_at__gt=fresh).count()


def agents() -> Check:
    servers, jobs = agent_servers(), live_jobs()
    job_words = f"{jobs} job{'' if jobs == 1 else 's'} linked to the console"
    if servers is None:
        return Check("Agents", OK if jobs else UNSURE, f"{job_words}; no AgentServer on this machine.")
    if not servers:
        return Check("Agents", ILL, f"The AgentServer is not registered with LiveKit; {job_words}.", LOOK)
    load = servers[0].get("worker_load")
    busy = f", load {float(load) * 100:.0f} %" if isinstance(load, int | float) else ""
    return Check("Agents", OK, f"One AgentServer is registered, {job_words}; slots are not limited{busy}.")


SPEECH = (("AGENT_STT", "recognition"), ("AGENT_TTS", "voice"), ("AGENT_LLM", "brain"), ("AGENT_VAD", "VAD"))
OFFLINE_PARTS = {"moonshine_voice": "recognition", "piper": "voice", "livekit.local_inference": "VAD"}


def speech() -> Check:
    chosen = {words: os.environ.get(name, "") or "offline" for name, words in SPEECH}
    names = ", ".join(f"{words} {model}" for words, model in chosen.items())
    if "offline" in chosen.values():
        missing = [words for module, words in OFFLINE_PARTS.items() if not _installed(module)]
        if missing:
            do = "Install requirements/agents.txt in the agents' environment."
            return Check("Speech models", UNSURE, f"{names}. Not installed here: {', '.join(missing)}.", do)
    return Check("Speech models", OK, f"{names}.")


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def dispatch_rule() -> Check:
    name = "Dispatch rule"
    try:
        rules = loop.run(loop.gateway().list_dispatch_rules(), within_s=5)
    except (GatewayError, TimeoutError, TooLate):
        return Check(name, UNSURE, "LiveKit could not be asked.", "See LiveKit above.")
    agent = settings.SUPPORT_AGENT_NAME
    ours = [rule for rule in rules if agent in rule.agent_names]
    if ours:
        return Check(name, OK, f"“{ours[0].name}” sends callers to {agent}.")
    do = f"Make one that dispatches {agent}, or phone calls reach no AI. Test calls do not need it."
    return Check(name, UNSURE, f"None of LiveKit's {len(rules)} rules starts our agent.", do)


# ── the banner ───────────────────────────────────────────────────────────────────────────────────


def worker_ailment() -> Ailment | None:
    if beating(OwnerRole.WORKER):
        return None
    return Ailment(
        "Worker", "It is not running. Transfers go on through the clock, each step up to a second later."
    )


def clock_ailment() -> Ailment | None:
    if beating(OwnerRole.CLOCK):
        return None
    return Ailment(
        "Clock",
        "None is running. Transfers do not move on when time runs out: a caller on hold may wait until somebody "
        "cancels. Start it again.",
    )


def agents_ailment() -> Ailment | None:
    if agent_servers() != []:
        return None
    return Ailment(
        "Agents",
        "No agent is registered. New callers hear nobody and managers get no briefing; calls that talk to a "
        "manager over a phone line of their own go on. It is started again by itself.",
    )


def livekit_ailment() -> Ailment | None:
    try:
        loop.run(loop.gateway().list_rooms(), within_s=1.0)
    except (GatewayError, TimeoutError, TooLate):
        return Ailment(
            "LiveKit",
            "It does not answer. Callers and managers may not hear each other and nobody can be dialled; what is "
            "shown here may be behind.",
        )
    return None


def valkey_ailment() -> Ailment | None:
    try:
        valkey().ping()
    except redis.RedisError:
        return Ailment("Valkey", "It does not answer. Calls and transfers go on; this page is up to 3 s behind.")
    return None


def register() -> None:
    for name, check in (
        ("Database", database),
        ("Valkey", valkey_answers),
        ("LiveKit", livekit_keys),
        ("Clock skew", livekit_clock),
        ("Webhooks", webhooks),
        ("Worker", worker),
        ("Clocks", clocks),
        ("Agents", agents),
        ("Speech models", speech),
        ("Dispatch rule", dispatch_rule),
    ):
        health.register(name, check)
    for ailment in (livekit_ailment, agents_ailment, clock_ailment, worker_ailment, valkey_ailment):
        health.register_ailment(ailment)
