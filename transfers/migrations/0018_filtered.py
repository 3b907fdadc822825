"""Filters that walked the past: callbacks, one manager among a department's transfers; and each without its call."""

from django.db import migrations, models

FORWARD = """
CREATE OR REPLACE FUNCTION patchbay_transfer_seen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT coalesce(department_id, 0), rehearsal, source = 'callback'
    INTO NEW.call_department, NEW.of_rehearsal, NEW.of_callback
    FROM calls_call WHERE id = NEW.call_id;
  RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION patchbay_call_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE transfers_transfer SET call_department = coalesce(NEW.department_id, 0),
      of_rehearsal = NEW.rehearsal, of_callback = NEW.source = 'callback'
    WHERE call_id = NEW.id;
  RETURN NULL;
END $$;
DROP TRIGGER moved ON calls_call;
CREATE TRIGGER moved AFTER UPDATE OF department_id, rehearsal, source ON calls_call
  FOR EACH ROW WHEN ((OLD.department_id, OLD.rehearsal, OLD.source)
    IS DISTINCT FROM (NEW.department_id, NEW.rehearsal, NEW.source))
  EXECUTE FUNCTION patchbay_call_moved();
"""
BACKWARD = """
CREATE OR REPLACE FUNCTION patchbay_transfer_seen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT coalesce(department_id, 0) INTO NEW.call_department
    FROM calls_call WHERE id = NEW.call_id;
  RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION patchbay_call_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE transfers_transfer SET call_department = coalesce(NEW.department_id, 0)
    WHERE call_id = NEW.id;
  RETURN NULL;
END $$;
DROP TRIGGER moved ON calls_call;
CREATE TRIGGER moved AFTER UPDATE OF department_id ON calls_call
  FOR EACH ROW WHEN (OLD.department_id IS DISTINCT FROM NEW.department_id)
  EXECUTE FUNCTION patchbay_call_moved();
"""
FILL = """
UPDATE transfers_transfer SET of_rehearsal = rehearsal, of_callback = source = 'callback' FROM calls_call AS call
  WHERE call.id = call_id AND (rehearsal OR source = 'callback');
"""


class Migration(migrations.Migration):
    dependencies = [("calls", "0019_utterance_newest"), ("transfers", "0017_trunk_password")]

    operations = [
        migrations.AddField(
            model_name="transfer",
            name="of_callback",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Whether its call is one that we made, back to the caller. PostgreSQL keeps it (0018).",
            ),
        ),
        migrations.AddField(
            model_name="transfer",
            name="of_rehearsal",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Whether its call is one; kept likewise.",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                fields=["department", "manager", "-requested_at", "-transfer"],
                name="attempt_by_manager_department",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                fields=["call_department", "manager", "-requested_at", "-transfer"],
                name="attempt_by_manager_calls",
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("of_callback", True)),
                fields=["-requested_at", "-id"],
                name="transfer_of_callback",
            ),
        ),
    ]
