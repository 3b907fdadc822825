"""What an agent may do in its room: the token that a real livekit-server makes for a job of ours."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import aiohttp
import jwt
import pytest
from livekit import api
from livekit.protocol import agent, models

from calls.agents.grants import AGENTS
from calls.telephony.gateway import Dispatch
from calls.telephony.livekit import LiveKitGateway
from tests.livekit import KEY, SECRET, LiveKitServer
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

NAME, ROOM = "permissions-test", "call-permissions"
AS_IN_A_TOKEN = {
    "can_publish": "canPublish",
    "can_subscribe": "canSubscribe",
    "can_publish_data": "canPublishData",
    "can_update_metadata": "canUpdateOwnMetadata",
    "hidden": "hidden",
}


class Worker:
    """One that speaks the worker's protocol as livekit-agents does, as far as its first job."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def say(self, **message: object) -> None:
        await self._socket.send_bytes(agent.WorkerMessage(**message).SerializeToString())  # type: ignore[arg-type]

    async def hear(self, kind: str) -> agent.ServerMessage:
        """The next message of this kind."""
        while True:
            message = agent.ServerMessage.FromString(await self._socket.receive_bytes())
            if message.WhichOneof("message") == kind:
                return message


async def test_a_job_s_token_has_the_permissions_that_we_ask_for(livekit_server: LiveKitServer) -> None:
    token = api.AccessToken(KEY, SECRET).with_identity(NAME).with_grants(api.VideoGrants(agent=True)).to_jwt()
    headers = {"Authorization": f"Bearer {token}"}
    gateway = LiveKitGateway(livekit_server.api_url, KEY, SECRET)
    async with (
        asyncio.timeout(PATIENCE_S),
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{livekit_server.url}/agent", headers=headers) as socket,
    ):
        worker = Worker(socket)
        permissions = models.ParticipantPermission(**asdict(AGENTS))
        await worker.say(
            register=agent.RegisterWorkerRequest(
                type=agent.JT_ROOM, agent_name=NAME, version="test", allowed_permissions=permissions
            )
        )
        registered = (await worker.hear("register")).register
        assert registered.server_info.edition == models.ServerInfo.Standard  # Cloud says otherwise
        await worker.say(update_worker=agent.UpdateWorkerStatus(status=agent.WS_AVAILABLE))
        await gateway.create_room(ROOM, dispatches=[Dispatch(NAME)])
        asked = (await worker.hear("availability")).availability
        answer = agent.AvailabilityResponse(job_id=asked.job.id, available=True, participant_identity="support")
        await worker.say(availability=answer)
        assigned = (await worker.hear("assignment")).assignment
    claims = jwt.decode(assigned.token, SECRET, algorithms=["HS256"])
    given = {name: bool(claims["video"].get(as_told)) for name, as_told in AS_IN_A_TOKEN.items()}
    assert given == asdict(AGENTS)
    assert (claims["sub"], claims["video"]["room"], claims["kind"]) == ("support", ROOM, "agent")
    assert not claims["video"].get("roomAdmin")
    await gateway.delete_room(ROOM)
    await gateway.close()
