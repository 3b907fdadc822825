from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Which program asked for a transfer is found without reading all that happened in it."""

    dependencies = [("calls", "0019_utterance_newest")]

    operations = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("actor_kind", "api_key"), ("transfer_id__isnull", False)),
                fields=["transfer_id"],
                name="event_of_program",
            ),
        ),
    ]
