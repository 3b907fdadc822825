"""Signed heads of the chain, which nobody can change, and who had it verified when."""

import django.db.models.deletion
import uuid6
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0015_supervision"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                ("seq", models.BigAutoField(primary_key=True, serialize=False)),
                ("first_seal", models.BigIntegerField()),
                ("last_seal", models.BigIntegerField(unique=True)),
                ("at", models.DateTimeField()),
                ("body", models.BinaryField()),
                ("signature", models.BinaryField()),
            ],
            options={
                "ordering": ("seq",),
            },
        ),
        migrations.CreateModel(
            name="AuditRun",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                ("asked_at", models.DateTimeField()),
                (
                    "told_at",
                    models.DateTimeField(
                        help_text="When it was last heard of: silent for a minute means it has stopped."
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("looked_at", models.PositiveBigIntegerField(default=0, help_text="Links so far.")),
                ("links", models.PositiveBigIntegerField(default=0, help_text="In all, when it began.")),
                ("heads", models.PositiveBigIntegerField(default=0, help_text="Signed heads that fit.")),
                ("erased", models.PositiveBigIntegerField(default=0, help_text="Events whose words were erased.")),
                ("broken_kind", models.CharField(blank=True, max_length=12)),
                ("broken_words", models.TextField(blank=True)),
                ("digest", models.BinaryField(default=bytes, help_text="Of the newest link.")),
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
        migrations.RunSQL(
            "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON calls_audithead "
            "FOR EACH ROW EXECUTE FUNCTION patchbay_append_only();",
            "DROP TRIGGER append_only ON calls_audithead;",
        ),
    ]
