"""Where webhooks may be sent."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from calls.outgoing.sender import is_public
from calls.validation import webhook_address

PRIVATE = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
    *("224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1"),
)
PUBLIC = ("8.8.8.8", "93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_out_in_the_internet_is_private(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_out_there_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "wrong", ["", "example.com", "ftp://example.com", "https://", "https://a:b@example.com", "https://e.com:99999"]
)
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        webhook_address(wrong)


def test_plain_http_is_for_private_houses_only(settings: Any) -> None:
    settings.PRIVATE_WEBHOOKS = False
    assert webhook_address(" https://example.com/hooks?a=1 ") == "https://example.com/hooks?a=1"
    with pytest.raises(ValidationError, match="https"):
        webhook_address("http://example.com/hooks")
    settings.PRIVATE_WEBHOOKS = True
    assert webhook_address("http://127.0.0.1:9/hooks") == "http://127.0.0.1:9/hooks"
