"""An inline trunk has a password of its own, encrypted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("transfers", "0016_years")]

    operations = [
        migrations.AddField(
            model_name="trunk",
            name="auth_password",
            field=models.TextField(
                blank=True,
                default="",
                editable=False,
                help_text="Encrypted: see calls.kept_secrets.",
                verbose_name="password",
            ),
        ),
    ]
