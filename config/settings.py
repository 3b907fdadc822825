"""Django's settings: everything that differs between installations comes from the environment."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy

from calls.agents import logs
from config import env

env.load_state()

BASE_DIR = env.ROOT
SECRET_KEY = env.required("PATCHBAY_SECRET_KEY")
ENCRYPTION_KEYS = env.keys("PATCHBAY_ENCRYPTION_KEYS")
PATCHBAY_INSTALLATION = env.text("PATCHBAY_INSTALLATION")
PATCHBAY_DEMO = env.flag("PATCHBAY_DEMO")
PATCHBAY_CONSOLE_URL = env.text("PATCHBAY_CONSOLE_URL")
PATCHBAY_STATE = env.state_dir()
DEBUG = False
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS")
HTTPS = env.flag("PATCHBAY_HTTPS")

DATABASES = {
    "default": env.database(env.required("DATABASE_URL"))
    | {
        "CONN_HEALTH_CHECKS": True,  # a pooled connection may be from before PostgreSQL's restart
        "OPTIONS": {
            "pool": {"min_size": 1, "max_size": 12, "timeout": 5},
            "connect_timeout": 5,
            # No page may take every core from the calls; and parallel workers read on when a page is full.
            "options": "-c max_parallel_workers_per_gather=0",
        },
        "TEST": {"NAME": env.text("PATCHBAY_TEST_DATABASE")},
    }
}
VALKEY_URL = env.required("VALKEY_URL")

LIVEKIT_URL = env.required("LIVEKIT_URL")
LIVEKIT_API_URL = env.text("LIVEKIT_API_URL", LIVEKIT_URL)
LIVEKIT_API_KEY = env.required("LIVEKIT_API_KEY")
LIVEKIT_API_SECRET = env.required("LIVEKIT_API_SECRET")
AGENT_NAME = env.text("AGENT_NAME", f"patchbay-{PATCHBAY_INSTALLATION}")
SUPPORT_AGENT_NAME = env.text("SUPPORT_AGENT_NAME", AGENT_NAME)
TASK_DIAL_ALLOW = env.items("TASK_DIAL_ALLOW")
MERGE_STRATEGY = env.choice("MERGE_STRATEGY", "auto", "relay", "move", "rejoin")
RETENTION_DAYS = env.number("RETENTION_DAYS")
AUDIT_HEADS_FILE = env.text("AUDIT_HEADS_FILE")
REHEARSE_AT = env.time_of_day("REHEARSE_AT")
REHEARSE_NUMBER = env.text("REHEARSE_NUMBER")
CARRIER_URL = env.text("CARRIER_URL")
PRIVATE_WEBHOOKS = PATCHBAY_DEMO or env.flag("PATCHBAY_PRIVATE_WEBHOOKS")
SIP_TRUNK_ID = env.text("SIP_TRUNK_ID")
SIP_TRUNK_HOSTNAME = env.text("SIP_TRUNK_HOSTNAME")
SIP_AUTH_USERNAME = env.text("SIP_AUTH_USERNAME")
SIP_AUTH_PASSWORD = env.text("SIP_AUTH_PASSWORD")
SIP_NUMBER = env.text("SIP_NUMBER")

INSTALLED_APPS = [
    "daphne",
    "unfold.apps.BasicAppConfig",
    "config.admin_app.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",  # full text
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "ninja",  # the page of its API, without a CDN
    "django_prometheus",
    "calls",
    "transfers",
]
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "calls.middleware.EnglishForPrograms",
    "calls.middleware.ContentSecurityPolicy",
    "django_htmx.middleware.HtmxMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                *(["calls.context.console"] if find_spec("calls.context") else []),
            ],
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "wallboard"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 12
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "static/"
COLLECTED = env.text("PATCHBAY_STATIC_ROOT")
STATIC_ROOT = Path(COLLECTED) if COLLECTED else PATCHBAY_STATE / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not COLLECTED

CELERY_BROKER_URL = VALKEY_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_WORKER_POOL = "threads"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
# A hint must not hold up the person who clicked: publishing to a dead Valkey gives up at once.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 0.1,
    "max_retries": 0,
    "retry_on_timeout": False,
}

LOGGING = logs.configuration(level=env.text("LOG_LEVEL"), form=env.choice("LOG_FORMAT", "text", "json")) | {
    "loggers": {
        "django.channels.server": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "aiohttp.access": {"level": "WARNING"},
    },
}

UNFOLD = {
    "SITE_TITLE": gettext_lazy("Patchbay administration"),
    "SITE_HEADER": "Patchbay",
    "SITE_SUBHEADER": gettext_lazy("Administration"),
    "SITE_SYMBOL": "settings_phone",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {"show_search": False, "navigation": "config.admin_site.navigation"},
    "STYLES": ["config.admin_site.stylesheet"],
    "BORDER_RADIUS": "6px",
    "COLORS": {  # the console's blue
        "primary": {
            "50": "#eff6ff",
            "100": "#dbeafe",
            "200": "#bfdbfe",
            "300": "#93c5fd",
            "400": "#60a5fa",
            "500": "#4da3ff",
            "600": "#1f6fd6",
            "700": "#1a5cb3",
            "800": "#1b4b8f",
            "900": "#1c3f73",
            "950": "#142848",
        }
    },
}
