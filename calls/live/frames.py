"""Typed frames of the live pages: a frame names what changed, never its content."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frame(BaseModel):
    """Over Valkey: something changed. `seq` and `epoch` belong to the audience."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str  # call, transfer, manager, utterance, room, health
    id: str
    version: int
    call_id: str | None = None


class Envelope(BaseModel):
    """A frame as published to one audience; the epoch is new when Valkey was emptied."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    audience: str
    epoch: str
    seq: int
    frame: Frame


class Rendered(BaseModel):
    """To a browser: swap `html` for the element `target`, unless a newer version is shown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = "rendered"
    audience: str
    epoch: str
    seq: int
    target: str
    version: int
    html: str


class Position(BaseModel):
    """To a browser: where an audience stands, so that a gap is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = "position"
    audience: str
    epoch: str
    seq: int
