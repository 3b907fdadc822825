"""Administrators make, change and revoke keys; nobody deletes one, for the record names it."""

from django.db import migrations

from calls.roles import Role, grant

GRANTED = {Role.ADMINISTRATOR: ("add_apikey", "change_apikey", "view_apikey")}


def forward(apps, schema_editor):
    grant(apps, schema_editor.connection.alias, "calls", GRANTED)


class Migration(migrations.Migration):
    dependencies = [("calls", "0011_api_keys")]
    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
