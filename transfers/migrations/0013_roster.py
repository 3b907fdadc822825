"""The roster's hours and exceptions, dialling rules, and files of managers on their way in."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from calls.roles import every_action, grant

ROLES = {
    "supervisor": every_action("shiftexception"),
    "administrator": every_action("shiftexception", "openinghours", "holiday", "dialrule"),
}


def forward(apps, schema_editor):
    grant(apps, schema_editor.connection.alias, "transfers", ROLES)


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0017_retention"),
        ("transfers", "0012_desk"),
    ]

    operations = [
        migrations.CreateModel(
            name="DialRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "prefix",
                    models.CharField(
                        help_text="With the country code: +49, or +1202 for one area. + alone is every number.",
                        max_length=16,
                        unique=True,
                        verbose_name="begins with",
                    ),
                ),
                (
                    "per_hour",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="At most so many within any hour, of all departments together. Empty: without limit.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="calls an hour",
                    ),
                ),
                ("note", models.CharField(blank=True, help_text="What it is for.", max_length=80)),
            ],
            options={
                "verbose_name": "dialling rule",
                "ordering": ("prefix",),
            },
        ),
        migrations.CreateModel(
            name="RosterUpload",
            fields=[
                ("token", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("content", models.BinaryField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AlterField(
            model_name="attempt",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("no_answer", "Did not answer"),
                    ("busy", "Busy"),
                    ("declined", "Declined"),
                    ("voicemail", "Voicemail answered"),
                    ("unreachable", "Could not be reached"),
                    ("invalid_number", "The number does not exist"),
                    ("not_allowed", "The dialling rules refuse the number"),
                    ("trunk_error", "The phone line failed"),
                    ("hung_up", "Hung up during the briefing"),
                    ("silent", "Answered but said nothing"),
                    ("timed_out", "Took too long"),
                    ("redirected", "Sent the caller elsewhere"),
                    ("merge_failed", "Could not be joined"),
                    ("lost", "The call to them was lost"),
                    ("agent_lost", "The transfer agent was lost"),
                    ("cancelled", "Cancelled"),
                ],
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            name="Holiday",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("day", models.DateField(verbose_name="date")),
                (
                    "kind",
                    models.CharField(
                        choices=[("off", "Off all day"), ("other", "Other hours"), ("extra", "Extra hours")],
                        default="off",
                        max_length=5,
                    ),
                ),
                ("starts", models.TimeField(blank=True, null=True)),
                ("ends", models.TimeField(blank=True, help_text="Before the start: on the next day.", null=True)),
                (
                    "time_zone",
                    models.CharField(
                        blank=True, help_text="Empty: that of the weekly hours, or UTC without any.", max_length=64
                    ),
                ),
                ("note", models.CharField(blank=True, help_text="For example the holiday's name.", max_length=80)),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="holidays", to="calls.department"
                    ),
                ),
            ],
            options={
                "ordering": ("department", "day", "starts"),
            },
        ),
        migrations.CreateModel(
            name="OpeningHours",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "weekday",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "Monday"),
                            (1, "Tuesday"),
                            (2, "Wednesday"),
                            (3, "Thursday"),
                            (4, "Friday"),
                            (5, "Saturday"),
                            (6, "Sunday"),
                        ]
                    ),
                ),
                ("starts", models.TimeField()),
                ("ends", models.TimeField(help_text="Before the start: on the next day.")),
                ("time_zone", models.CharField(default="UTC", max_length=64)),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="opening_hours",
                        to="calls.department",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "opening hours",
                "ordering": ("department", "weekday", "starts"),
            },
        ),
        migrations.CreateModel(
            name="ShiftException",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("day", models.DateField(verbose_name="date")),
                (
                    "kind",
                    models.CharField(
                        choices=[("off", "Off all day"), ("other", "Other hours"), ("extra", "Extra hours")],
                        default="off",
                        max_length=5,
                    ),
                ),
                ("starts", models.TimeField(blank=True, null=True)),
                ("ends", models.TimeField(blank=True, help_text="Before the start: on the next day.", null=True)),
                (
                    "time_zone",
                    models.CharField(
                        blank=True, help_text="Empty: that of the weekly hours, or UTC without any.", max_length=64
                    ),
                ),
                ("note", models.CharField(blank=True, help_text="For example the holiday's name.", max_length=80)),
                (
                    "manager",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exceptions",
                        to="transfers.manager",
                    ),
                ),
            ],
            options={
                "ordering": ("manager", "day", "starts"),
            },
        ),
        migrations.CreateModel(
            name="Dialled",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("at", models.DateTimeField()),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dialled",
                        to="transfers.dialrule",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["rule", "at"], name="dialled_of_rule")],
            },
        ),
        migrations.RunPython(forward, migrations.RunPython.noop),
    ]
