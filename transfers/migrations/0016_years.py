"""What pages of years are read from.

The history's filters of attempts on the attempts themselves, in its order, and who sees a transfer on the transfer:
copies of the call's and the transfer's columns, which PostgreSQL keeps itself, so whoever writes, they are right.
And the reports' phases, added up over all departments.
"""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION patchbay_transfer_seen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT coalesce(department_id, 0) INTO NEW.call_department FROM calls_call WHERE id = NEW.call_id;
  RETURN NEW;
END $$;
CREATE TRIGGER seen BEFORE INSERT ON transfers_transfer
  FOR EACH ROW EXECUTE FUNCTION patchbay_transfer_seen();

CREATE FUNCTION patchbay_attempt_seen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT requested_at, coalesce(department_id, 0), call_department
    INTO NEW.requested_at, NEW.department, NEW.call_department
    FROM transfers_transfer WHERE id = NEW.transfer_id;
  RETURN NEW;
END $$;
CREATE TRIGGER seen BEFORE INSERT ON transfers_attempt
  FOR EACH ROW EXECUTE FUNCTION patchbay_attempt_seen();

CREATE FUNCTION patchbay_call_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE transfers_transfer SET call_department = coalesce(NEW.department_id, 0) WHERE call_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER moved AFTER UPDATE OF department_id ON calls_call
  FOR EACH ROW WHEN (OLD.department_id IS DISTINCT FROM NEW.department_id)
  EXECUTE FUNCTION patchbay_call_moved();

CREATE FUNCTION patchbay_transfer_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE transfers_attempt
    SET requested_at = NEW.requested_at, department = coalesce(NEW.department_id, 0),
        call_department = NEW.call_department
    WHERE transfer_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER moved AFTER UPDATE OF requested_at, department_id, call_department ON transfers_transfer
  FOR EACH ROW WHEN ((OLD.requested_at, OLD.department_id, OLD.call_department)
    IS DISTINCT FROM (NEW.requested_at, NEW.department_id, NEW.call_department))
  EXECUTE FUNCTION patchbay_transfer_moved();
"""
BACKWARD = """
DROP TRIGGER moved ON transfers_transfer;
DROP FUNCTION patchbay_transfer_moved();
DROP TRIGGER moved ON calls_call;
DROP FUNCTION patchbay_call_moved();
DROP TRIGGER seen ON transfers_attempt;
DROP FUNCTION patchbay_attempt_seen();
DROP TRIGGER seen ON transfers_transfer;
DROP FUNCTION patchbay_transfer_seen();
"""
# Of those that are there. The triggers are made after it, and would do the second for each row of the first.
FILL = """
UPDATE transfers_transfer SET call_department = call.department_id FROM calls_call AS call
  WHERE call.id = call_id AND call.department_id IS NOT NULL;
UPDATE transfers_attempt AS attempt
  SET requested_at = one.requested_at, department = coalesce(one.department_id, 0),
      call_department = one.call_department
  FROM transfers_transfer AS one WHERE one.id = transfer_id;
INSERT INTO transfers_phasetally (weekly, day, department, phase, bucket, n)
  SELECT weekly, day, 9223372036854775807, phase, bucket, sum(n) FROM transfers_phasetally GROUP BY 1, 2, 4, 5;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0001_tables"),
        ("transfers", "0001_tables"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="phasetally",
            name="phase_tally_once",
        ),
        migrations.RemoveIndex(
            model_name="attempt",
            name="attempt_by_outcome",
        ),
        migrations.RemoveIndex(
            model_name="attempt",
            name="attempt_by_sip",
        ),
        migrations.AddField(
            model_name="attempt",
            name="call_department",
            field=models.PositiveBigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="attempt",
            name="department",
            field=models.PositiveBigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="attempt",
            name="requested_at",
            field=models.DateTimeField(
                editable=False,
                help_text="The transfer's, as are the departments: PostgreSQL keeps them (0016).",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="transfer",
            name="call_department",
            field=models.PositiveBigIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="The call's; 0 for none. PostgreSQL keeps it (0016).",
            ),
        ),
        # The field's own index alone: Django would drop every index of this column, and with them the constraint by
        # which a manager has one open attempt.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="attempt",
                    name="manager",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="transfers.manager",
                    ),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    "DROP INDEX transfers_attempt_manager_id_d9b945f2;",
                    "CREATE INDEX transfers_attempt_manager_id_d9b945f2 ON transfers_attempt (manager_id);",
                ),
            ],
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(fields=["manager", "-requested_at", "-transfer"], name="attempt_by_manager"),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("outcome", ""), _negated=True),
                fields=["outcome", "-requested_at", "-transfer"],
                name="attempt_outcome",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("outcome", ""), _negated=True),
                fields=["department", "outcome", "-requested_at", "-transfer"],
                name="attempt_outcome_department",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("outcome", ""), _negated=True),
                fields=["call_department", "outcome", "-requested_at", "-transfer"],
                name="attempt_outcome_calls",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("sip_status__isnull", False)),
                fields=["sip_status", "-requested_at", "-transfer"],
                name="attempt_sip",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("sip_status__isnull", False)),
                fields=["department", "sip_status", "-requested_at", "-transfer"],
                name="attempt_sip_department",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("sip_status__isnull", False)),
                fields=["call_department", "sip_status", "-requested_at", "-transfer"],
                name="attempt_sip_calls",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("answered_at__isnull", True), ("state", "failed")),
                fields=["-requested_at", "-transfer"],
                name="attempt_unanswered",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("answered_at__isnull", True), ("state", "failed")),
                fields=["department", "-requested_at", "-transfer"],
                name="attempt_unanswered_department",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("answered_at__isnull", True), ("state", "failed")),
                fields=["call_department", "-requested_at", "-transfer"],
                name="attempt_unanswered_calls",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(
                    ("answered_at__isnull", False),
                    ("state", "failed"),
                    models.Q(("outcome", "merge_failed"), _negated=True),
                ),
                fields=["-requested_at", "-transfer"],
                name="attempt_answered",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(
                    ("answered_at__isnull", False),
                    ("state", "failed"),
                    models.Q(("outcome", "merge_failed"), _negated=True),
                ),
                fields=["department", "-requested_at", "-transfer"],
                name="attempt_answered_department",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(
                    ("answered_at__isnull", False),
                    ("state", "failed"),
                    models.Q(("outcome", "merge_failed"), _negated=True),
                ),
                fields=["call_department", "-requested_at", "-transfer"],
                name="attempt_answered_calls",
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                fields=["department", "end_reason", "-requested_at", "-id"], name="transfer_by_department_result"
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                fields=["call_department", "-requested_at", "-id"], name="transfer_by_calls_department"
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                fields=["call_department", "end_reason", "-requested_at", "-id"], name="transfer_by_calls_result"
            ),
        ),
        migrations.AddConstraint(
            model_name="phasetally",
            constraint=models.UniqueConstraint(
                fields=("weekly", "day", "department", "phase", "bucket"), include=("n",), name="phase_tally_once"
            ),
        ),
    ]
