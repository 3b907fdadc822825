"""Typed frames of the live pages: a frame names what changed; only words that are never stored are in it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Frame(Strict):
    """Over Valkey: something changed. `seq` and `epoch` belong to the audience."""

    kind: str  # call, transfer, manager, utterance, partial, levels, room, health
    id: str  # of a partial: its speaker, and the attempt of a consultation, as `caller:` or `manager:<attempt>`
    version: int
    call_id: str | None = None
    words: str = ""  # of a partial, and the levels that a job tells, as JSON: no row has them


class Envelope(Strict):
    """A frame as published to one audience; the epoch is new when Valkey was emptied."""

    audience: str
    epoch: str
    seq: int
    frame: Frame


# ── to a browser ─────────────────────────────────────────────────────────────────────────────────


class Piece(Strict):
    """Swap `html` for the element `target` unless a newer version is shown; no html: it is gone.

    An element that is not on the page yet is put into `list`, if the page has that.
    """

    target: str
    version: int = 0
    html: str = ""
    list: str = ""


class Pieces(Strict):
    """What one frame changed, as this browser may see it; empty where it sees nothing of it."""

    type: Literal["pieces"] = "pieces"
    view: str
    id: str
    audience: str
    epoch: str
    seq: int
    now: int  # the server's time in ms
    pieces: tuple[Piece, ...] = ()


class Position(Strict):
    """Where an audience stands when a view's subscription begins: a page that was loaded earlier notices a gap."""

    type: Literal["position"] = "position"
    view: str
    id: str
    audience: str
    epoch: str
    seq: int


class Summary(Strict):
    """What adds up from many rows, some time after they changed: regions and lists that the page takes over."""

    type: Literal["summary"] = "summary"
    view: str
    id: str
    html: str


class Resync(Strict):
    """Frames were lost: fetch the page's snapshot."""

    type: Literal["resync"] = "resync"


class Banner(Strict):
    type: Literal["banner"] = "banner"
    html: str


class Refused(Strict):
    """The account may not see this view, or not any more."""

    type: Literal["refused"] = "refused"
    view: str
    id: str


class Beat(Strict):
    type: Literal["beat"] = "beat"
    now: int


# ── from a browser ───────────────────────────────────────────────────────────────────────────────


class Wanted(Strict):
    view: str = Field(max_length=32)
    id: str = Field(default="", max_length=64)


class Subscribe(Strict):
    """All views of a page; replaces what was subscribed before."""

    type: Literal["subscribe"] = "subscribe"
    views: Annotated[tuple[Wanted, ...], Field(max_length=6)]


subscribe_frame: TypeAdapter[Subscribe] = TypeAdapter(Subscribe)
