"""Administrators set up webhooks and look at what was sent."""

from django.db import migrations

from calls.roles import Role, every_action, grant

GRANTED = {Role.ADMINISTRATOR: (*every_action("webhooktarget"), "view_webhookmessage", "view_webhooktry")}


def forward(apps, schema_editor):
    grant(apps, schema_editor.connection.alias, "calls", GRANTED)


class Migration(migrations.Migration):
    dependencies = [("calls", "0013_webhooks")]
    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
