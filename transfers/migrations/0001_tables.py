"""Every table of transfers and the roster, and what each role may do with them.

It stands for the fifteen steps by which they came to be (`replaces`): a database with all of them goes on from here.
"""

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import uuid6
from django.conf import settings
from django.db import migrations, models

from calls.roles import every_action, grant

ESCALATES = ("view_transfer", "request_transfer", "approve_transfer", "cancel_transfer", "set_presence")
STEERS = ("refer_call", "park_call", "view_callback", "handle_callback")
ROSTER = every_action("manager", "endpoint", "shift", "shiftexception")
OFFICE = every_action("policy", "trunk", "openinghours", "holiday", "dialrule")
ROLES = {
    "supervisor": (*ESCALATES, *STEERS, *ROSTER),
    "manager": ("view_callback", "handle_callback"),
    "auditor": ("view_transfer", "view_callback"),
    "administrator": (*ESCALATES, *STEERS, *ROSTER, *OFFICE),
}


def forward(apps, schema_editor):
    grant(apps, schema_editor.connection.alias, "transfers", ROLES)


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ("transfers", "0001_initial"),
        ("transfers", "0002_roles"),
        ("transfers", "0003_validation"),
        ("transfers", "0004_merge_error"),
        ("transfers", "0005_history_indexes"),
        ("transfers", "0006_after_a_call"),
        ("transfers", "0007_ways_of_a_transfer"),
        ("transfers", "0008_roles_of_the_ways"),
        ("transfers", "0009_named_by_code"),
        ("transfers", "0010_rings"),
        ("transfers", "0011_taken_over"),
        ("transfers", "0012_desk"),
        ("transfers", "0013_roster"),
        ("transfers", "0014_history"),
        ("transfers", "0015_reports"),
    ]

    dependencies = [
        ("calls", "0001_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "department", "asked", "end_reason"), name="day_tally_once"
                    )
                ],
            },
        ),
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
            name="HistoryExport",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("form", models.CharField(choices=[("csv", "CSV"), ("jsonl", "JSON Lines")], max_length=5)),
                ("filters", models.JSONField(default=list, help_text="By what was filtered, not for what.")),
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
            ],
            options={
                "ordering": ("-asked_at",),
            },
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
                "constraints": [
                    models.UniqueConstraint(fields=("day", "hour", "department"), name="hour_tally_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Manager",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                (
                    "user",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="manager",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("priority", models.PositiveSmallIntegerField(default=1, help_text="Lower is called first.")),
                ("active", models.BooleanField(default=True)),
                (
                    "presence",
                    models.CharField(
                        choices=[("available", "Available"), ("away", "Away"), ("wrapping_up", "Wrapping up")],
                        default="available",
                        max_length=12,
                    ),
                ),
                ("presence_since", models.DateTimeField(blank=True, null=True)),
                ("presence_reason", models.CharField(blank=True, max_length=80)),
                ("presence_until", models.DateTimeField(blank=True, null=True)),
                ("last_call_ended_at", models.DateTimeField(blank=True, null=True)),
                ("misses", models.PositiveSmallIntegerField(default=0, help_text="Unanswered calls in a row.")),
                (
                    "pin",
                    models.CharField(
                        blank=True,
                        help_text="Hashed: makes them available by a call from their own phone.",
                        max_length=128,
                    ),
                ),
                (
                    "guest",
                    models.BooleanField(
                        default=False, help_text="On no roster: an agent's code named their number."
                    ),
                ),
                ("version", models.PositiveBigIntegerField(default=1)),
                ("departments", models.ManyToManyField(related_name="managers", to="calls.department")),
            ],
            options={
                "ordering": ("priority", "name"),
                "permissions": (("set_presence", "Can set anyone's presence, with a reason"),),
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("weekly", "day", "department", "phase", "bucket"), name="phase_tally_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Policy",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "department",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="policy", to="calls.department"
                    ),
                ),
                (
                    "approval",
                    models.CharField(
                        choices=[
                            ("auto", "Dial at once"),
                            ("approve", "A supervisor approves"),
                            ("auto_after", "Dial unless stopped in time"),
                        ],
                        default="auto",
                        max_length=12,
                    ),
                ),
                (
                    "auto_after_s",
                    models.PositiveSmallIntegerField(
                        default=15,
                        help_text="With “Dial unless stopped in time”.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3600),
                        ],
                        verbose_name="auto after (s)",
                    ),
                ),
                (
                    "approval_limit_s",
                    models.PositiveSmallIntegerField(
                        default=60,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3600),
                        ],
                        verbose_name="approval limit (s)",
                    ),
                ),
                (
                    "at_limit",
                    models.CharField(
                        choices=[("dial", "Dial"), ("return", "Back to the AI"), ("callback", "Offer a callback")],
                        default="return",
                        max_length=8,
                        verbose_name="when the limit passes",
                    ),
                ),
                (
                    "max_attempts",
                    models.PositiveSmallIntegerField(
                        default=3,
                        help_text="Phones tried in turn.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(10),
                        ],
                    ),
                ),
                (
                    "next_endpoint_first",
                    models.BooleanField(
                        default=False, help_text="Try a manager's next phone before the next manager."
                    ),
                ),
                (
                    "when_busy",
                    models.CharField(
                        choices=[
                            ("ai", "Waits in line, talking to the AI"),
                            ("hold", "Waits in line, on hold"),
                            ("return", "Does not wait: back to the AI"),
                        ],
                        default="ai",
                        help_text="The caller's place.",
                        max_length=8,
                        verbose_name="when all are busy",
                    ),
                ),
                (
                    "queue_limit_s",
                    models.PositiveSmallIntegerField(
                        default=300,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3600),
                        ],
                        verbose_name="longest wait in line (s)",
                    ),
                ),
                (
                    "after_hang_up",
                    models.CharField(
                        choices=[("ask", "The AI asks whether there is anything else"), ("end", "The call ends")],
                        default="ask",
                        help_text="After at least 15 s of talk; before that, and when the line is cut, they are called again.",
                        max_length=8,
                        verbose_name="when the manager hangs up",
                    ),
                ),
                (
                    "offers_callback",
                    models.BooleanField(default=True, help_text="The AI may promise that somebody calls back."),
                ),
                (
                    "callback_within_min",
                    models.PositiveSmallIntegerField(
                        default=240,
                        validators=[
                            django.core.validators.MinValueValidator(5),
                            django.core.validators.MaxValueValidator(10080),
                        ],
                        verbose_name="callback due (min)",
                    ),
                ),
                (
                    "ai_may_refer",
                    models.BooleanField(
                        default=False,
                        help_text="A cold transfer: the caller's own carrier calls the manager, and we are out of it.",
                        verbose_name="AI may transfer without a briefing",
                    ),
                ),
                (
                    "hold_limit_s",
                    models.PositiveSmallIntegerField(
                        default=180,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3600),
                        ],
                        verbose_name="hold limit (s)",
                    ),
                ),
                (
                    "consultation_limit_s",
                    models.PositiveSmallIntegerField(
                        default=120,
                        help_text="From the answer to a decision.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3600),
                        ],
                        verbose_name="consultation limit (s)",
                    ),
                ),
                (
                    "wrap_up_s",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="After a call, before the manager is rung again.",
                        validators=[django.core.validators.MaxValueValidator(3600)],
                        verbose_name="wrap-up (s)",
                    ),
                ),
                (
                    "away_after_misses",
                    models.PositiveSmallIntegerField(
                        default=3,
                        help_text="Unanswered calls in a row, then away until their next shift; 0: never.",
                        validators=[django.core.validators.MaxValueValidator(20)],
                    ),
                ),
                (
                    "hold_line",
                    models.TextField(default="I am connecting you with a colleague. Please hold the line."),
                ),
                (
                    "progress_line",
                    models.TextField(default="Thank you for holding. We are still trying to reach a colleague."),
                ),
            ],
            options={
                "verbose_name_plural": "policies",
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
        migrations.CreateModel(
            name="Trunk",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("name", models.CharField(max_length=80, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("stored", "Stored on LiveKit"), ("inline", "Inline")],
                        default="stored",
                        max_length=8,
                    ),
                ),
                ("trunk_id", models.CharField(blank=True, max_length=64, verbose_name="stored trunk id")),
                ("hostname", models.CharField(blank=True, max_length=200)),
                (
                    "transport",
                    models.CharField(
                        choices=[("auto", "Auto"), ("udp", "UDP"), ("tcp", "TCP"), ("tls", "TLS")],
                        default="auto",
                        max_length=4,
                    ),
                ),
                ("auth_username", models.CharField(blank=True, max_length=80)),
                (
                    "sip_number",
                    models.CharField(
                        blank=True, help_text="In E.164.", max_length=16, verbose_name="number shown"
                    ),
                ),
                (
                    "headers",
                    models.JSONField(blank=True, default=dict, help_text="Extra SIP headers, name to value."),
                ),
                ("is_default", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ("name",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)), fields=("is_default",), name="one_default_trunk"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Dialled",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dialled",
                        to="transfers.dialrule",
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["rule", "at"], name="dialled_of_rule")],
            },
        ),
        migrations.CreateModel(
            name="Endpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "manager",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="endpoints",
                        to="transfers.manager",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=1)),
                (
                    "kind",
                    models.CharField(
                        choices=[("phone", "Phone"), ("sip_uri", "SIP address"), ("browser", "Browser")],
                        default="phone",
                        max_length=8,
                    ),
                ),
                (
                    "address",
                    models.CharField(
                        blank=True,
                        help_text="+12025550100 or sip:dana@example.com; empty for a browser.",
                        max_length=200,
                    ),
                ),
                (
                    "dtmf",
                    models.CharField(
                        blank=True,
                        help_text="Keys pressed after the answer, w is a pause of 0.5 s: wwww1234#.",
                        max_length=32,
                        verbose_name="extension",
                    ),
                ),
                (
                    "ring_time_s",
                    models.PositiveSmallIntegerField(
                        default=25,
                        validators=[
                            django.core.validators.MinValueValidator(5),
                            django.core.validators.MaxValueValidator(75),
                        ],
                        verbose_name="ring time (s)",
                    ),
                ),
                (
                    "trunk",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the default trunk.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="transfers.trunk",
                    ),
                ),
                (
                    "headers",
                    models.JSONField(blank=True, default=dict, help_text="SIP headers besides the trunk's."),
                ),
            ],
            options={
                "ordering": ("manager", "position"),
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
                (
                    "manager",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="transfers.manager",
                    ),
                ),
                ("outcome", models.CharField(blank=True, max_length=16)),
                ("n", models.PositiveIntegerField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "department", "manager", "outcome"), name="manager_tally_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OpenDesk",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "manager",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="desks", to="transfers.manager"
                    ),
                ),
                (
                    "microphone",
                    models.BooleanField(default=False, help_text="Its sound was checked: it can take a call."),
                ),
                ("seen_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["seen_at"], name="desk_seen")],
            },
        ),
        migrations.CreateModel(
            name="PinEntry",
            fields=[
                (
                    "call",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="calls.call",
                    ),
                ),
                (
                    "manager",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="transfers.manager"
                    ),
                ),
                ("digits", models.CharField(blank=True, max_length=32)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Shift",
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
                    "manager",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="shifts", to="transfers.manager"
                    ),
                ),
            ],
            options={
                "ordering": ("manager", "weekday", "starts"),
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
                ("address", models.CharField(blank=True, help_text="Forgotten when it is over.", max_length=200)),
                ("last4", models.CharField(blank=True, max_length=4)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Transfer",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "call",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="transfers", to="calls.call"
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=[("warm", "Warm"), ("cold", "Cold")], default="warm", max_length=4),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "Needs approval"),
                            ("queued", "Looking for a manager"),
                            ("rejected", "Not approved"),
                            ("connecting", "Ringing"),
                            ("consulting", "Briefing"),
                            ("merging", "Joining"),
                            ("merged", "Joined"),
                            ("completed", "Completed"),
                            ("failed", "Nobody could take it"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="requested",
                        max_length=12,
                    ),
                ),
                (
                    "end_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("connected", "Connected"),
                            ("no_manager", "Nobody answered"),
                            ("declined", "Declined"),
                            ("not_approved", "Not approved"),
                            ("outside_hours", "Outside hours"),
                            ("caller_left", "The caller hung up"),
                            ("caller_returned", "The caller went back to the AI"),
                            ("supervisor_cancelled", "Cancelled by a supervisor"),
                            ("taken_over", "Taken over by a supervisor"),
                            ("callback", "Callback"),
                            ("caller_unreached", "The caller did not answer"),
                            ("cold_completed", "Transferred"),
                            ("cold_unconfirmed", "Transferred, not confirmed"),
                            ("error", "Our fault"),
                        ],
                        max_length=24,
                    ),
                ),
                (
                    "words_for_caller",
                    models.TextField(blank=True, help_text="What the AI says about how it ended."),
                ),
                (
                    "follows",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="transfers.transfer",
                    ),
                ),
                (
                    "waits_with",
                    models.CharField(
                        choices=[("hold", "On hold"), ("ai", "With the AI")],
                        default="hold",
                        help_text="Where the caller is while managers are rung.",
                        max_length=4,
                    ),
                ),
                (
                    "prefer",
                    models.ForeignKey(
                        blank=True,
                        help_text="Called first: the caller's line to them was cut.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="transfers.manager",
                    ),
                ),
                (
                    "spare",
                    models.ForeignKey(
                        blank=True,
                        help_text="Not called: they asked for somebody else.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="transfers.manager",
                    ),
                ),
                (
                    "handed_over",
                    models.CharField(
                        blank=True,
                        choices=[("back", "Back to the AI"), ("another", "To another manager")],
                        help_text="What the manager asked for by key, once joined.",
                        max_length=8,
                    ),
                ),
                (
                    "parked_at",
                    models.DateTimeField(
                        blank=True, help_text="Since when a supervisor holds the joined caller.", null=True
                    ),
                ),
                (
                    "queued_at",
                    models.DateTimeField(blank=True, help_text="Since when it waits in line.", null=True),
                ),
                (
                    "queue_place",
                    models.PositiveSmallIntegerField(blank=True, help_text="Its place when it came.", null=True),
                ),
                (
                    "queue_left_at",
                    models.DateTimeField(blank=True, help_text="When a manager was free for it.", null=True),
                ),
                (
                    "caller_rung_at",
                    models.DateTimeField(
                        blank=True, help_text="A callback's: when the caller was called.", null=True
                    ),
                ),
                (
                    "refer_to",
                    models.ForeignKey(
                        blank=True,
                        help_text="A cold transfer's.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="transfers.endpoint",
                    ),
                ),
                ("refer_asked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "refer_result",
                    models.CharField(
                        blank=True,
                        choices=[("done", "Accepted"), ("refused", "Refused"), ("unknown", "No answer")],
                        max_length=8,
                    ),
                ),
                (
                    "request_key",
                    models.UUIDField(help_text="A repeated click or tool call is one request.", unique=True),
                ),
                (
                    "department",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="calls.department"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        help_text="Only this manager is asked.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="transfers.manager",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        blank=True,
                        help_text="Only this phone is called: an agent's code named it, and waits for what comes of it.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="transfers.endpoint",
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                (
                    "profile",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="calls.agentprofile"
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("approved", models.BooleanField(blank=True, null=True)),
                ("decline_reason", models.TextField(blank=True)),
                (
                    "cancelled_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "cancel_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("connected", "Connected"),
                            ("no_manager", "Nobody answered"),
                            ("declined", "Declined"),
                            ("not_approved", "Not approved"),
                            ("outside_hours", "Outside hours"),
                            ("caller_left", "The caller hung up"),
                            ("caller_returned", "The caller went back to the AI"),
                            ("supervisor_cancelled", "Cancelled by a supervisor"),
                            ("taken_over", "Taken over by a supervisor"),
                            ("callback", "Callback"),
                            ("caller_unreached", "The caller did not answer"),
                            ("cold_completed", "Transferred"),
                            ("cold_unconfirmed", "Transferred, not confirmed"),
                            ("error", "Our fault"),
                        ],
                        help_text="Asked to stop.",
                        max_length=24,
                    ),
                ),
                ("briefing", models.TextField(blank=True, help_text="Exactly what is spoken.")),
                (
                    "briefing_edited",
                    models.BooleanField(default=False, help_text="By a person: a draft never replaces it."),
                ),
                ("briefing_saved_at", models.DateTimeField(blank=True, null=True)),
                ("requested_at", models.DateTimeField()),
                (
                    "held_at",
                    models.DateTimeField(blank=True, help_text="Since when the caller is on hold.", null=True),
                ),
                ("merged_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "deadline_at",
                    models.DateTimeField(blank=True, help_text="Of the present state, for the page.", null=True),
                ),
                (
                    "wake_at",
                    models.DateTimeField(blank=True, help_text="When the clock looks at it next.", null=True),
                ),
                (
                    "measured",
                    models.BooleanField(
                        db_default=False, default=False, help_text="It is over, and the reports have counted it."
                    ),
                ),
                ("version", models.PositiveBigIntegerField(default=1)),
            ],
            options={
                "permissions": (
                    ("request_transfer", "Can escalate"),
                    ("approve_transfer", "Can approve and decline"),
                    ("cancel_transfer", "Can cancel"),
                    ("refer_call", "Can transfer without a briefing"),
                    ("park_call", "Can hold and resume a joined caller"),
                ),
                "indexes": [
                    models.Index(fields=["-requested_at", "-id"], name="transfer_newest"),
                    models.Index(fields=["end_reason", "-requested_at", "-id"], name="transfer_by_result"),
                    models.Index(fields=["department", "-requested_at", "-id"], name="transfer_by_department"),
                    models.Index(
                        condition=models.Q(("kind", "cold")), fields=["-requested_at", "-id"], name="transfer_cold"
                    ),
                    models.Index(
                        condition=models.Q(("requested_by__isnull", False)),
                        fields=["requested_by", "-requested_at", "-id"],
                        name="transfer_by_asker",
                    ),
                    models.Index(
                        condition=models.Q(("decided_by__isnull", False)),
                        fields=["decided_by", "-requested_at", "-id"],
                        name="transfer_by_decider",
                    ),
                    models.Index(
                        condition=models.Q(("cancelled_by__isnull", False)),
                        fields=["cancelled_by", "-requested_at", "-id"],
                        name="transfer_by_stopper",
                    ),
                    models.Index(
                        django.db.models.expressions.CombinedExpression(
                            models.F("ended_at"), "-", models.F("requested_at")
                        ),
                        name="transfer_took",
                    ),
                    models.Index(
                        condition=models.Q(("state", "queued")),
                        fields=["department", "queued_at"],
                        name="transfer_in_line",
                    ),
                    models.Index(
                        condition=models.Q(("wake_at__isnull", False)), fields=["wake_at"], name="transfer_wake"
                    ),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", False), ("measured", False)),
                        fields=["ended_at"],
                        name="transfer_unmeasured",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("state__in", ("requested", "queued", "connecting", "consulting", "merging"))
                        ),
                        fields=("call",),
                        name="one_open_transfer_a_call",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "transfer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="transfers.transfer",
                    ),
                ),
                ("nth", models.PositiveSmallIntegerField()),
                (
                    "manager",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="transfers.manager",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="transfers.endpoint",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reserved", "Reserved"),
                            ("dialing", "Dialing"),
                            ("ringing", "Ringing"),
                            ("summarizing", "Briefing"),
                            ("merged", "Joined"),
                            ("ended", "Ended"),
                            ("failed", "Failed"),
                        ],
                        default="reserved",
                        max_length=12,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
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
                (
                    "outcome_detail",
                    models.CharField(blank=True, help_text="Which phase timed out, and the like.", max_length=80),
                ),
                ("sip_status", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("retryable", models.BooleanField(blank=True, null=True)),
                ("strategy", models.CharField(default="relay", max_length=8)),
                (
                    "ranking",
                    models.JSONField(
                        default=list, help_text="Who was ranked and who was passed over, as it was then."
                    ),
                ),
                ("ring_time_s", models.PositiveSmallIntegerField(default=25)),
                ("reserved_at", models.DateTimeField()),
                ("dialed_at", models.DateTimeField(blank=True, null=True)),
                ("ringing_at", models.DateTimeField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("briefing_started_at", models.DateTimeField(blank=True, null=True)),
                ("briefing_spoken_at", models.DateTimeField(blank=True, null=True)),
                ("bridged_at", models.DateTimeField(blank=True, null=True)),
                ("merged_at", models.DateTimeField(blank=True, null=True)),
                ("heard_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "merge_error",
                    models.CharField(blank=True, help_text="Why the two could not be joined.", max_length=80),
                ),
                (
                    "leg_left_at",
                    models.DateTimeField(blank=True, help_text="The manager's leg left its room.", null=True),
                ),
                (
                    "desk",
                    models.BooleanField(
                        default=False, help_text="Rung on the manager's screen, not by telephone."
                    ),
                ),
                ("desk_tab", models.CharField(blank=True, help_text="The window that took it.", max_length=40)),
                (
                    "accepted_at",
                    models.DateTimeField(
                        blank=True, help_text="Accepted on screen: it counts once they are on the line.", null=True
                    ),
                ),
                (
                    "afterwards",
                    models.CharField(
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
                (
                    "note",
                    models.TextField(
                        blank=True, help_text="The manager's own, written during the call or after it."
                    ),
                ),
                (
                    "noted_at",
                    models.DateTimeField(blank=True, help_text="When they were done with it.", null=True),
                ),
                ("version", models.PositiveBigIntegerField(default=1)),
            ],
            options={
                "ordering": ("reserved_at",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("outcome", ""), _negated=True),
                        fields=["outcome"],
                        name="attempt_by_outcome",
                    ),
                    models.Index(
                        condition=models.Q(("sip_status__isnull", False)),
                        fields=["sip_status"],
                        name="attempt_by_sip",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("state__in", ("reserved", "dialing", "ringing", "summarizing", "merged"))
                        ),
                        fields=("manager",),
                        name="one_open_attempt_a_manager",
                    ),
                    models.UniqueConstraint(fields=("transfer", "nth"), name="attempt_nth_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="BriefingVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "transfer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="briefings",
                        to="transfers.transfer",
                    ),
                ),
                ("nth", models.PositiveSmallIntegerField()),
                (
                    "author",
                    models.CharField(
                        choices=[
                            ("extraction", "Drafted from the call"),
                            ("ai", "Drafted by the AI"),
                            ("person", "Edited"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("text", models.TextField()),
                ("saved_at", models.DateTimeField()),
            ],
            options={
                "ordering": ("nth",),
                "constraints": [models.UniqueConstraint(fields=("transfer", "nth"), name="briefing_nth_once")],
            },
        ),
        migrations.CreateModel(
            name="Callback",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                ("request_key", models.UUIDField(help_text="A repeated tool call is one promise.", unique=True)),
                (
                    "call",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="callbacks", to="calls.call"
                    ),
                ),
                (
                    "transfer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="transfers.transfer",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="calls.department"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("claimed", "Claimed"),
                            ("calling", "Calling"),
                            ("done", "Done"),
                        ],
                        default="open",
                        max_length=8,
                    ),
                ),
                (
                    "number",
                    models.CharField(blank=True, help_text="In E.164; erased by retention.", max_length=16),
                ),
                ("number_hmac", models.CharField(blank=True, db_index=True, max_length=64)),
                ("number_last4", models.CharField(blank=True, max_length=4)),
                (
                    "preferred",
                    models.CharField(blank=True, help_text="When it suits them, as they said it.", max_length=120),
                ),
                ("briefing", models.TextField(blank=True)),
                ("asked_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                (
                    "claimed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                (
                    "calling",
                    models.ForeignKey(
                        blank=True,
                        help_text="The newest.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="calls_back",
                        to="transfers.transfer",
                    ),
                ),
                (
                    "result",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("reached", "Talked to them"),
                            ("not_reached", "Not reached"),
                            ("wrong_number", "Wrong number"),
                            ("not_needed", "Not needed any more"),
                        ],
                        max_length=12,
                    ),
                ),
                ("note", models.TextField(blank=True)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.PositiveBigIntegerField(default=1)),
            ],
            options={
                "ordering": ("due_at", "id"),
                "permissions": (("handle_callback", "Can claim and make callbacks"),),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "done"), _negated=True),
                        fields=["department", "due_at"],
                        name="callback_waiting",
                    )
                ],
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
                "indexes": [models.Index(fields=["hour", "at"], name="measured_transfer_hour")],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                (
                    "attempt",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="decision",
                        serialize=False,
                        to="transfers.attempt",
                    ),
                ),
                ("kind", models.CharField(max_length=12)),
                ("via", models.CharField(max_length=8)),
                ("reason", models.TextField(blank=True)),
                ("redirect_department", models.CharField(blank=True, max_length=80)),
                ("redirect_person", models.CharField(blank=True, max_length=80)),
                ("at", models.DateTimeField()),
            ],
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
                (
                    "manager",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="transfers.manager",
                    ),
                ),
                ("outcome", models.CharField(blank=True, help_text="Empty: joined.", max_length=16)),
                ("ring_ms", models.IntegerField(help_text="Empty: there was none.", null=True)),
                ("briefing_ms", models.IntegerField(help_text="Empty: there was none.", null=True)),
                ("merge_ms", models.IntegerField(help_text="Empty: there was none.", null=True)),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["hour", "at"], name="measured_attempt_hour")],
            },
        ),
        migrations.RunPython(forward, migrations.RunPython.noop),
    ]
