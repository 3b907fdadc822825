"""Numbers, SIP addresses, profiles: what is refused and why, and that what passes here passes the last door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from calls import validation as calls
from calls.telephony import gateway
from transfers import validation as transfers


def refusal(check: Callable[[Any], Any], value: object) -> str:
    with pytest.raises(ValidationError) as refused:
        check(value)
    return " ".join(refused.value.messages)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("+12025550100", "+12025550100"),
        (" +1 (202) 555-0100 ", "+12025550100"),
        ("+44 20 7946 0958", "+442079460958"),
        ("+49 30/23125-000", "+493023125000"),
    ],
)
def test_a_number_is_kept_in_e164(typed: str, kept: str) -> None:
    assert calls.phone_number(typed) == kept


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Enter a phone number"),
        ("202 555 0100", "begin with + and a country code"),
        ("+999 1234567", "country code"),
        ("+1 202 555", "too short for its country"),
        ("+1 202 555 0100 0000", "too long for its country"),
        ("call me", "not a phone number"),
        ("+1 202 555 0100 ext 5", "extension does not belong here"),
        ("+12025550100\r\nX-Evil: 1", "characters in it"),
        ("+12025550100;phone-context=x", "characters in it"),
        ("٣٣٣", "characters in it"),
    ],
)
def test_a_number_is_refused_with_the_reason(typed: str, why: str) -> None:
    assert why in refusal(calls.phone_number, typed)


@given(st.text(max_size=40))
def test_what_passes_as_a_number_can_be_dialled(text: str) -> None:
    try:
        number = calls.phone_number(text)
    except ValidationError:
        return
    assert gateway.E164.fullmatch(number)


@pytest.mark.parametrize(
    "uri",
    [
        "sip:dana@example.com",
        "sips:d.ana-1@pbx.example.com:5061;transport=tls",
        "sip:+12025550100@10.0.0.1",
        "sip:1000@[2001:db8::1]:5060",
        "sip:a%20b@example.com",
    ],
)
def test_a_sip_address_passes_here_and_at_the_last_door(uri: str) -> None:
    assert transfers.sip_uri(uri) == uri
    assert gateway.SIP_URI.fullmatch(uri)


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("", "Enter a SIP address"),
        ("dana@example.com", "begins with sip:"),
        ("http:dana@example.com", "begins with sip:"),
        ("sip:example.com", "one @"),
        ("sip:a@b@example.com", "one @"),
        ("sip:@example.com", "before the @"),
        ("sip:dana@", "host"),
        ("sip:dana@exa_mple", "host"),
        ("sip:dana@300.1.1.1", "host"),
        ("sip:dana@[::1", "host"),
        ("sip:dana@[::1]x", "port"),
        ("sip:dana@example.com:0", "port"),
        ("sip:dana@example.com:99999", "port"),
        ("sip:dana@example.com\r\nVia: evil", "line breaks"),
        ("sip:dana@example.com\n", "line breaks"),
        ("sip:dana@example.com\x00", "control"),
        ("sip:da%0d%0aVia@example.com", "before the @"),
        ("sip:dana@example.com?Route=evil", "host"),
        ("sip:dana@example.com;x=1?Route=evil", "no headers"),
        ("<sip:dana@example.com>", "must not have"),
        ("sip:dänä@example.com", "must not have"),
        ("sip:" + "a" * 300 + "@example.com", "longer"),
    ],
)
def test_a_sip_address_is_refused_with_the_reason(uri: str, why: str) -> None:
    assert why in refusal(transfers.sip_uri, uri)


@given(st.text(alphabet="sip:@a1.%0dA;=?[]:\r\n <>-_/", max_size=30).map(lambda text: f"sip:{text}"))
def test_what_passes_as_a_sip_address_can_be_dialled(text: str) -> None:
    try:
        uri = transfers.sip_uri(text)
    except ValidationError:
        return
    assert gateway.SIP_URI.fullmatch(uri)
    assert "\r" not in uri
    assert "\n" not in uri


def test_keys_zones_hosts_and_headers() -> None:
    assert transfers.dtmf_digits("ww12 34#") == "ww1234#"
    for wrong in ("12,34", "E", "1" * 33):
        assert "Use digits" in refusal(transfers.dtmf_digits, wrong)
    assert transfers.time_zone("Europe/Berlin") == "Europe/Berlin"
    assert "no time zone" in refusal(transfers.time_zone, "Europe/Atlantis")
    assert {"UTC", "Europe/Berlin", "America/New_York"} <= set(transfers.time_zones())
    assert transfers.host_and_port("sip.example.com:5061") == "sip.example.com:5061"
    for wrong in ("sip:example.com", "example.com:0", "a b", "", "example.com\n"):
        assert "Enter a host name" in refusal(transfers.host_and_port, wrong)
    assert transfers.sip_headers({"X-Account": "7"}) == {"X-Account": "7"}
    for headers in ({"X Account": "7"}, {"Via": "x"}, {"X-A": "1\r\n2"}, {"X-A": 7}, ["X-A"]):
        refusal(transfers.sip_headers, headers)


def test_facts_are_a_table_with_each_key_once() -> None:
    whole = calls.profile_facts([{"key": "name", "label": " Name "}])
    assert whole == [{"key": "name", "label": "Name", "required": False, "may_be_spoken": True}]
    assert calls.fact_key("Account number (6 digits)") == "account_number_6_digits"
    for facts, why in (
        ({"key": "name"}, "are a list"),
        ([{"key": "name", "label": "N"}, {"key": "name", "label": "M"}], "Two facts have the key “name”"),
        ([{"key": "Name", "label": "N"}], "Fact 1: its key begins"),
        ([{"key": "name", "label": ""}], "Fact 1: give it a label"),
        ([{"key": "name", "label": "N", "colour": 1}], "nothing else"),
        ([{"key": "name", "label": "N", "required": "no"}], "yes or no"),
        (["name"], "nothing else"),
        ([{"key": f"k{n}", "label": "N"} for n in range(21)], "too many"),
    ):
        assert why in refusal(calls.profile_facts, facts)


def test_sections_and_lines() -> None:
    assert calls.profile_sections(["facts", "who"]) == ["facts", "who"]
    assert "no section “mood”" in refusal(calls.profile_sections, ["mood"])
    assert "once" in refusal(calls.profile_sections, ["who", "who"])
    assert calls.profile_lines([" This call is recorded. ", ""]) == ["This call is recorded."]
    for wrong in ("text", [1], ["x"] * 11, ["x" * 501]):
        refusal(calls.profile_lines, wrong)
