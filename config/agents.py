"""`python -m config.agents`: the AgentServer. One agent name; the dispatch's metadata tells a job its role."""

from __future__ import annotations

import asyncio
import json
import logging.config
import math
import os
import signal
from importlib import import_module

from config import env, metrics_port
from config.launcher.state import write_private

# The framework would load 390 MB of detectors into every process; we choose ours by name.
os.environ.setdefault("LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE", "0")

from livekit.agents import AgentServer, JobContext, JobProcess, JobRequest, WorkerPermissions

from calls.agents import grants, logs, tracing
from calls.agents.job import identity_of, metadata_of
from calls.agents.protocol import Role
from calls.agents.speech import models
from calls.agents.support import SupportJob
from transfers.agents.bridge_job import BridgeJob
from transfers.agents.transfer_job import TransferJob

NAMES = {Role.SUPPORT: "AI", Role.TRANSFER: "Transfer agent", Role.BRIDGE: "Line"}
JOBS = {Role.SUPPORT: SupportJob, Role.TRANSFER: TransferJob, Role.BRIDGE: BridgeJob}
IDLE_PROCESSES = 2  # starting one takes 3 s while a call runs
START_SECONDS = 60.0
JOBS_AT_MOST = 100  # several servers share the calls in proportion; one alone takes more
FULL = 0.95


def prewarm(process: JobProcess) -> None:
    """What would otherwise be loaded while somebody is already talking."""
    tracing.start("agents")
    import_module("websockets.asyncio.client")
    models.prewarm()


async def request(asked: JobRequest) -> None:
    metadata = metadata_of(asked.job.metadata)
    await asked.accept(identity=identity_of(metadata), name=NAMES[metadata.role])


async def entry(ctx: JobContext) -> None:
    metadata = metadata_of(ctx.job.metadata)
    await JOBS[metadata.role](ctx, metadata).start()


def load(running: AgentServer) -> float:
    """By calls, not by processor time: a busy minute leaves none of that, and a server of load 1 gets no job."""
    return min(FULL, len(running.active_jobs) / JOBS_AT_MOST)


def server() -> AgentServer:
    given = grants.AGENTS
    made = AgentServer(
        ws_url=env.required("LIVEKIT_URL"),
        api_key=env.required("LIVEKIT_API_KEY"),
        api_secret=env.required("LIVEKIT_API_SECRET"),
        setup_fnc=prewarm,
        load_fnc=load,
        load_threshold=math.inf,
        num_idle_processes=IDLE_PROCESSES,
        initialize_process_timeout=START_SECONDS,
        drain_timeout=env.number("AGENT_DRAIN_SECONDS"),
        host=env.text("AGENT_HTTP_HOST"),
        port=env.number("AGENT_HTTP_PORT"),
        permissions=WorkerPermissions(
            can_publish=given.can_publish,
            can_subscribe=given.can_subscribe,
            can_publish_data=given.can_publish_data,
            can_update_metadata=given.can_update_metadata,
            hidden=given.hidden,
        ),
        log_level=env.text("LOG_LEVEL"),
    )
    installation = env.text("PATCHBAY_INSTALLATION")
    made.rtc_session(entry, agent_name=env.text("AGENT_NAME", f"patchbay-{installation}"), on_request=request)
    return made


async def serve() -> None:
    """Until SIGTERM or SIGINT: jobs then have AGENT_DRAIN_SECONDS to end by themselves."""
    running = server()
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    running.on("worker_started", lambda *_: note(running, registered=False))
    running.on("worker_registered", lambda *_: note(running, registered=True))
    serving = asyncio.create_task(running.run())
    stopping = asyncio.create_task(ended.wait())
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        await serving
    if env.number("AGENT_DRAIN_SECONDS"):
        await running.drain()
    await running.aclose()


def note(running: AgentServer, *, registered: bool) -> None:
    """Where the console's health checks find this server on this machine. The launcher waits for `registered`."""
    path = env.state_dir() / "agents.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{running.worker_info.http_port}"
    write_private(path, json.dumps({"url": url, "registered": registered}))


def main() -> None:
    env.load_state()
    form = env.choice("LOG_FORMAT", "text", "json")
    logging.config.dictConfig(logs.configuration(level=env.text("LOG_LEVEL"), form=form))
    metrics_port.serve()
    asyncio.run(serve())


if __name__ == "__main__":
    from config import agents  # as itself, so that job processes find what they are to run

    agents.main()
