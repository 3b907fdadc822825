"""Ids as LiveKit makes them: a prefix and twelve characters that are not mistaken for each other."""

from __future__ import annotations

import secrets

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def new(prefix: str) -> str:
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(12))
