"""Names our administration site as Django's default; kept apart because apps are listed before models load."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AdminConfig(DjangoAdminConfig):
    default_site = "config.admin_site.AdministrationSite"
