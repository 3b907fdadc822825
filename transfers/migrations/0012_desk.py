"""The desk: a manager on screen, with a microphone or beside a phone; what they note of a caller."""

import django.db.models.deletion
import uuid6
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("transfers", "0011_taken_over"),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="accepted_at",
            field=models.DateTimeField(
                blank=True, help_text="Accepted on screen: it counts once they are on the line.", null=True
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="afterwards",
            field=models.CharField(
                blank=True,
                choices=[
                    ("helped", "Helped"),
                    ("follow_up", "Needs a follow-up"),
                    ("passed_on", "Passed on"),
                    ("not_helped", "Could not be helped"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="desk",
            field=models.BooleanField(default=False, help_text="Rung on the manager's screen, not by telephone."),
        ),
        migrations.AddField(
            model_name="attempt",
            name="desk_tab",
            field=models.CharField(blank=True, help_text="The window that took it.", max_length=40),
        ),
        migrations.AddField(
            model_name="attempt",
            name="note",
            field=models.TextField(
                blank=True, help_text="The manager's own, written during the call or after it."
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="noted_at",
            field=models.DateTimeField(blank=True, help_text="When they were done with it.", null=True),
        ),
        migrations.CreateModel(
            name="OpenDesk",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "microphone",
                    models.BooleanField(default=False, help_text="Its sound was checked: it can take a call."),
                ),
                ("seen_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "manager",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="desks", to="transfers.manager"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["seen_at"], name="desk_seen")],
            },
        ),
    ]
