"""LiveKit dials a SIP address as a user over a trunk to its host: it refuses a whole URI."""

from __future__ import annotations

from calls.telephony.gateway import DialRequest, InlineTrunk, Permanent, StoredTrunk

TRANSPORTS = ("udp", "tcp", "tls")


def what_to_dial(request: DialRequest) -> tuple[str, StoredTrunk | InlineTrunk]:
    """The number or user to call, and the trunk to call it over.

    `sip:dana@pbx.example.com:5070;transport=tcp` becomes the user over an inline trunk to that host. A trunk's
    log-in is for its own host, so it goes along only to the same one. `request.to` has been checked. Raises
    `Permanent` where the trunk has no number to call from.
    """
    scheme, colon, rest = request.to.partition(":")
    if not colon:
        return request.to, request.trunk
    if not request.trunk.sip_number:
        raise Permanent("a SIP address needs a trunk with a number to call from", code="invalid_argument")
    user, _, place = rest.partition("@")
    host, *parameters = place.split(";")
    given = dict(parameter.lower().partition("=")[::2] for parameter in parameters)
    transport = "tls" if scheme == "sips" else given.get("transport", "auto")
    trunk = request.trunk
    same = isinstance(trunk, InlineTrunk) and trunk.hostname == host
    return user, InlineTrunk(
        hostname=host,
        sip_number=trunk.sip_number,
        transport=transport if transport in TRANSPORTS else "auto",
        username=trunk.username if same and isinstance(trunk, InlineTrunk) else "",
        password=trunk.password if same and isinstance(trunk, InlineTrunk) else "",
        headers=trunk.headers,
    )
