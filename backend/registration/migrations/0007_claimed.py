"""Of whom an import made, it is known who has claimed their record since: counted by an index."""

from tortoise import migrations
from tortoise.migrations import operations as ops

CLAIMED = """
ALTER TABLE registration_import_row ADD COLUMN claimed_at timestamptz;
UPDATE registration_import_row r SET claimed_at = a.at
  FROM (SELECT member_id, min(applied_at) AS at FROM registration_application WHERE claimed GROUP BY member_id) a
 WHERE r.member_id = a.member_id;
CREATE INDEX registration_import_row_claimed ON registration_import_row (import_id) WHERE claimed_at IS NOT NULL;
"""
UNCLAIMED = "ALTER TABLE registration_import_row DROP COLUMN claimed_at"


class Migration(migrations.Migration):
    """Add the column with what is known of before; a second or two for a million imported members."""

    dependencies = [("registration", "0006_given_up")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(CLAIMED, reverse_sql=UNCLAIMED),
    ]
