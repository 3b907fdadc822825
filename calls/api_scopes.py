"""What an API key may do: each scope stands for what a person needs a permission for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_noop

SCOPES: Final[Mapping[str, str]] = {
    "calls:read": gettext_noop("See calls and departments"),
    "calls:number": gettext_noop("See full phone numbers, not only the last four digits"),
    "calls:transcript": gettext_noop("Read transcripts, reasons and briefings"),
    "transfers:read": gettext_noop("See transfers and their attempts"),
    "transfers:request": gettext_noop("Ask for a transfer"),
    "transfers:decide": gettext_noop("Approve and decline"),
    "transfers:cancel": gettext_noop("Cancel"),
    "presence:read": gettext_noop("See managers and whether they can be called"),
    "presence:write": gettext_noop("Set whether a manager can be called"),
    "webhooks:replay": gettext_noop("Have events sent to a webhook again"),
}
