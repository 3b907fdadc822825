"""What reports are read from: measures of transfers that are over, and their sums."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("transfers", "0014_history"),
    ]

    operations = [
        migrations.CreateModel(
            name="DayTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("day", models.DateField()),
                ("department", models.PositiveBigIntegerField()),
                (
                    "asked",
                    models.CharField(
                        choices=[
                            ("ai", "The AI, for the caller"),
                            ("supervisor", "A supervisor"),
                            ("program", "A program"),
                            ("manager", "A manager, for another one"),
                            ("cut_off", "Patchbay, as the talk was cut short"),
                            ("callback", "A callback that was promised"),
                        ],
                        max_length=10,
                    ),
                ),
                ("end_reason", models.CharField(max_length=24)),
                ("n", models.PositiveIntegerField()),
                ("held_to_limit", models.PositiveIntegerField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="HourTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("day", models.DateField()),
                ("hour", models.PositiveSmallIntegerField()),
                ("department", models.PositiveBigIntegerField()),
                ("n", models.PositiveIntegerField()),
                ("reached", models.PositiveIntegerField()),
                ("missed", models.PositiveIntegerField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ManagerTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("day", models.DateField()),
                ("department", models.PositiveBigIntegerField()),
                ("outcome", models.CharField(blank=True, max_length=16)),
                ("n", models.PositiveIntegerField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="MeasuredAttempt",
            fields=[
                (
                    "attempt",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="measures",
                        serialize=False,
                        to="transfers.attempt",
                    ),
                ),
                ("at", models.DateTimeField(help_text="The transfer's request.")),
                ("hour", models.PositiveSmallIntegerField()),
                ("department", models.PositiveBigIntegerField()),
                ("outcome", models.CharField(blank=True, help_text="Empty: joined.", max_length=16)),
                ("ring_ms", models.IntegerField(help_text="Empty: there was none.", null=True)),
                ("briefing_ms", models.IntegerField(help_text="Empty: there was none.", null=True)),
                ("merge_ms", models.IntegerField(help_text="Empty: there was none.", null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="MeasuredTransfer",
            fields=[
                (
                    "transfer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="measures",
                        serialize=False,
                        to="transfers.transfer",
                    ),
                ),
                ("at", models.DateTimeField()),
                ("hour", models.PositiveSmallIntegerField()),
                ("department", models.PositiveBigIntegerField()),
                (
                    "asked",
                    models.CharField(
                        choices=[
                            ("ai", "The AI, for the caller"),
                            ("supervisor", "A supervisor"),
                            ("program", "A program"),
                            ("manager", "A manager, for another one"),
                            ("cut_off", "Patchbay, as the talk was cut short"),
                            ("callback", "A callback that was promised"),
                        ],
                        max_length=10,
                    ),
                ),
                ("end_reason", models.CharField(max_length=24)),
                (
                    "held_to_limit",
                    models.BooleanField(help_text="On hold as long as the department allows, or longer."),
                ),
                ("approval_ms", models.IntegerField(help_text="Empty: there was none.", null=True)),
                ("hold_ms", models.IntegerField(help_text="Empty: there was none.", null=True)),
                ("to_person_ms", models.IntegerField(help_text="Empty: there was none.", null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="PhaseTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("weekly", models.BooleanField()),
                ("day", models.DateField()),
                ("department", models.PositiveBigIntegerField()),
                (
                    "phase",
                    models.CharField(
                        choices=[
                            ("approval", "Approval"),
                            ("hold", "On hold"),
                            ("ring", "Ringing"),
                            ("briefing", "Briefing"),
                            ("merge", "Joining"),
                            ("to_person", "From asking to a person"),
                        ],
                        max_length=10,
                    ),
                ),
                ("bucket", models.PositiveSmallIntegerField()),
                ("n", models.PositiveIntegerField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="transfer",
            name="measured",
            field=models.BooleanField(
                db_default=False, default=False, help_text="It is over, and the reports have counted it."
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", False), ("measured", False)),
                fields=["ended_at"],
                name="transfer_unmeasured",
            ),
        ),
        migrations.AddConstraint(
            model_name="daytally",
            constraint=models.UniqueConstraint(
                fields=("day", "department", "asked", "end_reason"), name="day_tally_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="hourtally",
            constraint=models.UniqueConstraint(fields=("day", "hour", "department"), name="hour_tally_once"),
        ),
        migrations.AddField(
            model_name="managertally",
            name="manager",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="transfers.manager",
            ),
        ),
        migrations.AddField(
            model_name="measuredattempt",
            name="manager",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="transfers.manager",
            ),
        ),
        migrations.AddIndex(
            model_name="measuredtransfer",
            index=models.Index(fields=["hour", "at"], name="measured_transfer_hour"),
        ),
        migrations.AddConstraint(
            model_name="phasetally",
            constraint=models.UniqueConstraint(
                fields=("weekly", "day", "department", "phase", "bucket"), name="phase_tally_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="managertally",
            constraint=models.UniqueConstraint(
                fields=("day", "department", "manager", "outcome"), name="manager_tally_once"
            ),
        ),
        migrations.AddIndex(
            model_name="measuredattempt",
            index=models.Index(fields=["hour", "at"], name="measured_attempt_hour"),
        ),
    ]
