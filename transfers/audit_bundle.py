"""One transfer's record to take away: its events, briefings and the proof, and the script that verifies them."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from calls.audit import heads, verify_bundle
from calls.models import AuditHead, Event, Seal
from transfers.access import Lens
from transfers.models import Transfer
from transfers.record import events_of

HOW = """The record of one transfer, with its proof.

    python3 verify_bundle.py THIS.zip --public-key HEX

HEX is the key that the audit page shows, or `manage.py verify_audit --public-key` prints.

transfer.json  what it was about, and each version of the briefing
events.jsonl   every event: the bytes that were sealed, the words that belong to it, its link of the chain
proof.jsonl    the signed heads that cover these links, each with the digests of all links it was made of
"""


def bundle(transfer: Transfer, lens: Lens) -> bytes:
    """A zip file. Words are in it only for those who may read transcripts; the proof holds without them."""
    heads.sign_head(at_once=True)
    events = list(events_of(transfer).select_related("seal", "payload"))
    seals = [event.seal for event in events if hasattr(event, "seal")]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("README.txt", HOW)
        out.writestr("verify_bundle.py", Path(verify_bundle.__file__).read_text())
        out.writestr("transfer.json", json.dumps(_about(transfer, lens), indent=2, ensure_ascii=False))
        out.writestr("events.jsonl", _lines(_event(event, lens) for event in events))
        out.writestr("proof.jsonl", _lines(map(_proof, _covering(seals))))
    return file.getvalue()


def _lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _about(transfer: Transfer, lens: Lens) -> dict[str, Any]:
    briefings = transfer.briefings.order_by("nth") if lens.sight.transcript else ()
    return {
        "transfer": str(transfer.pk),
        "call": str(transfer.call_id),
        "department": transfer.department.name if transfer.department else "Unassigned",
        "kind": transfer.kind,
        "state": transfer.state,
        "end_reason": transfer.end_reason,
        "requested_at": transfer.requested_at.isoformat(),
        "ended_at": transfer.ended_at.isoformat() if transfer.ended_at else None,
        "briefings": [
            {"nth": one.nth, "author": one.author, "saved_at": one.saved_at.isoformat(), "text": one.text}
            for one in briefings
        ],
    }


def _event(event: Event, lens: Lens) -> dict[str, Any]:
    told: dict[str, Any] = {"event": event.seq, "body": bytes(event.body).decode(), "link": None}
    seal, payload = getattr(event, "seal", None), getattr(event, "payload", None)
    if seal:
        told["link"] = {
            "seal": seal.seq,
            "previous": bytes(seal.previous).hex(),
            "digest": bytes(seal.digest).hex(),
        }
    if payload and lens.sight.transcript:
        told["payload"] = {
            "salt": base64.b64encode(bytes(payload.salt)).decode(),
            "body": bytes(payload.body).decode(),
        }
    return told


def _covering(seals: Sequence[Seal]) -> Iterable[AuditHead]:
    """The heads in whose part of the chain these links are."""
    if not seals:
        return ()
    first, last = min(one.seq for one in seals), max(one.seq for one in seals)
    wanted = [one.seq for one in seals]
    near = AuditHead.objects.filter(last_seal__gte=first, first_seal__lte=last).order_by("seq")
    return [head for head in near if any(head.first_seal <= seq <= head.last_seal for seq in wanted)]


def _proof(head: AuditHead) -> dict[str, Any]:
    links = Seal.objects.filter(seq__gte=head.first_seal, seq__lte=head.last_seal).order_by("seq")
    digests = [bytes(one).hex() for one in links.values_list("digest", flat=True)]
    told: dict[str, Any] = json.loads(heads.line(head))
    return told | {"digests": digests}
