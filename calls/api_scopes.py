"""What an API key may do: each scope stands for what a person needs a permission for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SCOPES: Final[Mapping[str, str]] = {
    "calls:read": "See calls and departments",
    "calls:number": "See full phone numbers, not only the last four digits",
    "calls:transcript": "Read transcripts, reasons and briefings",
    "transfers:read": "See transfers and their attempts",
    "transfers:request": "Ask for a transfer",
    "transfers:decide": "Approve and decline",
    "transfers:cancel": "Cancel",
    "presence:read": "See managers and whether they can be called",
    "presence:write": "Set whether a manager can be called",
    "webhooks:replay": "Have events sent to a webhook again",
}
