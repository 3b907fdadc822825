"""The page that shows a secret: the answer to its making, kept by no cache, no cookie and no log."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse


def show_once(admin: ModelAdmin[Any], request: HttpRequest, *, title: str, secret: str) -> HttpResponse:
    meta = admin.model._meta
    context = {
        **admin.admin_site.each_context(request),
        "opts": meta,
        "title": title,
        "secret": secret,
        "back": reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"),
    }
    return TemplateResponse(request, "admin/secret_once.html", context)
