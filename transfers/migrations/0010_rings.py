"""Numbers that somebody had rung from the administration."""

import django.db.models.deletion
import uuid6
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("transfers", "0009_named_by_code"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Ring",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                ("request_key", models.UUIDField(help_text="A repeated click is one ring.", unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("asked", "Asked for"), ("ringing", "Dialled"), ("ended", "Over")],
                        default="asked",
                        max_length=8,
                    ),
                ),
                ("address", models.CharField(blank=True, help_text="Forgotten when it is over.", max_length=200)),
                ("last4", models.CharField(blank=True, max_length=4)),
                ("asked_at", models.DateTimeField()),
                ("dialled_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(blank=True, help_text="answered, or an attempt's outcome.", max_length=20),
                ),
                ("sip_status", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "detail",
                    models.CharField(
                        blank=True, help_text="The carrier's or LiveKit's own words.", max_length=200
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="transfers.endpoint",
                    ),
                ),
                (
                    "trunk",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="transfers.trunk",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
    ]
