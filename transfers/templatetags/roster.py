"""What the roster's pages need in their templates."""

from __future__ import annotations

from django import template

from transfers import validation

register = template.Library()


@register.simple_tag
def time_zones() -> tuple[str, ...]:
    """The names that people know."""
    return validation.time_zones()
