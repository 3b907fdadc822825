"""Why a rehearsal did not happen, or went no further."""

from __future__ import annotations


class CannotRehearse(Exception):
    """It cannot begin; the message is one line that says what to do."""


class Stuck(Exception):
    """What had to come did not come in time; the message says what, and is a problem of the report."""
