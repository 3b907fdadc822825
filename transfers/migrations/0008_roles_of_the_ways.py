"""Who may transfer without a briefing, hold a joined caller, and handle callbacks."""

from django.db import migrations

from calls.roles import grant

STEERS = ("refer_call", "park_call", "view_callback", "handle_callback")
ROLES = {
    "supervisor": STEERS,
    "administrator": STEERS,
    "manager": ("view_callback", "handle_callback"),
    "auditor": ("view_callback",),
}


def forward(apps, schema_editor):
    grant(apps, schema_editor.connection.alias, "transfers", ROLES)


class Migration(migrations.Migration):
    dependencies = [("transfers", "0007_ways_of_a_transfer")]
    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
