"""The views a browser may subscribe to. Apps register theirs: what it listens to, for whom, and how it looks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from uuid import UUID

from calls.access import Account
from calls.live.frames import Frame, Piece


@dataclass(frozen=True)
class Admission:
    """What an account gets of a view. One rendering serves every browser with the same `lens`."""

    audiences: frozenset[str]
    lens: Hashable


Render = Callable[[Sequence[Frame], str, Hashable], Sequence[Sequence[Piece]]]


def each(one: Callable[[Frame, str, Hashable], Sequence[Piece]]) -> Render:
    return lambda frames, id, lens: [one(frame, id, lens) for frame in frames]


@dataclass(frozen=True)
class View:
    """`admit` reads and authorises (None: refused); `render` reads the rows of frames, through a lens, and
    makes the pieces of each; where few change at a time, `each` makes it of what does so for one.

    `summary` makes the HTML of what adds up from many rows, by the view's id and through a lens: regions and lists
    of the page, told after changes and at most once a second.

    `here` is told of a page (its id, who, and the view's id) that shows it, at once and every few seconds while it
    does; `gone`, when it does no longer.
    """

    admit: Callable[[Account, str], Admission | None]
    render: Render
    here: Callable[[UUID, Account, str], None] | None = None
    gone: Callable[[UUID], None] | None = None
    summary: Callable[[str, Hashable], str] | None = None


_views: dict[str, View] = {}


def register(name: str, view: View) -> None:
    _views[name] = view


def view(name: str) -> View | None:
    return _views.get(name)
