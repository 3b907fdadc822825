"""PostgreSQL itself refuses to change or delete an envelope or a seal."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION patchbay_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON calls_event
  FOR EACH ROW EXECUTE FUNCTION patchbay_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON calls_seal
  FOR EACH ROW EXECUTE FUNCTION patchbay_append_only();
"""
BACKWARD = """
DROP TRIGGER append_only ON calls_seal;
DROP TRIGGER append_only ON calls_event;
DROP FUNCTION patchbay_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("calls", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
