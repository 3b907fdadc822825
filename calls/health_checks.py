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
from django.utils.translation import gettext, gettext_noop, ngettext

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
LOOK = gettext_noop(
    "Look at its log in the state folder (.patchbay/logs), and start it again: make demo, or make start."
)


def database() -> Check:
    try:
        with connection.cursor() as cursor:
            began = time.monotonic()
            cursor.execute("SELECT current_setting('server_version')")
            version = cursor.fetchone()[0]
    except Error as error:
        return Check(
            gettext("Database"),
            ILL,
            gettext("It does not answer (%(error)s).") % {"error": type(error).__name__},
            gettext("Check DATABASE_URL."),
        )
    return Check(
        gettext("Database"),
        OK,
        gettext("PostgreSQL %(version)s answers in %(ms).0f ms.")
        % {"version": version, "ms": (time.monotonic() - began) * 1000},
    )


def valkey_answers() -> Check:
    try:
        began = time.monotonic()
        valkey().ping()
    except redis.RedisError as error:
        return Check(
            gettext("Valkey"),
            ILL,
            gettext("It does not answer (%(error)s).") % {"error": type(error).__name__},
            gettext("Check VALKEY_URL."),
        )
    return Check(
        gettext("Valkey"), OK, gettext("It answers in %(ms).0f ms.") % {"ms": (time.monotonic() - began) * 1000}
    )


def livekit_http_url() -> str:
    parts = urlsplit(settings.LIVEKIT_URL)
    return urlunsplit(("https" if parts.scheme in ("wss", "https") else "http", parts.netloc, "/", "", ""))


def livekit_keys() -> Check:
    try:
        rooms = loop.run(loop.gateway().list_rooms(), within_s=5)
    except GatewayError as error:
        if error.code in ("unauthenticated", "permission_denied"):
            do = gettext("Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to the server's own.")
            return Check(gettext("LiveKit"), ILL, gettext("It refuses our keys."), do)
        return Check(
            gettext("LiveKit"),
            ILL,
            gettext("It does not answer as it should (%(code)s).") % {"code": error.code or error},
            gettext("Check LIVEKIT_URL."),
        )
    except (TimeoutError, TooLate):
        return Check(
            gettext("LiveKit"),
            ILL,
            gettext("It did not answer in 5 s."),
            gettext("Check LIVEKIT_URL and that the server runs."),
        )
    words = ngettext(
        "It accepts our keys and has %(count)s room.", "It accepts our keys and has %(count)s rooms.", len(rooms)
    )
    return Check(gettext("LiveKit"), OK, words % {"count": len(rooms)})


def livekit_clock() -> Check:
    name = gettext("Clock skew")
    try:
        with urllib.request.urlopen(livekit_http_url(), timeout=3) as answer:
            date = answer.headers.get("Date")
    except urllib.error.HTTPError as error:
        date = error.headers.get("Date")
    except OSError:
        return Check(
            name,
            ILL,
            gettext("LiveKit's clock cannot be read: it does not answer."),
            gettext("Check LIVEKIT_URL."),
        )
    if not date:
        return Check(name, UNSURE, gettext("LiveKit does not say its time."))
    skew = abs((now() - parsedate_to_datetime(date)).total_seconds())
    if skew > SKEW_SECONDS:
        do = gettext("Let both machines follow the same time server: tokens are refused when clocks differ.")
        return Check(name, ILL, gettext("LiveKit's clock differs from ours by %(skew).0f s.") % {"skew": skew}, do)
    return Check(name, OK, gettext("LiveKit's clock and ours agree within a second or so."))


def webhooks() -> Check:
    last = WebhookDelivery.objects.order_by("-received_at").values_list("received_at", flat=True).first()
    if last is None:
        do = gettext("Add /webhooks/livekit here to LiveKit's configuration. Until then states follow in seconds.")
        return Check(gettext("Webhooks"), UNSURE, gettext("None has come yet."), do)
    ago = int((now() - last).total_seconds())
    return Check(gettext("Webhooks"), OK, gettext("The last one came %(ago)s ago.") % {"ago": _ago(ago)})


def _ago(seconds: int) -> str:
    if seconds < 120:
        return gettext("%(count)s s") % {"count": seconds}
    if seconds < 7200:
        return gettext("%(count)s min") % {"count": seconds // 60}
    return gettext("%(count)s h") % {"count": seconds // 3600}


def beating(role: OwnerRole) -> int:
    """How many processes of a role have a heartbeat."""
    return Owner.objects.filter(role=role, beat_at__gt=now() - SILENT).count()


def _running(count: int) -> str:
    return gettext("%(count)s running.") % {"count": count}


def worker() -> Check:
    count = beating(OwnerRole.WORKER)
    if not count:
        return Check(
            gettext("Worker"),
            ILL,
            gettext("No worker is running. The clock does its work, more slowly."),
            gettext(LOOK),
        )
    return Check(gettext("Worker"), OK, _running(count))


def clocks() -> Check:
    count = beating(OwnerRole.CLOCK)
    if not count:
        return Check(
            gettext("Clocks"), ILL, gettext("No clock is running: nothing moves on by itself."), gettext(LOOK)
        )
    if count == 1:
        return Check(gettext("Clocks"), UNSURE, gettext("One of two is running."), gettext(LOOK))
    return Check(gettext("Clocks"), OK, _running(count))


def agent_servers() -> list[dict[str, Any]] | None:
    """What each AgentServer says of itself; None if this machine does not know where they are.

    The agents' process notes its own health address in the state folder (`agents.json`: {"url": …, …}).
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
    job_words = ngettext("%(count)s job linked to the console", "%(count)s jobs linked to the console", jobs) % {
        "count": jobs
    }
    if servers is None:
        return Check(
            gettext("Agents"),
            OK if jobs else UNSURE,
            gettext("%(jobs)s; no AgentServer on this machine.") % {"jobs": job_words},
        )
    if not servers:
        return Check(
            gettext("Agents"),
            ILL,
            gettext("The AgentServer is not registered with LiveKit; %(jobs)s.") % {"jobs": job_words},
            gettext(LOOK),
        )
    load = servers[0].get("worker_load")
    busy = (
        gettext(", load %(percent).0f %%") % {"percent": float(load) * 100}
        if isinstance(load, int | float)
        else ""
    )
    return Check(
        gettext("Agents"),
        OK,
        gettext("One AgentServer is registered, %(jobs)s; slots are not limited%(busy)s.")
        % {"jobs": job_words, "busy": busy},
    )


SPEECH = (
    ("AGENT_STT", gettext_noop("recognition")),
    ("AGENT_TTS", gettext_noop("voice")),
    ("AGENT_LLM", gettext_noop("brain")),
    ("AGENT_VAD", "VAD"),
)
OFFLINE_PARTS = {"moonshine_voice": "recognition", "piper": "voice", "livekit.local_inference": "VAD"}


def speech() -> Check:
    chosen = {words: os.environ.get(name, "") or "offline" for name, words in SPEECH}
    names = ", ".join(f"{gettext(words)} {model}" for words, model in chosen.items())
    if "offline" in chosen.values():
        missing = [gettext(words) for module, words in OFFLINE_PARTS.items() if not _installed(module)]
        if missing:
            do = gettext("Install requirements/agents.txt in the agents' environment.")
            return Check(
                gettext("Speech models"),
                UNSURE,
                gettext("%(names)s. Not installed here: %(missing)s.")
                % {"names": names, "missing": ", ".join(missing)},
                do,
            )
    return Check(gettext("Speech models"), OK, f"{names}.")


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def dispatch_rule() -> Check:
    name = gettext("Dispatch rule")
    try:
        rules = loop.run(loop.gateway().list_dispatch_rules(), within_s=5)
    except (GatewayError, TimeoutError, TooLate):
        return Check(name, UNSURE, gettext("LiveKit could not be asked."), gettext("See LiveKit above."))
    agent = settings.SUPPORT_AGENT_NAME
    ours = [rule for rule in rules if agent in rule.agent_names]
    if ours:
        return Check(
            name, OK, gettext("“%(name)s” sends callers to %(agent)s.") % {"name": ours[0].name, "agent": agent}
        )
    do = gettext("Make one that dispatches %(agent)s, or phone calls reach no AI. Test calls do not need it.") % {
        "agent": agent
    }
    return Check(
        name, UNSURE, gettext("None of LiveKit's %(count)s rules starts our agent.") % {"count": len(rules)}, do
    )


# ── the banner ───────────────────────────────────────────────────────────────────────────────────


def worker_ailment() -> Ailment | None:
    if beating(OwnerRole.WORKER):
        return None
    return Ailment(
        gettext("Worker"),
        gettext("It is not running. Transfers go on through the clock, each step up to a second later."),
    )


def clock_ailment() -> Ailment | None:
    if beating(OwnerRole.CLOCK):
        return None
    return Ailment(
        gettext("Clock"),
        gettext(
            "None is running. Transfers do not move on when time runs out: a caller on hold may wait until "
            "somebody cancels. Start it again."
        ),
    )


def agents_ailment() -> Ailment | None:
    if agent_servers() != []:
        return None
    return Ailment(
        gettext("Agents"),
        gettext(
            "No agent is registered. New callers hear nobody and managers get no briefing; calls that talk to a "
            "manager over a phone line of their own go on. It is started again by itself."
        ),
    )


def livekit_ailment() -> Ailment | None:
    try:
        loop.run(loop.gateway().list_rooms(), within_s=1.0)
    except (GatewayError, TimeoutError, TooLate):
        return Ailment(
            gettext("LiveKit"),
            gettext(
                "It does not answer. Callers and managers may not hear each other and nobody can be dialled; what "
                "is shown here may be behind."
            ),
        )
    return None


def valkey_ailment() -> Ailment | None:
    try:
        valkey().ping()
    except redis.RedisError:
        return Ailment(
            gettext("Valkey"),
            gettext("It does not answer. Calls and transfers go on; this page is up to 3 s behind."),
        )
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
