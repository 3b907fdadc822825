"""Every table of calls: its triggers, the groups of the four roles and what each may do.

It stands for the eighteen steps by which they came to be (`replaces`): a database with all of them goes on from here.
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid6
from django.conf import settings
from django.db import migrations, models

from calls.roles import every_action, grant

# PostgreSQL itself refuses to change or delete an envelope, a seal or a signed head.
APPEND_ONLY = """
CREATE FUNCTION patchbay_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON calls_event
  FOR EACH ROW EXECUTE FUNCTION patchbay_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON calls_seal
  FOR EACH ROW EXECUTE FUNCTION patchbay_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON calls_audithead
  FOR EACH ROW EXECUTE FUNCTION patchbay_append_only();
"""
NOT_ANY_MORE = """
DROP TRIGGER append_only ON calls_audithead;
DROP TRIGGER append_only ON calls_seal;
DROP TRIGGER append_only ON calls_event;
DROP FUNCTION patchbay_append_only();
"""

ROLES = {
    "supervisor": (
        "view_call",
        "view_transcript",
        "listen_call",
        "supervise_call",
        "export_calls",
        "verify_audit",
    ),
    "manager": ("view_transcript",),
    "auditor": (
        "view_call",
        "view_every_department",
        "view_transcript",
        "view_full_number",
        "export_calls",
        "verify_audit",
    ),
    "administrator": (
        "view_call",
        "view_every_department",
        "view_transcript",
        "view_full_number",
        "listen_call",
        "supervise_call",
        "export_calls",
        "verify_audit",
        *every_action("department", "membership", "numberroute", "agentprofile", "webhooktarget"),
        # Nobody deletes a key: the record names it.
        *("add_apikey", "change_apikey", "view_apikey", "view_webhookmessage", "view_webhooktry"),
    ),
}
ACCOUNTS = {"administrator": (*every_action("user"), "view_group", "change_group")}


def forward(apps, schema_editor):
    grant(apps, schema_editor.connection.alias, "calls", ROLES)
    grant(apps, schema_editor.connection.alias, "auth", ACCOUNTS)


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ("calls", "0001_initial"),
        ("calls", "0002_append_only"),
        ("calls", "0003_every_department"),
        ("calls", "0004_roles"),
        ("calls", "0005_validation"),
        ("calls", "0006_presence"),
        ("calls", "0007_rehearsal_department"),
        ("calls", "0008_history_indexes"),
        ("calls", "0009_ways_of_a_call"),
        ("calls", "0010_agent_name"),
        ("calls", "0011_api_keys"),
        ("calls", "0012_api_keys_roles"),
        ("calls", "0013_webhooks"),
        ("calls", "0014_webhooks_roles"),
        ("calls", "0015_supervision"),
        ("calls", "0016_audit"),
        ("calls", "0017_retention"),
        ("calls", "0018_search"),
    ]

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
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
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
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
            ],
            options={
                "ordering": ("-asked_at",),
            },
        ),
        migrations.CreateModel(
            name="Department",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("name", models.CharField(max_length=80, unique=True)),
                (
                    "retention_days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Then what was said in a call, names and numbers are erased for good. 0: never. Empty: as the setting RETENTION_DAYS says.",
                        null=True,
                        verbose_name="keep for (days)",
                    ),
                ),
                (
                    "rehearsal",
                    models.BooleanField(
                        default=False,
                        editable=False,
                        help_text="Only rehearsals use it: no caller and no page is led to it.",
                    ),
                ),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("seq", models.BigAutoField(primary_key=True, serialize=False)),
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, unique=True)),
                ("at", models.DateTimeField()),
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(blank=True, max_length=64)),
                ("type", models.CharField(max_length=64)),
                ("call_id", models.UUIDField(blank=True, null=True)),
                ("transfer_id", models.UUIDField(blank=True, null=True)),
                ("attempt_id", models.UUIDField(blank=True, null=True)),
                ("facts", models.JSONField(default=dict)),
                ("body", models.BinaryField()),
                ("payload_digest", models.BinaryField(blank=True, null=True)),
            ],
            options={
                "permissions": (("verify_audit", "Can verify the audit"),),
                "indexes": [
                    models.Index(fields=["call_id", "seq"], name="event_of_call"),
                    models.Index(fields=["transfer_id", "seq"], name="event_of_transfer"),
                ],
            },
        ),
        migrations.CreateModel(
            name="OpenPage",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "call_id",
                    models.UUIDField(blank=True, help_text="The call whose page it is, or is beside.", null=True),
                ),
                ("seen_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["seen_at"], name="page_seen")],
            },
        ),
        migrations.CreateModel(
            name="Owner",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "role",
                    models.CharField(
                        choices=[("worker", "Worker"), ("clock", "Clock"), ("web", "Web")], max_length=8
                    ),
                ),
                ("host", models.CharField(max_length=200)),
                ("pid", models.PositiveIntegerField()),
                ("started_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("beat_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "indexes": [models.Index(fields=["role", "beat_at"], name="owner_beats")],
            },
        ),
        migrations.CreateModel(
            name="WebhookCursor",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("seal", models.BigIntegerField(help_text="The last seal that was looked at.")),
            ],
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("type", models.CharField(max_length=40)),
                ("room_name", models.CharField(blank=True, max_length=200)),
                ("room_sid", models.CharField(blank=True, max_length=64)),
                ("identity", models.CharField(blank=True, max_length=200)),
                ("participant_sid", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField(help_text="LiveKit's clock.")),
                ("received_at", models.DateTimeField()),
                ("body", models.BinaryField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["room_name", "identity"], name="webhook_of_leg"),
                    models.Index(fields=["received_at"], name="webhook_received"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AgentProfile",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "department",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="profiles",
                        to="calls.department",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                ("greeting", models.TextField()),
                ("persona", models.TextField(blank=True)),
                (
                    "facts",
                    models.JSONField(
                        blank=True, default=list, help_text="List of {key, label, required, may_be_spoken}."
                    ),
                ),
                (
                    "sections",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Sections of the briefing in order: who, reason, tried, facts.",
                    ),
                ),
                ("instructions", models.TextField(blank=True)),
                (
                    "word_limit",
                    models.PositiveSmallIntegerField(
                        default=45,
                        help_text="Words of the spoken briefing.",
                        validators=[
                            django.core.validators.MinValueValidator(10),
                            django.core.validators.MaxValueValidator(150),
                        ],
                    ),
                ),
                (
                    "introduction",
                    models.TextField(blank=True, help_text="Spoken to both when they are joined; empty: none."),
                ),
                (
                    "disclosure",
                    models.JSONField(blank=True, default=list, help_text="Lines said after the greeting."),
                ),
                ("transcribe_consultation", models.BooleanField(default=True)),
                ("transcribe_after_merge", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ("department", "-version"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("department", "version"), name="profile_version_once", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "name",
                    models.CharField(
                        help_text="Which program uses it. The history shows it.", max_length=80, unique=True
                    ),
                ),
                (
                    "prefix",
                    models.CharField(
                        editable=False, help_text="How its secret begins.", max_length=16, unique=True
                    ),
                ),
                (
                    "digest",
                    models.CharField(editable=False, help_text="SHA-256 of the whole secret.", max_length=64),
                ),
                ("scopes", models.JSONField(default=list, help_text="What it may do.")),
                (
                    "every_department",
                    models.BooleanField(
                        default=False, help_text="Sees all calls and managers, those of later departments too."
                    ),
                ),
                (
                    "per_minute",
                    models.PositiveIntegerField(
                        default=300,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(60000),
                        ],
                        verbose_name="requests a minute",
                    ),
                ),
                (
                    "expires_at",
                    models.DateTimeField(
                        blank=True, help_text="In UTC; empty: never.", null=True, verbose_name="expires"
                    ),
                ),
                (
                    "revoked_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="revoked"),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last used"),
                ),
                ("created_at", models.DateTimeField(editable=False, verbose_name="made")),
                (
                    "created_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "departments",
                    models.ManyToManyField(
                        blank=True,
                        help_text="None: unassigned calls only.",
                        related_name="+",
                        to="calls.department",
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
                "verbose_name_plural": "API keys",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Effect",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=32)),
                ("subject_id", models.UUIDField()),
                ("nth", models.PositiveSmallIntegerField(default=1)),
                (
                    "state",
                    models.CharField(
                        choices=[("due", "Due"), ("claimed", "Claimed"), ("done", "Done"), ("failed", "Failed")],
                        default="due",
                        max_length=8,
                    ),
                ),
                ("args", models.JSONField(default=dict)),
                ("due_at", models.DateTimeField()),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="calls.owner"
                    ),
                ),
                ("token", models.UUIDField(blank=True, null=True)),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.TextField(blank=True)),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("state", "due")), fields=["due_at"], name="effect_due"),
                    models.Index(
                        condition=models.Q(("state", "claimed")), fields=["owner"], name="effect_claimed"
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("kind", "subject_id", "nth"), name="effect_once")],
            },
        ),
        migrations.CreateModel(
            name="EventPayload",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="payload",
                        serialize=False,
                        to="calls.event",
                    ),
                ),
                ("salt", models.BinaryField()),
                ("body", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="calls.department",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("user", "department"), name="membership_once")],
            },
        ),
        migrations.CreateModel(
            name="NumberRoute",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "number",
                    models.CharField(help_text="In E.164, for example +12025550150.", max_length=16, unique=True),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="numbers", to="calls.department"
                    ),
                ),
            ],
            options={
                "ordering": ("number",),
            },
        ),
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("seq", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="seal", to="calls.event"
                    ),
                ),
                ("previous", models.BinaryField()),
                ("digest", models.BinaryField()),
                ("sealed_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="WebhookTarget",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80, unique=True)),
                ("url", models.CharField(help_text="https://…", max_length=500, verbose_name="address")),
                ("types", models.JSONField(default=list, verbose_name="events")),
                (
                    "every_department",
                    models.BooleanField(
                        default=False, help_text="Told of all calls and managers, those of later departments too."
                    ),
                ),
                (
                    "with_content",
                    models.BooleanField(
                        default=False,
                        help_text="Reasons and other words of the event; otherwise ids and states only, the API gives the rest.",
                        verbose_name="with names and words",
                    ),
                ),
                ("enabled", models.BooleanField(default=True)),
                ("secret_nth", models.PositiveIntegerField(default=1, editable=False)),
                ("rotated_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "failing_since",
                    models.DateTimeField(
                        blank=True, editable=False, help_text="Nothing has arrived since.", null=True
                    ),
                ),
                (
                    "gave_up_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="When it was switched off because nothing arrived.",
                        null=True,
                    ),
                ),
                ("created_at", models.DateTimeField(editable=False, verbose_name="made")),
                (
                    "departments",
                    models.ManyToManyField(
                        blank=True,
                        help_text="None: unassigned calls only.",
                        related_name="+",
                        to="calls.department",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="ApiAnswer",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="answers", to="calls.apikey"
                    ),
                ),
                ("idempotency_key", models.CharField(max_length=255)),
                ("request_digest", models.CharField(help_text="SHA-256 of method, path and body.", max_length=64)),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("body", models.JSONField(null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="api_answer_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("key", "idempotency_key"), name="api_answer_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Call",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                ("room_name", models.CharField(max_length=200)),
                ("room_sid", models.CharField(blank=True, max_length=64)),
                (
                    "source",
                    models.CharField(
                        choices=[("phone", "Phone"), ("test", "Test call"), ("callback", "Callback")],
                        default="phone",
                        max_length=8,
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="calls",
                        to="calls.department",
                    ),
                ),
                (
                    "profile",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="calls.agentprofile"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "Active"), ("escalated", "Escalated"), ("inactive", "Ended")],
                        default="active",
                        max_length=10,
                    ),
                ),
                (
                    "caller_with",
                    models.CharField(
                        choices=[
                            ("ai", "With AI"),
                            ("hold", "On hold"),
                            ("manager", "With a manager"),
                            ("supervisor", "With a supervisor"),
                        ],
                        default="ai",
                        max_length=10,
                    ),
                ),
                (
                    "caller_since",
                    models.DateTimeField(help_text="Since when the caller is with whom they are with."),
                ),
                ("caller_identity", models.CharField(blank=True, max_length=200)),
                ("caller_number", models.CharField(blank=True, help_text="Erased by retention.", max_length=128)),
                ("caller_number_hmac", models.CharField(blank=True, db_index=True, max_length=64)),
                ("caller_last4", models.CharField(blank=True, max_length=4)),
                ("dialled_number", models.CharField(blank=True, max_length=128)),
                ("agent_state", models.CharField(blank=True, max_length=16)),
                ("caller_speaking", models.BooleanField(default=False, help_text="Voice activity while on hold.")),
                ("rehearsal", models.BooleanField(default=False)),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("end_reason", models.CharField(blank=True, max_length=32)),
                (
                    "erased_at",
                    models.DateTimeField(blank=True, help_text="What was said, names and numbers.", null=True),
                ),
                ("last_fact_at", models.DateTimeField(help_text="When anything was last heard of its room.")),
                ("missed_listings", models.PositiveSmallIntegerField(default=0)),
                ("last_missed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "wake_at",
                    models.DateTimeField(blank=True, help_text="When the clock looks at it next.", null=True),
                ),
                ("version", models.PositiveBigIntegerField(default=1)),
            ],
            options={
                "permissions": (
                    ("view_every_department", "Can see every department's calls"),
                    ("view_transcript", "Can read transcripts"),
                    ("view_full_number", "Can see full numbers"),
                    ("listen_call", "Can listen to calls"),
                    ("export_calls", "Can export calls"),
                    ("supervise_call", "Can supervise calls"),
                ),
                "indexes": [
                    models.Index(fields=["-started_at", "-id"], name="call_newest"),
                    models.Index(fields=["caller_last4"], name="call_by_last4"),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", False), ("erased_at__isnull", True)),
                        fields=["ended_at"],
                        name="call_to_erase",
                    ),
                    models.Index(
                        condition=models.Q(("wake_at__isnull", False)), fields=["wake_at"], name="call_wake"
                    ),
                    models.Index(
                        condition=models.Q(("state", "inactive"), _negated=True),
                        fields=["department"],
                        name="call_live",
                    ),
                    models.Index(condition=models.Q(("source", "callback")), fields=["source"], name="call_back"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "inactive"), _negated=True),
                        fields=("room_name",),
                        name="one_live_call_a_room",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookMessage",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "target",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="calls.webhooktarget",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        help_text="None: a test.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="calls.event",
                    ),
                ),
                ("type", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sending", "Being sent"),
                            ("sent", "Arrived"),
                            ("given_up", "Given up"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("due_at", models.DateTimeField(help_text="When it is tried next.")),
                ("tries", models.PositiveSmallIntegerField(default=0, help_text="Since it was last asked for.")),
                ("token", models.UUIDField(editable=False, null=True)),
                ("claimed_at", models.DateTimeField(editable=False, null=True)),
                ("sent_at", models.DateTimeField(null=True, verbose_name="arrived")),
                ("created_at", models.DateTimeField(verbose_name="made")),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["target", "due_at"],
                        name="webhook_message_due",
                    ),
                    models.Index(
                        condition=models.Q(("state", "sending")),
                        fields=["claimed_at"],
                        name="webhook_message_sending",
                    ),
                    models.Index(fields=["-created_at"], name="webhook_message_newest"),
                ],
                "constraints": [models.UniqueConstraint(fields=("target", "event"), name="webhook_message_once")],
            },
        ),
        migrations.CreateModel(
            name="AgentJob",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                (
                    "call",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="jobs", to="calls.call"
                    ),
                ),
                ("role", models.CharField(max_length=8)),
                ("attempt_id", models.UUIDField(blank=True, db_index=True, null=True)),
                ("room_name", models.CharField(max_length=200)),
                ("identity", models.CharField(blank=True, max_length=200)),
                ("agent_name", models.CharField(blank=True, help_text="As it was dispatched.", max_length=80)),
                ("epoch", models.PositiveIntegerField(default=1)),
                ("up_received", models.PositiveBigIntegerField(default=0)),
                (
                    "down_last",
                    models.PositiveBigIntegerField(default=0, help_text="Last sequence given to a directive."),
                ),
                ("down_acked", models.PositiveBigIntegerField(default=0)),
                ("started_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                (
                    "closed_at",
                    models.DateTimeField(blank=True, help_text="Left, was replaced, or judged dead.", null=True),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at__isnull", True)), fields=["call", "role"], name="job_live"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CallFact",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "call",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="facts", to="calls.call"
                    ),
                ),
                ("key", models.CharField(max_length=40)),
                ("value", models.TextField()),
                ("learned_at", models.DateTimeField()),
            ],
            options={
                "ordering": ("learned_at",),
                "constraints": [models.UniqueConstraint(fields=("call", "key"), name="fact_once")],
            },
        ),
        migrations.CreateModel(
            name="Leg",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "call",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="legs", to="calls.call"
                    ),
                ),
                ("attempt_id", models.UUIDField(blank=True, db_index=True, null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("caller", "Caller"),
                            ("support", "AI"),
                            ("transfer", "Transfer agent"),
                            ("bridge", "Line"),
                            ("manager", "Manager"),
                            ("listener", "Listener"),
                            ("supervisor", "Supervisor"),
                            ("other", "Other"),
                        ],
                        max_length=12,
                    ),
                ),
                ("identity", models.CharField(max_length=200)),
                ("participant_sid", models.CharField(max_length=64, unique=True)),
                ("room_name", models.CharField(max_length=200)),
                ("sip_status", models.CharField(blank=True, max_length=16)),
                (
                    "by_phone",
                    models.BooleanField(
                        default=False, help_text="A SIP leg: its carrier can be asked to call another."
                    ),
                ),
                ("joined_at", models.DateTimeField()),
                ("left_at", models.DateTimeField(blank=True, null=True)),
                ("leave_reason", models.CharField(blank=True, max_length=40)),
            ],
            options={
                "indexes": [models.Index(fields=["room_name", "identity"], name="leg_by_identity")],
            },
        ),
        migrations.CreateModel(
            name="Room",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("name", models.CharField(max_length=200, unique=True)),
                ("sid", models.CharField(blank=True, max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[("call", "Call"), ("consult", "Consultation"), ("foreign", "Not ours")],
                        default="foreign",
                        max_length=8,
                    ),
                ),
                (
                    "call",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rooms",
                        to="calls.call",
                    ),
                ),
                ("attempt_id", models.UUIDField(blank=True, null=True)),
                ("created_at", models.DateTimeField(blank=True, null=True)),
                (
                    "participants",
                    models.JSONField(
                        default=list,
                        help_text="[{identity, name, kind, state, joined_at, tracks: [{kind, source, muted}], sip: {}}]",
                    ),
                ),
                ("seen_at", models.DateTimeField()),
                ("gone_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.PositiveBigIntegerField(default=1)),
            ],
            options={
                "ordering": ("created_at", "name"),
            },
        ),
        migrations.CreateModel(
            name="Supervision",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "call",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="supervisions", to="calls.call"
                    ),
                ),
                (
                    "attempt_id",
                    models.UUIDField(
                        blank=True,
                        db_index=True,
                        help_text="On the side of its manager; none: on the caller's.",
                        null=True,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("listen", "Listening"),
                            ("whisper", "Whispering"),
                            ("barge", "Joined in"),
                            ("take_over", "Took over"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("opened", "Opened"), ("joined", "Joined"), ("ended", "Ended")],
                        default="opened",
                        max_length=6,
                    ),
                ),
                ("request_key", models.UUIDField(help_text="A repeated click is one grant.", unique=True)),
                ("opened_at", models.DateTimeField()),
                ("joined_at", models.DateTimeField(blank=True, null=True)),
                (
                    "away_since",
                    models.DateTimeField(blank=True, help_text="Joined, and not in the room now.", null=True),
                ),
                ("seen_at", models.DateTimeField(help_text="When their browser last said that it is there.")),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "end_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("stopped", "Stopped"),
                            ("gave_back", "Gave the caller back"),
                            ("unused", "Did not come"),
                            ("lost", "The connection was lost"),
                            ("replaced", "Did something else instead"),
                            ("taken_over", "The call was taken over"),
                            ("side_over", "The manager left"),
                            ("call_ended", "The call ended"),
                        ],
                        max_length=12,
                    ),
                ),
                ("version", models.PositiveBigIntegerField(default=1)),
            ],
            options={
                "ordering": ("opened_at",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "ended"), _negated=True),
                        fields=["opened_at"],
                        name="supervision_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "ended"), _negated=True),
                        fields=("call", "user"),
                        name="one_open_supervision_a_user",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("mode", "take_over"), models.Q(("state", "ended"), _negated=True)),
                        fields=("call",),
                        name="one_open_take_over",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Utterance",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "call",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="utterances", to="calls.call"
                    ),
                ),
                ("attempt_id", models.UUIDField(blank=True, null=True)),
                (
                    "speaker",
                    models.CharField(
                        choices=[
                            ("caller", "caller"),
                            ("ai", "ai"),
                            ("manager", "manager"),
                            ("transfer_agent", "transfer_agent"),
                            ("supervisor", "supervisor"),
                        ],
                        max_length=16,
                    ),
                ),
                ("side", models.CharField(default="call", max_length=12)),
                ("text", models.TextField()),
                ("started_at", models.DateTimeField()),
                ("after_merge", models.BooleanField(default=False)),
                (
                    "words",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.contrib.postgres.search.SearchVector("text", config="simple"),
                        output_field=django.contrib.postgres.search.SearchVectorField(),
                    ),
                ),
            ],
            options={
                "ordering": ("started_at", "id"),
                "indexes": [
                    models.Index(fields=["call", "started_at", "id"], name="utterance_order"),
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["words"], name="utterance_words"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookTry",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="log", to="calls.webhookmessage"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("error", models.CharField(blank=True, max_length=80)),
                ("took_ms", models.PositiveIntegerField()),
            ],
            options={
                "verbose_name": "try",
                "verbose_name_plural": "tries",
                "ordering": ("at", "id"),
            },
        ),
        migrations.CreateModel(
            name="Directive",
            fields=[
                ("id", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="directives", to="calls.agentjob"
                    ),
                ),
                ("seq", models.PositiveBigIntegerField()),
                ("key", models.CharField(max_length=120)),
                ("body", models.JSONField()),
                ("created_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.TextField(blank=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("job", "seq"), name="directive_in_order"),
                    models.UniqueConstraint(fields=("job", "key"), name="directive_once"),
                ],
            },
        ),
        migrations.AddField(
            model_name="Department",
            name="members",
            field=models.ManyToManyField(
                blank=True, related_name="departments", through="calls.Membership", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.RunSQL(APPEND_ONLY, NOT_ANY_MORE),
        migrations.RunPython(forward, migrations.RunPython.noop),
    ]
