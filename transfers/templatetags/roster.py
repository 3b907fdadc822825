"""What the roster's pages need in their templates."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from calls.admin_listen import button
from transfers import validation

register = template.Library()


@register.simple_tag
def time_zones() -> tuple[str, ...]:
    """The names that people know."""
    return validation.time_zones()


@register.simple_tag
def listen_button(of: str, what: str) -> SafeString:
    """Speaks the text of the element with this id."""
    return button(of=of, what=what)
