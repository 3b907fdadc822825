"""From a trunk's row to what the gateway dials with: its password is decrypted here, for this dial alone."""

from __future__ import annotations

import logging
from dataclasses import replace

from django.conf import settings

from calls.kept_secrets import Unreadable, decrypt
from calls.telephony.gateway import InlineTrunk, StoredTrunk
from transfers.models import Endpoint, Trunk

logger = logging.getLogger(__name__)


def line_to(endpoint: Endpoint) -> StoredTrunk | InlineTrunk:
    """The endpoint's trunk, else the default one, with the endpoint's own headers."""
    trunk = line_over(endpoint.trunk)
    return replace(trunk, headers={**trunk.headers, **endpoint.headers})


def line_over(trunk: Trunk | None) -> StoredTrunk | InlineTrunk:
    """This trunk, else the default one."""
    return trunk_of(trunk or Trunk.objects.filter(is_default=True).first())


def trunk_of(trunk: Trunk | None) -> StoredTrunk | InlineTrunk:
    """The row's trunk, or without one the trunk of the environment (SIP_TRUNK_ID, SIP_TRUNK_HOSTNAME…)."""
    if trunk is None:
        if settings.SIP_TRUNK_ID:
            return StoredTrunk(id=settings.SIP_TRUNK_ID, sip_number=settings.SIP_NUMBER)
        return InlineTrunk(
            hostname=settings.SIP_TRUNK_HOSTNAME,
            username=settings.SIP_AUTH_USERNAME,
            password=settings.SIP_AUTH_PASSWORD,
            sip_number=settings.SIP_NUMBER,
        )
    if trunk.kind == Trunk.Kind.STORED:
        return StoredTrunk(id=trunk.trunk_id, sip_number=trunk.sip_number, headers=trunk.headers)
    return InlineTrunk(
        hostname=trunk.hostname,
        transport=trunk.transport,
        username=trunk.auth_username,
        password=_password(trunk),
        sip_number=trunk.sip_number,
        headers=trunk.headers,
    )


def _password(trunk: Trunk) -> str:
    """Its own, else the environment's. One that cannot be read is none: the carrier says if it needs it."""
    if not trunk.auth_username:
        return ""
    if not trunk.auth_password:
        return settings.SIP_AUTH_PASSWORD
    try:
        return decrypt(trunk.auth_password)
    except Unreadable:
        logger.error("a phone line's password cannot be read: see Status")
        return ""
