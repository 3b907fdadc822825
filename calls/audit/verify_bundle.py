#!/usr/bin/env python3
"""Verifies a bundle of one transfer without Patchbay: `python3 verify_bundle.py BUNDLE.zip [--public-key HEX]`.

Needs Python 3.9 and nothing else; with the `cryptography` package it checks the signatures too. Says what holds
and exits 0, or names the first thing that does not and exits 1.

What is checked: each event's bytes hash to its link of the chain; its words, where they are there, are those it
was recorded with; each link stands in the list of links that a signed head was made of; and the head is signed by
the key that the bundle names, which you compare with the one you were given (`--public-key`).
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
import zipfile
from typing import Any


class DoesNotHold(Exception):
    """The message is for whoever runs this."""


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def check_event(event: dict[str, Any]) -> bool:
    body, link = event["body"].encode(), event["link"]
    name = f"event {event['event']}"
    payload = event.get("payload")
    if payload is not None:
        digest = sha256(base64.b64decode(payload["salt"]) + payload["body"].encode()).hex()
        if digest != json.loads(body)["payload"]:
            raise DoesNotHold(f"The words of {name} are not those that it was recorded with.")
    if link is None:
        return False
    if sha256(bytes.fromhex(link["previous"]) + body).hex() != link["digest"]:
        raise DoesNotHold(f"{name.capitalize()} is not what was sealed.")
    return True


def check_head(proof: dict[str, Any]) -> list[str]:
    said: dict[str, Any] = json.loads(proof["body"])
    digests: list[str] = proof["digests"]
    name = f"head {proof['head']}"
    if len(digests) != said["links"]:
        raise DoesNotHold(f"The proof has {len(digests)} links, and {name} was made of {said['links']}.")
    if sha256(b"".join(map(bytes.fromhex, digests))).hex() != said["links_sha256"]:
        raise DoesNotHold(f"The links of the proof are not those that {name} was made of.")
    if digests[-1] != said["digest"]:
        raise DoesNotHold(f"The newest link of {name} is not the one that it names.")
    return digests


def check_places(events: list[dict[str, Any]], chains: list[list[str]]) -> None:
    """Each link is in a head's list, right after the link that it follows."""
    after: dict[str, str | None] = {}
    for digests in chains:
        after.update(zip(digests[1:], digests))  # noqa: B905  (Python 3.9 has no `strict`)
        after.setdefault(digests[0], None)  # what it follows is the end of the head before
    for event in events:
        link = event["link"]
        if link is None:
            continue
        if link["digest"] not in after:
            raise DoesNotHold(f"Event {event['event']} is in no signed part of the chain.")
        if after[link["digest"]] not in (None, link["previous"]):
            raise DoesNotHold(f"Event {event['event']} does not follow the link that it says.")


def check_signatures(proofs: list[dict[str, Any]], wanted: str) -> bool:
    """Whether they could be checked: not without the `cryptography` package."""
    for proof in proofs:
        if wanted and base64.b64decode(proof["public_key"]).hex() != wanted.lower():
            raise DoesNotHold("The heads are signed by another key than the one you gave.")
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return False
    for proof in proofs:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(proof["public_key"]))
        try:
            key.verify(base64.b64decode(proof["signature"]), proof["body"].encode())
        except InvalidSignature:
            raise DoesNotHold(f"Head {proof['head']} is not signed by the key that it names.") from None
    return True


def lines(bundle: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in bundle.read(name).decode().splitlines() if line]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bundle")
    parser.add_argument("--public-key", default="", metavar="HEX", help="as the audit page shows it")
    options = parser.parse_args()
    try:
        with zipfile.ZipFile(options.bundle) as bundle:
            events, proofs = lines(bundle, "events.jsonl"), lines(bundle, "proof.jsonl")
        sealed = sum(check_event(event) for event in events)
        check_places(events, [check_head(proof) for proof in proofs])
        signed = check_signatures(proofs, options.public_key)
    except DoesNotHold as told:
        print(f"DOES NOT HOLD: {told}")
        return 1
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        print(f"This is no whole bundle: {error}")
        return 2
    print(f"{sealed} of {len(events)} events hold, under {len(proofs)} signed heads.")
    if sealed < len(events):
        print(f"{len(events) - sealed} events were too new to be sealed.")
    if not signed:
        print("The signatures were not checked: install the Python package `cryptography` for that.")
    elif not options.public_key:
        print(f"Signed by {base64.b64decode(proofs[0]['public_key']).hex() if proofs else 'nobody'}: compare it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
