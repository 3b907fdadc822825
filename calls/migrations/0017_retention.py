"""When what was said in a call is erased, and when it was."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0016_audit"),
    ]

    operations = [
        migrations.AddField(
            model_name="call",
            name="erased_at",
            field=models.DateTimeField(blank=True, help_text="What was said, names and numbers.", null=True),
        ),
        migrations.AddField(
            model_name="department",
            name="retention_days",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Then what was said in a call, names and numbers are erased for good. 0: never. Empty: as the setting RETENTION_DAYS says.",
                null=True,
                verbose_name="keep for (days)",
            ),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", False), ("erased_at__isnull", True)),
                fields=["ended_at"],
                name="call_to_erase",
            ),
        ),
    ]
