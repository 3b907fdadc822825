from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path

login = login_not_required(auth.LoginView.as_view(redirect_authenticated_user=True))

urlpatterns = [
    path("login", login, name="login"),
    path("logout", auth.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("", include("calls.urls")),
    path("", include("transfers.urls")),
]
