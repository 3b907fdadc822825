"""The key that signs heads: Ed25519, derived from the installation's secret, so it is in no database."""

from __future__ import annotations

from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"patchbay audit head"


def _private() -> Ed25519PrivateKey:
    return _derived(settings.SECRET_KEY)


@cache
def _derived(secret: str) -> Ed25519PrivateKey:
    seed = HKDF(SHA256(), 32, salt=None, info=PURPOSE).derive(secret.encode())
    return Ed25519PrivateKey.from_private_bytes(seed)


def sign(body: bytes) -> bytes:
    return _private().sign(body)


def public_key() -> bytes:
    """32 bytes: whoever keeps them elsewhere can tell our signatures from anybody's."""
    return _private().public_key().public_bytes_raw()


def signed_by(public: bytes, body: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, body)
    except InvalidSignature:
        return False
    return True
