from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """A call's newest words are found by the index that also finds a call's words."""

    dependencies = [("calls", "0001_tables")]

    operations = [
        migrations.AddIndex(
            model_name="utterance",
            index=models.Index(fields=["call", "-id"], name="utterance_newest"),
        ),
        migrations.AlterField(
            model_name="utterance",
            name="call",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="utterances",
                to="calls.call",
            ),
        ),
    ]
