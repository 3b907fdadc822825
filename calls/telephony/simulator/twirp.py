"""Twirp as LiveKit speaks it: messages in protobuf or JSON, and errors with its codes, statuses and metadata."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TypeVar

from aiohttp import web
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from google.protobuf.message import DecodeError, Message
from livekit.protocol import sip

M = TypeVar("M", bound=Message)

HTTP_STATUS: Mapping[str, int] = {
    "canceled": 408,
    "invalid_argument": 400,
    "deadline_exceeded": 408,
    "not_found": 404,
    "permission_denied": 403,
    "unauthenticated": 401,
    "resource_exhausted": 429,
    "failed_precondition": 412,
    "aborted": 409,
    "internal": 500,
    "unavailable": 503,
}
GRPC_CODE = {
    "canceled": 1,
    "invalid_argument": 3,
    "deadline_exceeded": 4,
    "not_found": 5,
    "permission_denied": 7,
    "resource_exhausted": 8,
    "failed_precondition": 9,
    "aborted": 10,
    "unauthenticated": 16,
}
# livekit/protocol: sipCodeToGRPCCode, for what phones and trunks answer; the rest by its hundreds.
CODE_OF_SIP: Mapping[int, str] = {
    401: "permission_denied",
    402: "permission_denied",
    403: "permission_denied",
    404: "not_found",
    407: "unauthenticated",
    408: "deadline_exceeded",
    410: "not_found",
    412: "failed_precondition",
    480: "resource_exhausted",
    486: "resource_exhausted",
    487: "aborted",
    491: "aborted",
    504: "deadline_exceeded",
    600: "resource_exhausted",
    603: "permission_denied",
    604: "not_found",
    607: "permission_denied",
    608: "permission_denied",
}
WORDS_OF_SIP: Mapping[int, str] = {
    404: "Not Found",
    408: "Request Timeout",
    480: "Temporarily Unavailable",
    486: "Busy Here",
    487: "Request Terminated",
    503: "Service Unavailable",
    600: "Busy Everywhere",
    603: "Decline",
}
FRAME = "twirp error unknown: "  # how LiveKit passes on what its SIP service said


class TwirpError(Exception):
    def __init__(self, code: str, message: str, meta: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.meta = code, message, dict(meta or {})

    @property
    def status(self) -> int:
        return HTTP_STATUS.get(self.code, 500)

    def response(self) -> web.Response:
        body: dict[str, object] = {"code": self.code, "msg": self.message}
        if self.meta:
            body["meta"] = self.meta
        return web.json_response(body, status=self.status)


def sip_error(status: int, **meta: str) -> TwirpError:
    """A phone's or trunk's refusal, as LiveKit reports it; `livekit.api` makes a `SipCallError` of it."""
    words = WORDS_OF_SIP.get(status, "")
    by_hundreds = "failed_precondition" if 500 <= status < 600 else "invalid_argument"
    code = CODE_OF_SIP.get(status, by_hundreds)
    details = {
        "sip_status_code": str(status),
        "sip_status": words,
        "error_details": _details(code, status, words),
    }
    return TwirpError(code, f"{FRAME}sip status: {status}: {words}", details | meta)


def _details(code: str, status: int, words: str) -> str:
    """A google.rpc.Status with the SIP status in it; written by hand, its package is none of ours."""
    packed = AnyMessage()
    packed.Pack(sip.SIPStatus(code=sip.SIPStatusCode.Name(status), status=words))
    message = f"sip status {status}: {words}".encode()
    number = bytes([GRPC_CODE[code]])
    whole = b"\x08" + number + b"\x12" + _sized(message) + b"\x1a" + _sized(packed.SerializeToString())
    return base64.b64encode(whole).decode()


def _sized(value: bytes) -> bytes:
    assert len(value) < 128  # one byte of length
    return bytes([len(value)]) + value


def is_json(request: web.Request) -> bool:
    return request.content_type == "application/json"


async def read(request: web.Request, kind: type[M]) -> M | None:
    """The request's message; None if it cannot be read."""
    body = await request.read()
    try:
        if is_json(request):
            return Parse(body, kind(), ignore_unknown_fields=True)
        return kind.FromString(body) if request.content_type == "application/protobuf" else None
    except (ParseError, DecodeError, UnicodeDecodeError):
        return None


def answer(request: web.Request, message: Message) -> web.Response:
    if is_json(request):
        text = MessageToJson(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
        return web.Response(text=text, content_type="application/json")
    return web.Response(body=message.SerializeToString(), content_type="application/protobuf")
