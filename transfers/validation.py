"""What people type about the roster and the phone line, checked with words that say what is wrong.

The gateway checks every dial once more (`calls.telephony.gateway.check_dial`); what passes here passes there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

LONGEST_ADDRESS = 200
DTMF = re.compile(r"[0-9*#A-Dw]{0,32}")
SIP_USER = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2}){1,128}")
SIP_PARAMETER = re.compile(r"[A-Za-z0-9._\-]{1,64}(?:=[A-Za-z0-9._\-]{1,64})?")
PORT = re.compile(r":(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])", re.ASCII)
CONTROL_ESCAPE = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")
HOST_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?")
HEADER_NAME = re.compile(r"[A-Za-z0-9\-]{1,64}")
# LiveKit and SIP write these themselves; a second one would confuse the carrier or redirect the call.
RESERVED_HEADERS = frozenset(
    {"via", "from", "to", "call-id", "cseq", "contact", "max-forwards", "route", "record-route"}
    | {"content-length", "content-type", "authorization", "proxy-authorization"}
)
PARTS_OF_THE_WORLD = frozenset(
    {"Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)
MOST_HEADERS = 20
LONGEST_HEADER = 256


def sip_uri(text: str) -> str:
    """ "sip:dana@example.com", scheme in small letters. Raises ValidationError with the reason."""
    if any(not ch.isprintable() or ch.isspace() for ch in text.strip(" ")):
        raise _not_sip(gettext("there are spaces, line breaks or control characters in it"))
    text = text.strip(" ")
    if not text:
        raise ValidationError(gettext("Enter a SIP address, for example sip:dana@example.com."), code="missing")
    if len(text) > LONGEST_ADDRESS:
        raise _not_sip(gettext("it is longer than %(longest)s characters") % {"longest": LONGEST_ADDRESS})
    if not text.isascii() or any(ch in '<>"\\^`{|}' for ch in text):
        raise _not_sip(gettext("there are characters in it that a SIP address must not have"))
    scheme, colon, rest = text.partition(":")
    if not colon or scheme.lower() not in ("sip", "sips"):
        raise _not_sip(gettext("it begins with sip: or sips:"))
    user, at, place = rest.partition("@")
    if not at or "@" in place:
        raise _not_sip(gettext("it has one @, between the user and the host"))
    if not SIP_USER.fullmatch(user) or CONTROL_ESCAPE.search(user):
        raise _not_sip(
            gettext("the part before the @ is empty, too long, or has characters that it must not have")
        )
    host, *parameters = place.split(";")
    _check_host_and_port(host)
    if not all(SIP_PARAMETER.fullmatch(parameter) for parameter in parameters):
        raise _not_sip(gettext("what follows the host after ; is name=value, and no headers"))
    return f"{scheme.lower()}:{rest}"


def _not_sip(why: str) -> ValidationError:
    return ValidationError(gettext("This is not a SIP address: %(why)s."), code="invalid", params={"why": why})


def _check_host_and_port(text: str) -> None:
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        known = bool(closed) and _is_ip(host, IPv6Address)
    else:
        host, colon, port = text.partition(":")
        known, port = is_host(host), colon + port
    if not known:
        raise _not_sip(gettext("the host is neither a name like pbx.example.com nor an IP address"))
    if port and not PORT.fullmatch(port):
        raise _not_sip(gettext("the port is a number from 1 to 65535"))


def _is_ip(text: str, kind: type[IPv4Address] | type[IPv6Address]) -> bool:
    try:
        kind(text)
    except AddressValueError:
        return False
    return "%" not in text


def is_host(text: str) -> bool:
    """A host name or an IPv4 address."""
    labels = text.rstrip(".").split(".")
    if len(text) > 128 or not all(HOST_LABEL.fullmatch(label) for label in labels):
        return False
    return not labels[-1].isdigit() or _is_ip(text, IPv4Address)


def host_and_port(text: str) -> str:
    """A trunk's "sip.example.com" or "sip.example.com:5061". Raises ValidationError."""
    host, colon, port = text.partition(":")
    if not is_host(host) or (colon and not PORT.fullmatch(colon + port)):
        raise ValidationError(
            gettext(
                "Enter a host name or address, with a port where it is not the usual one: sip.example.com:5061. "
                "No sip: in front."
            )
        )
    return text


def dtmf_digits(text: str) -> str:
    """Keys pressed after the answer. Raises ValidationError."""
    text = "".join(text.split())
    if not DTMF.fullmatch(text):
        raise ValidationError(gettext("Use digits, *, #, A to D and w (a pause of 0.5 s), 32 at most."))
    return text


@cache
def known_zones() -> frozenset[str]:
    """Every name of the tz database: read from its files, which takes a while."""
    return frozenset(available_timezones())


@cache
def time_zones() -> tuple[str, ...]:
    """The names that people know: Europe/Berlin, and UTC."""
    return ("UTC", *sorted(name for name in known_zones() if name.partition("/")[0] in PARTS_OF_THE_WORLD))


def time_zone(text: str) -> str:
    """A name of the tz database. Raises ValidationError."""
    if text not in known_zones():
        raise ValidationError(
            gettext("There is no time zone of this name. Choose one like Europe/Berlin, or UTC.")
        )
    return text


def sip_headers(value: Any) -> dict[str, str]:
    """Extra SIP headers, name to value. Raises ValidationError."""
    if not isinstance(value, Mapping):
        raise ValidationError(gettext("Headers are names with values."))
    if len(value) > MOST_HEADERS:
        raise ValidationError(gettext("At most %(most)s headers.") % {"most": MOST_HEADERS})
    for name, content in value.items():
        if not isinstance(name, str) or not HEADER_NAME.fullmatch(name):
            raise ValidationError(
                gettext("A header's name has only letters, digits and hyphens, for example X-Account.")
            )
        if name.lower() in RESERVED_HEADERS:
            raise ValidationError(
                gettext("%(name)s is written by LiveKit and cannot be set here.") % {"name": name}
            )
        if not isinstance(content, str) or not content.isprintable() or not 0 < len(content) <= LONGEST_HEADER:
            raise ValidationError(
                gettext("The value of %(name)s is one line of at most %(longest)s characters.")
                % {"name": name, "longest": LONGEST_HEADER}
            )
    return dict(value)
