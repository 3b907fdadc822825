"""Every address of the console: the apps own their pages, this file only joins them."""

from __future__ import annotations

from importlib.util import find_spec

from django.contrib import admin
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path

from calls import webhooks
from calls.views.catalogue import catalogue
from transfers.api import api

login = login_not_required(auth.LoginView.as_view(redirect_authenticated_user=True))

urlpatterns: list[URLPattern | URLResolver] = [
    path("login", login, name="login"),
    path("logout", auth.LogoutView.as_view(), name="logout"),
    path("jsi18n/", catalogue, name="jsi18n"),
    path("webhooks/livekit", webhooks.livekit, name="livekit_webhook"),
    path("api/v1/", api.urls()),
    path("admin/", admin.site.urls),
]
for app in ("calls", "transfers"):
    if find_spec(f"{app}.urls"):
        urlpatterns.append(path("", include(f"{app}.urls")))
