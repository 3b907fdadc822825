"""The carrier simulator as the rehearsal uses it: it plays the manager's phone and tells what that phone got."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from transfers.rehearsal.errors import CannotRehearse
from transfers.rehearsal.sound import NOTHING, Recording, of_wav

TIMEOUT_S = 5.0
SPEECH_S = 25.0


@dataclass(frozen=True)
class Placed:
    id: str
    room: str


class Carrier:
    def __init__(self) -> None:
        self._base = settings.CARRIER_URL.rstrip("/")
        self._token = os.environ.get("CARRIER_TOKEN", "")

    def phones(self) -> Mapping[str, str]:
        """Address by what it does."""
        rows = self._json("/carrier/phones")
        rows = rows.get("phones", []) if isinstance(rows, dict) else rows
        return {str(row["scenario"]): str(row["number"]) for row in rows}

    def script(self, to: str, **how: Any) -> None:
        """How the phone behaves in the next call to `to`."""
        self._json("/carrier/scripts", {"to": to, **how})

    def place(self, story: str, metadata: Mapping[str, str]) -> Placed:
        """A caller who says nothing of their own, in a room with this metadata."""
        body = {"story": story, "chatter": False, "room_metadata": dict(metadata)}
        row = self._json("/carrier/calls", body)
        return Placed(str(row["id"]), str(row["room"]))

    def caller_does(self, caller: str, **what: Any) -> None:
        """As `do`, for who was placed."""
        self._json(f"/carrier/calls/{caller}/do", what, within_s=SPEECH_S)

    def was_referred(self, caller: str) -> bool:
        """Whether their carrier has called somebody else for them."""
        return any(event["what"] == "referred" for event in self._json(f"/carrier/calls/{caller}")["events"])

    def heard_by_caller(self, caller: str) -> Recording:
        return self._recording(f"/carrier/calls/{caller}/heard.wav")

    def requests(self, since: float) -> list[dict[str, Any]]:
        """The dials that came in since an epoch second, oldest first."""
        rows = self._json(f"/carrier/requests?since={since:.3f}")
        return list(rows.get("requests", []) if isinstance(rows, dict) else rows)

    def request(self, number: str) -> dict[str, Any]:
        return dict(self._json(f"/carrier/requests/{number}"))

    def do(self, number: str, **what: Any) -> None:
        """`say` returns when it was played out."""
        self._json(f"/carrier/requests/{number}/do", what, within_s=SPEECH_S)

    def heard(self, number: str) -> Recording:
        """What the phone heard until now; nothing if it was never answered."""
        return self._recording(f"/carrier/requests/{number}/heard.wav")

    def _recording(self, path: str) -> Recording:
        try:
            content, headers = self._get(path)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return NOTHING
            raise _refused(path, error) from error
        return of_wav(content, float(headers["X-Started-At"]))

    def _json(self, path: str, body: dict[str, Any] | None = None, *, within_s: float = TIMEOUT_S) -> Any:
        try:
            content, _ = self._get(path, body, within_s)
        except urllib.error.HTTPError as error:
            raise _refused(path, error) from error
        return json.loads(content) if content else {}

    def _get(
        self, path: str, body: dict[str, Any] | None = None, within_s: float = TIMEOUT_S
    ) -> tuple[bytes, Mapping[str, str]]:
        request = urllib.request.Request(
            f"{self._base}{path}",
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=within_s) as answer:
                return answer.read(), dict(answer.headers)
        except urllib.error.HTTPError:
            raise
        except OSError as error:
            raise CannotRehearse(
                f"The carrier simulator does not answer at {self._base}. Is the demo running? `make demo`"
            ) from error


def _refused(path: str, error: urllib.error.HTTPError) -> CannotRehearse:
    return CannotRehearse(f"The carrier simulator refused {path.split('?')[0]} ({error.code}).")
