"""From a trunk's row to what the gateway dials with. The password comes from the environment."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings

from calls.telephony.gateway import InlineTrunk, StoredTrunk
from transfers.models import Endpoint, Trunk


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
        password=settings.SIP_AUTH_PASSWORD if trunk.auth_username else "",
        sip_number=trunk.sip_number,
        headers=trunk.headers,
    )
