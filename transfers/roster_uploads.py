"""A file of managers between its preview and being applied."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from calls.errors import Refused
from calls.timing import now
from transfers.models import RosterUpload

KEPT = timedelta(hours=1)
GONE = gettext_noop("The file is not here any more: nothing was changed. Choose it again.")


def keep(content: bytes) -> str:
    """Its token."""
    RosterUpload.objects.filter(at__lt=now() - KEPT).delete()
    return RosterUpload.objects.create(token=secrets.token_urlsafe(24), content=content, at=now()).token


def content_of(token: str) -> bytes:
    """Raises Refused."""
    found = RosterUpload.objects.filter(token=token, at__gte=now() - KEPT).first()
    if found is None:
        raise Refused(gettext(GONE))
    return bytes(found.content)


@transaction.atomic
def take(token: str) -> bytes:
    """The same, once: two clicks apply a file once. Raises Refused."""
    content = content_of(token)
    if not RosterUpload.objects.filter(token=token).delete()[0]:
        raise Refused(gettext(GONE))
    return content
