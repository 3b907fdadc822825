"""What the history is searched by."""

import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0018_search"),
        ("transfers", "0013_roster"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("outcome", ""), _negated=True), fields=["outcome"], name="attempt_by_outcome"
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("sip_status__isnull", False)), fields=["sip_status"], name="attempt_by_sip"
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("kind", "cold")), fields=["-requested_at", "-id"], name="transfer_cold"
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("requested_by__isnull", False)),
                fields=["requested_by", "-requested_at", "-id"],
                name="transfer_by_asker",
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("decided_by__isnull", False)),
                fields=["decided_by", "-requested_at", "-id"],
                name="transfer_by_decider",
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("cancelled_by__isnull", False)),
                fields=["cancelled_by", "-requested_at", "-id"],
                name="transfer_by_stopper",
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                django.db.models.expressions.CombinedExpression(
                    models.F("ended_at"), "-", models.F("requested_at")
                ),
                name="transfer_took",
            ),
        ),
    ]
