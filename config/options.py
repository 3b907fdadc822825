"""Every setting that the environment may hold: its one home. The page docs/settings.md is made from it.

`env` looks names up here, so that a setting without an entry cannot be read. The agents and the carrier simulator
install without the console and read their environment themselves; a test holds them to this list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    TEXT = "text"
    LIST = "list, by commas"
    FLAG = "1 or nothing"
    NUMBER = "whole number"
    TIME = "time of day, UTC"
    ADDRESS = "address"
    FOLDER = "folder"
    FILE = "file"
    SECRET = "secret"


class Process(StrEnum):
    """Who reads a setting. A container gets what its process reads, and no more."""

    WEB = "web"
    WORKER = "worker"
    CLOCK = "clock"
    AGENTS = "agents"
    LAUNCHER = "make"
    CARRIER = "carrier"


@dataclass(frozen=True)
class Option:
    """One setting. `default` is what applies where nothing is set; `otherwise` says it in words where it is made.

    `required`: a process that reads it ends with one line where it is missing.
    """

    name: str
    kind: Kind
    means: str
    read_by: frozenset[Process]
    default: str = ""
    otherwise: str = ""
    required: bool = False


P, K = Process, Kind
CONSOLE = frozenset({P.WEB, P.WORKER, P.CLOCK})
RUNNING = CONSOLE | {P.AGENTS}
LAUNCHER = frozenset({P.LAUNCHER})
AGENTS = frozenset({P.AGENTS})
SPEAKING = AGENTS | {P.WEB}  # the console speaks texts to whoever edits them
MADE = "Made once by `make demo` and `make start`."

GROUPS: dict[str, tuple[Option, ...]] = {
    "What has to be there": (
        Option(
            "DATABASE_URL",
            K.SECRET,
            "Your PostgreSQL: `postgresql://user:password@host:5432/name`. The only database.",
            CONSOLE,
            otherwise="`make` starts one of its own",
            required=True,
        ),
        Option(
            "VALKEY_URL",
            K.SECRET,
            "Your Valkey: `redis://:password@host:6379/0`. It carries hints only and may lose everything.",
            CONSOLE,
            otherwise="`make` starts one of its own",
            required=True,
        ),
        Option(
            "PATCHBAY_SECRET_KEY",
            K.SECRET,
            "Signs sessions and keys the lookup of numbers: at least 32 characters, the same on every machine, "
            "for ever. With another one nobody stays logged in and no number is found again.",
            CONSOLE,
            otherwise="`make` makes one",
            required=True,
        ),
        Option(
            "PATCHBAY_ENCRYPTION_KEYS",
            K.SECRET,
            "Encrypts phone lines' passwords in the database: texts of at least 32 characters, by commas, the "
            "newest first. An older one is kept until every password was typed again.",
            CONSOLE,
            otherwise="a key derived from PATCHBAY_SECRET_KEY",
        ),
        Option(
            "LIVEKIT_URL",
            K.ADDRESS,
            "Your LiveKit, as browsers and agents reach it: `wss://livekit.example.com`.",
            RUNNING | {P.CARRIER},
            otherwise="`make` starts one of its own",
            required=True,
        ),
        Option(
            "LIVEKIT_API_KEY",
            K.SECRET,
            "The key of that LiveKit. It signs tokens and checks webhooks.",
            RUNNING | {P.CARRIER},
            otherwise="`make` makes one",
            required=True,
        ),
        Option(
            "LIVEKIT_API_SECRET",
            K.SECRET,
            "The secret of that key. Agents sign the tokens of their link to the console with it, too.",
            RUNNING | {P.CARRIER},
            otherwise="`make` makes one",
            required=True,
        ),
        Option(
            "PATCHBAY_CONSOLE_URL",
            K.ADDRESS,
            "Where agents find the console: `http://web:8000`, or its public address.",
            AGENTS,
            default="http://127.0.0.1:8000",
        ),
        Option(
            "PATCHBAY_INSTALLATION",
            K.TEXT,
            "Tells our rooms from others': two installations may share one LiveKit. The same in every process.",
            RUNNING,
            default="local",
            otherwise="`make` makes one",
        ),
    ),
    "The console behind a proxy": (
        Option(
            "PATCHBAY_HTTPS",
            K.FLAG,
            "A proxy before the console speaks TLS and says so in `X-Forwarded-Proto`: secure cookies, redirects, "
            "HSTS. Browsers give their microphone only over HTTPS.",
            CONSOLE,
        ),
        Option(
            "ALLOWED_HOSTS",
            K.LIST,
            "The names under which browsers reach the console.",
            CONSOLE,
            default="127.0.0.1,localhost,[::1]",
        ),
        Option(
            "CSRF_TRUSTED_ORIGINS",
            K.LIST,
            "The same as whole addresses, where the proxy does not pass the host on: "
            "`https://patchbay.example.com`.",
            CONSOLE,
        ),
        Option(
            "WEB_HOST",
            K.TEXT,
            "The address that `manage.py run web` listens at. In a container: `0.0.0.0`.",
            frozenset({P.WEB}),
            default="127.0.0.1",
        ),
        Option(
            "PORT",
            K.NUMBER,
            "The console's port.",
            frozenset({P.WEB, P.LAUNCHER}),
            default="8000",
            otherwise="`make` takes the first free one from 8000",
        ),
        Option(
            "PATCHBAY_STATIC_ROOT",
            K.FOLDER,
            "Where `manage.py collectstatic` has put scripts and styles: read once, at the start. Without it "
            "they are served from where they lie, and a change shows at once.",
            CONSOLE,
        ),
        Option(
            "PATCHBAY_PRIVATE_WEBHOOKS",
            K.FLAG,
            "Webhooks may go to private addresses and over plain http: see docs/api.md.",
            CONSOLE,
        ),
    ),
    "Phones": (
        Option(
            "SIP_TRUNK_ID",
            K.TEXT,
            "The outbound trunk stored on LiveKit (`ST_…`), where none is the default in admin.",
            CONSOLE,
        ),
        Option(
            "SIP_TRUNK_HOSTNAME",
            K.TEXT,
            "A trunk that LiveKit is told with every dial: your carrier's host. Used without SIP_TRUNK_ID.",
            CONSOLE,
        ),
        Option("SIP_AUTH_USERNAME", K.TEXT, "The user name at that carrier.", CONSOLE),
        Option(
            "SIP_AUTH_PASSWORD",
            K.SECRET,
            "The password at the carrier, for an inline trunk in admin, too, that has none of its own.",
            CONSOLE,
        ),
        Option("SIP_NUMBER", K.TEXT, "The number that managers see when they are rung.", CONSOLE),
        Option(
            "MERGE_STRATEGY",
            K.TEXT,
            "How the two are joined: `relay`, `move` or `rejoin` forces one; `auto` chooses by the server.",
            CONSOLE,
            default="auto",
        ),
        Option(
            "LIVEKIT_API_URL",
            K.ADDRESS,
            "Where the console sends its requests to LiveKit, if not to LIVEKIT_URL. The demo's carrier stands "
            "there.",
            CONSOLE,
            otherwise="LIVEKIT_URL",
        ),
    ),
    "Rehearsals": (
        Option(
            "REHEARSE_AT",
            K.TIME,
            "Every night at this time (`03:30`) a rehearsal is run, as by `make rehearse`; `doctor` and the "
            "status page say how the last one went. The worker or clock that runs it needs 1 GB more meanwhile.",
            CONSOLE,
            otherwise="no rehearsal by itself",
        ),
        Option(
            "REHEARSE_NUMBER",
            K.TEXT,
            "The phone that is rung for it, as `+12025550100` or `sip:…`: one that answers and says yes, or "
            "presses 1.",
            CONSOLE,
            otherwise="a simulated one, where there is a simulator",
        ),
    ),
    "Agents": (
        Option(
            "AGENT_NAME",
            K.TEXT,
            "The name under which agents register with LiveKit, and which a dispatch rule starts.",
            RUNNING,
            otherwise="`patchbay-<PATCHBAY_INSTALLATION>`",
        ),
        Option(
            "SUPPORT_AGENT_NAME",
            K.TEXT,
            "The agent that answers callers, if it is one of your own: see docs/agents.md.",
            CONSOLE,
            otherwise="AGENT_NAME",
        ),
        Option(
            "TASK_DIAL_ALLOW",
            K.LIST,
            "Whom an agent's code may have called beside the roster's phones: `+1202555*,sip:*@pbx.example.com`.",
            CONSOLE,
        ),
        Option(
            "AGENT_STT",
            K.TEXT,
            "Recognition, as `deepgram/nova-3` or `openai/whisper-1`.",
            RUNNING,
            default="offline",
        ),
        Option(
            "AGENT_LLM",
            K.TEXT,
            "The model that talks, as `openai/gpt-4.1-mini`; `offline` is a set of rules.",
            RUNNING,
            default="offline",
        ),
        Option("AGENT_TTS", K.TEXT, "The voice's model, as `cartesia/sonic-3`.", RUNNING, default="offline"),
        Option("AGENT_VOICE", K.TEXT, "The voice of an `openai/…` AGENT_TTS.", SPEAKING, default="alloy"),
        Option(
            "OPENAI_BASE_URL",
            K.ADDRESS,
            "Every `openai/…` name goes to this server, whoever made it; without it to LiveKit's inference "
            "gateway.",
            SPEAKING,
        ),
        Option("OPENAI_API_KEY", K.SECRET, "The key of that server.", SPEAKING),
        Option(
            "AGENT_DRAIN_SECONDS",
            K.NUMBER,
            "How long an agent server that was asked to stop may finish its calls. A container's grace period "
            "has to be longer.",
            AGENTS,
            default="0",
        ),
        Option(
            "AGENT_HTTP_HOST",
            K.TEXT,
            "Where the agent server answers `/` (503 once LiveKit could not be reached) and `/worker` (its "
            "load). In a container: `0.0.0.0`.",
            AGENTS,
            default="127.0.0.1",
        ),
        Option(
            "AGENT_HTTP_PORT",
            K.NUMBER,
            "The port of that; 0 takes any free one and notes it in the state folder.",
            AGENTS,
            default="0",
        ),
        Option(
            "SPEECH", K.TEXT, "`scripted`: tones and keys instead of words, for tests of many calls.", SPEAKING
        ),
    ),
    "Seeing inside": (
        Option(
            "LOG_LEVEL",
            K.TEXT,
            "`DEBUG`, `INFO`, `WARNING` or `ERROR`. No line holds a number, a name or speech.",
            RUNNING,
            default="INFO",
        ),
        Option(
            "LOG_FORMAT",
            K.TEXT,
            "`text`, or `json`: an object a line, with the ids of call, transfer and attempt where known.",
            RUNNING,
            default="text",
        ),
        Option(
            "METRICS_TOKEN",
            K.SECRET,
            "Who asks the console for `/metrics` from another machine sends it as a bearer token. Without it only "
            "this machine may ask.",
            frozenset({P.WEB}),
        ),
        Option(
            "METRICS_PORT",
            K.NUMBER,
            "Worker, clock and agents serve their metrics at this port. Of two processes of one machine with the "
            "same port, the second serves none and says so.",
            frozenset({P.WORKER, P.CLOCK, P.AGENTS}),
            default="0",
            otherwise="they serve none",
        ),
        Option(
            "METRICS_HOST",
            K.TEXT,
            "The address of that port. In a container: `0.0.0.0`.",
            frozenset({P.WORKER, P.CLOCK, P.AGENTS}),
            default="127.0.0.1",
        ),
        Option(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            K.ADDRESS,
            "Traces go to this collector (OTLP over HTTP, as `http://collector:4318`). OpenTelemetry's other "
            "`OTEL_EXPORTER_OTLP_…` variables apply.",
            RUNNING,
        ),
        Option(
            "OTEL_TRACES_FILE",
            K.FILE,
            "Traces go to this file instead, one span a line, in JSON. All processes of a machine may share it.",
            RUNNING,
        ),
    ),
    "The record": (
        Option(
            "RETENTION_DAYS",
            K.NUMBER,
            "After so many days what was said in a call, names and numbers are erased, where the department has "
            "no number of its own; unassigned calls, too. 0 keeps them for ever.",
            CONSOLE,
            default="0",
        ),
        Option(
            "AUDIT_HEADS_FILE",
            K.FILE,
            "Every five minutes the signed head of the audit chain is appended to this file, one object a line. "
            "Keep it where the database's owner cannot write: with it `verify_audit` finds a chain that was cut "
            "off or hashed anew.",
            frozenset({P.CLOCK}),
            otherwise="heads are kept in the database alone",
        ),
    ),
    "One machine": (
        Option(
            "PATCHBAY_STATE",
            K.FOLDER,
            "Where ports, secrets and embedded servers are kept. In a container: any folder that it may write to.",
            RUNNING | LAUNCHER,
            default=".patchbay",
        ),
        Option("QUIET", K.FLAG, "`make demo` without simulated calls.", LAUNCHER),
        Option("YES", K.FLAG, "`make demo` on another machine's LiveKit: it places calls there.", LAUNCHER),
        Option(
            "LIVEKIT_SERVER",
            K.FILE,
            "The livekit-server to start.",
            LAUNCHER,
            otherwise="the one on the PATH, else it is built",
        ),
    ),
    "Set by Patchbay itself": (
        Option("PATCHBAY_DEMO", K.FLAG, "The demo: simulated phones, and a label that says so.", CONSOLE),
        Option("PATCHBAY_BOOT", K.TEXT, "By which `make` knows the console that it started.", frozenset({P.WEB})),
        Option(
            "PATCHBAY_TEST_DATABASE", K.TEXT, "The database that tests make.", CONSOLE, default="test_patchbay"
        ),
        Option("CARRIER_URL", K.ADDRESS, "Where the demo's carrier simulator answers.", CONSOLE),
        Option(
            "CARRIER_HOST", K.TEXT, "The address that it listens at.", frozenset({P.CARRIER}), default="127.0.0.1"
        ),
        Option("CARRIER_PORT", K.NUMBER, "Its port.", frozenset({P.CARRIER})),
        Option("CARRIER_TOKEN", K.SECRET, f"Who may use its switches. {MADE}", CONSOLE | {P.CARRIER}),
    ),
}

OPTIONS: dict[str, Option] = {option.name: option for options in GROUPS.values() for option in options}


def of(process: Process) -> dict[str, Option]:
    """What one process reads."""
    return {name: option for name, option in OPTIONS.items() if process in option.read_by}


def required(process: Process) -> Iterable[str]:
    """Without these it ends with one line."""
    return sorted(name for name, option in of(process).items() if option.required)
