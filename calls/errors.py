"""What services say when they will not do a thing."""

from __future__ import annotations


class Refused(Exception):
    """A person's action is not possible (any more). The message is a sentence for that person."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
