"""What was said can be searched: PostgreSQL's full text, kept beside each turn by PostgreSQL itself."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0017_retention"),
    ]

    operations = [
        migrations.AddField(
            model_name="utterance",
            name="words",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.contrib.postgres.search.SearchVector("text", config="simple"),
                output_field=django.contrib.postgres.search.SearchVectorField(),
            ),
        ),
        migrations.AddIndex(
            model_name="utterance",
            index=django.contrib.postgres.indexes.GinIndex(
                fastupdate=False, fields=["words"], name="utterance_words"
            ),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(condition=models.Q(("source", "callback")), fields=["source"], name="call_back"),
        ),
    ]
