"""What the history is searched by, and who took it away."""

import django.db.models.deletion
import django.db.models.expressions
import uuid6
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0018_search"),
        ("transfers", "0013_roster"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoryExport",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                ("form", models.CharField(choices=[("csv", "CSV"), ("jsonl", "JSON Lines")], max_length=5)),
                (
                    "filters",
                    models.JSONField(default=list, help_text="By what was filtered, not for what."),
                ),
                ("asked_at", models.DateTimeField()),
                ("told_at", models.DateTimeField(help_text="When it was last heard of.")),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("whole", models.BooleanField(default=False, help_text="Every row was sent.")),
                ("rows", models.PositiveBigIntegerField(default=0, help_text="Sent so far.")),
                (
                    "about",
                    models.PositiveBigIntegerField(
                        default=0, help_text="How many there are, as PostgreSQL guesses."
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ("-asked_at",),
            },
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("outcome", ""), _negated=True), fields=["outcome"], name="attempt_by_outcome"
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("sip_status__isnull", False)), fields=["sip_status"], name="attempt_by_sip"
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("kind", "cold")), fields=["-requested_at", "-id"], name="transfer_cold"
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("requested_by__isnull", False)),
                fields=["requested_by", "-requested_at", "-id"],
                name="transfer_by_asker",
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("decided_by__isnull", False)),
                fields=["decided_by", "-requested_at", "-id"],
                name="transfer_by_decider",
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("cancelled_by__isnull", False)),
                fields=["cancelled_by", "-requested_at", "-id"],
                name="transfer_by_stopper",
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                django.db.models.expressions.CombinedExpression(
                    models.F("ended_at"), "-", models.F("requested_at")
                ),
                name="transfer_took",
            ),
        ),
    ]
