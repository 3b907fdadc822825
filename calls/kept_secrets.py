"""Secrets that have to be told on, as a phone line's password to its carrier: encrypted, the key kept elsewhere.

The keys are derived from PATCHBAY_ENCRYPTION_KEYS, newest first, and from the installation's own secret. The first
one encrypts, each of them decrypts.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"patchbay kept secret"


class Unreadable(Exception):
    """It was encrypted under a key that is not here."""


def encrypt(secret: str) -> str:
    """A text to be stored; of the same secret another one each time."""
    return _keys().encrypt(secret.encode()).decode()


def decrypt(stored: str) -> str:
    """The secret, to be used at once. Raises Unreadable."""
    try:
        return _keys().decrypt(stored.encode()).decode()
    except InvalidToken:
        raise Unreadable from None


def _keys() -> MultiFernet:
    return _derived((*settings.ENCRYPTION_KEYS, settings.SECRET_KEY))


@cache
def _derived(secrets: Sequence[str]) -> MultiFernet:
    seeds = (HKDF(SHA256(), 32, salt=None, info=PURPOSE).derive(secret.encode()) for secret in secrets)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(seed)) for seed in seeds])
