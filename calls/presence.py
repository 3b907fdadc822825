"""Whether somebody who may decide has a page open: by rows in the database, so that Valkey may be lost."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import User

from calls.access import scope_of
from calls.models import OpenPage
from calls.services.watch import web_was_there
from calls.timing import now

RENEW_SECONDS = 4.0
GRACE = timedelta(seconds=10)  # a page that is loaded again, or a browser that was offline for a moment
FORGET_AFTER = timedelta(minutes=1)
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


def page_open(page_id: UUID, user_id: int) -> None:
    """A live socket's beat. Its closing is no fact of its own: it is not renewed any more."""
    OpenPage.objects.update_or_create(pk=page_id, defaults={"user_id": user_id, "seen_at": now()})


def anybody_may(permission: str, *, departments: Collection[int | None]) -> bool:
    """Whether an account with `permission` that sees one of `departments` has, or just had, a page open.

    Without a web process nobody can be seen, and that proves nothing: then somebody is assumed.
    """
    if not web_was_there():
        return True
    seen = OpenPage.objects.filter(seen_at__gt=now() - GRACE).values("user_id")
    able = User.objects.with_perm(permission, backend=MODEL_BACKEND).filter(pk__in=seen)
    return any(scope_of(user).covers(department) for user in able for department in departments)


def forget_closed() -> None:
    OpenPage.objects.filter(seen_at__lt=now() - FORGET_AFTER).delete()
