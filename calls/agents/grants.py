"""What a job of the AgentServer may do in its room; part of the table in `calls/telephony/tokens.py`.

Imports no Django: the agents' entry point hands it to livekit-agents, which asks the server for such tokens.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WorkerGrants:
    """Named as `livekit.agents.WorkerPermissions` names them."""

    can_publish: bool = True
    can_subscribe: bool = True
    can_publish_data: bool = True  # its transcription streams
    can_update_metadata: bool = True  # its state, as a participant attribute
    hidden: bool = False


AGENTS = WorkerGrants()
