"""The groups of the four roles, and what each may do with calls, departments and accounts."""

from django.db import migrations

from calls.roles import every_action, grant

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
        *every_action("department", "membership", "numberroute", "agentprofile"),
    ),
}
ACCOUNTS = {"administrator": (*every_action("user"), "view_group", "change_group")}


def forward(apps, schema_editor):
    grant(apps, schema_editor.connection.alias, "calls", ROLES)
    grant(apps, schema_editor.connection.alias, "auth", ACCOUNTS)


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0003_every_department"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
