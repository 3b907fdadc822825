"""Heads of the chain: every few minutes the new links are signed, and the signature is kept elsewhere too.

Whoever owns the database can cut the chain off, or hash it all anew. A head that was copied away meanwhile
(AUDIT_HEADS_FILE, one JSON object a line) then no longer fits it.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction

from calls.audit import keys
from calls.audit.chain import Break
from calls.events import canonical
from calls.locks import Lock, taken_for_this_transaction
from calls.models import AuditHead, Seal
from calls.timing import now

EVERY = timedelta(minutes=5)
LAST_BYTES = 8192  # of a file of heads: a line has about 700


def links_digest(digests: Iterable[bytes]) -> tuple[int, bytes]:
    """How many links, and SHA-256 of their digests, one after the other."""
    count, hashed = 0, hashlib.sha256()
    for digest in digests:
        count += 1
        hashed.update(digest)
    return count, hashed.digest()


def sign_head(*, at_once: bool = False) -> AuditHead | None:
    """Sign the links since the last head, if there are any and it is time; None while another process does.

    `at_once`: somebody needs the proof now.
    """
    with transaction.atomic():
        if not taken_for_this_transaction(Lock.HEADS):
            return None
        last = AuditHead.objects.order_by("-seq").first()
        if last and not at_once and now() - last.at < EVERY:
            return None
        return _sign(last)


def _sign(last: AuditHead | None) -> AuditHead | None:
    links = Seal.objects.filter(seq__gt=last.last_seal if last else 0).order_by("seq")
    newest = links.last()
    first = links.first()
    if newest is None or first is None:
        return None
    span = links.filter(seq__lte=newest.seq).values_list("digest", flat=True)
    count, digest = links_digest(bytes(one) for one in span.iterator())
    at = now()
    body = canonical(
        {
            "installation": settings.PATCHBAY_INSTALLATION,
            "at": at.isoformat(),
            "first_seal": first.seq,
            "last_seal": newest.seq,
            "links": count,
            "links_sha256": digest.hex(),
            "digest": bytes(newest.digest).hex(),
            "previous_head": hashlib.sha256(bytes(last.body)).hexdigest() if last else "",
        }
    )
    return AuditHead.objects.create(
        first_seal=first.seq, last_seal=newest.seq, at=at, body=body, signature=keys.sign(body)
    )


# ── kept elsewhere ───────────────────────────────────────────────────────────────────────────────


def line(head: AuditHead) -> str:
    """One head as it is kept and read again."""
    told = {
        "head": head.seq,
        "body": bytes(head.body).decode(),
        "signature": base64.b64encode(bytes(head.signature)).decode(),
        "public_key": base64.b64encode(keys.public_key()).decode(),
    }
    return json.dumps(told, sort_keys=True)


def tick() -> None:
    """The clock's: sign what is new; a file that lacks heads gets them."""
    sign_head()
    if settings.AUDIT_HEADS_FILE:
        export(Path(settings.AUDIT_HEADS_FILE))


def export(path: Path) -> int:
    """Append the heads that the file does not have; how many. Two clocks may share it."""
    with path.open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        newest, whole = _end(file)
        new = list(AuditHead.objects.filter(seq__gt=newest).order_by("seq"))
        if new and not whole:
            file.write(b"\n")
        for head in new:
            file.write(line(head).encode() + b"\n")
        return len(new)


def _end(file: BinaryIO) -> tuple[int, bool]:
    """The number of the last head of a file (0 if there is none), and whether its last line is whole.

    By its end alone: it grows for years. A line that is no head, as a full disk leaves one, is passed over: it
    stays for whoever compares the file, and the heads go on after it.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - LAST_BYTES))
    end = file.read()
    for text in reversed(end.decode(errors="replace").splitlines()):
        with suppress(ValueError, StopIteration):
            return next(read([text])).number, end.endswith(b"\n")
    return 0, not end or end.endswith(b"\n")


@dataclass(frozen=True)
class Kept:
    """A head as somebody kept it."""

    number: int
    body: bytes
    signature: bytes

    @property
    def says(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told


def read(lines: Iterable[str]) -> Iterator[Kept]:
    """Raises ValueError for a line that is no head."""
    for nth, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            told = json.loads(text)
            yield Kept(int(told["head"]), told["body"].encode(), base64.b64decode(told["signature"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"line {nth} is not a head of an audit chain") from error


# ── compared ─────────────────────────────────────────────────────────────────────────────────────


def stored() -> Iterator[Kept]:
    for head in AuditHead.objects.order_by("seq").iterator():
        yield Kept(head.seq, bytes(head.body), bytes(head.signature))


def compare(heads: Iterable[Kept]) -> tuple[int, Break | None]:
    """How many heads fit the chain as it is now, and the first that does not."""
    count, public = 0, keys.public_key()
    for head in heads:
        told = _misfit(head, public)
        if told:
            last = int(head.says.get("last_seal", 0)) if told != _FORGED else 0
            return count, Break("missing" if told == _CUT else "changed", last, None, told.format(n=head.number))
        count += 1
    return count, None


_FORGED = "Signed head {n} was not signed by this installation."
_CUT = "The chain lacks links that signed head {n} was made of: its end was cut off, or links were removed."
_OTHER = "The chain is not the one that signed head {n} was made of: it was hashed anew since."


def _misfit(head: Kept, public: bytes) -> str:
    if not keys.signed_by(public, head.body, head.signature):
        return _FORGED
    said = head.says
    links = Seal.objects.filter(seq__gte=said["first_seal"], seq__lte=said["last_seal"]).order_by("seq")
    count, digest = links_digest(bytes(one) for one in links.values_list("digest", flat=True).iterator())
    if count < said["links"]:
        return _CUT
    return "" if digest.hex() == said["links_sha256"] else _OTHER
