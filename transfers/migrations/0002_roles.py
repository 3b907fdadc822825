"""What each role may do with transfers and the roster."""

from django.db import migrations

from calls.roles import every_action, grant

ESCALATES = ("view_transfer", "request_transfer", "approve_transfer", "cancel_transfer", "set_presence")
ROSTER = every_action("manager", "endpoint", "shift")
ROLES = {
    "supervisor": (*ESCALATES, *ROSTER),
    "manager": (),
    "auditor": ("view_transfer",),
    "administrator": (*ESCALATES, *ROSTER, *every_action("policy", "trunk")),
}


def forward(apps, schema_editor):
    grant(apps, schema_editor.connection.alias, "transfers", ROLES)


class Migration(migrations.Migration):
    dependencies = [("transfers", "0001_initial"), ("calls", "0004_roles")]
    operations = [
        migrations.AlterModelOptions(
            name="manager",
            options={
                "ordering": ("priority", "name"),
                "permissions": (("set_presence", "Can set anyone's presence, with a reason"),),
            },
        ),
        migrations.RunPython(forward, migrations.RunPython.noop),
    ]
