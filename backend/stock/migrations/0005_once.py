"""A document is entered once per key, and a payment's key may be as long as any."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# Wider texts and columns without a default rewrite nothing; no row is in the new index yet.
CHANGES = """
ALTER TABLE stock_payment ALTER key TYPE varchar(300);
ALTER TABLE stock_document ADD COLUMN key varchar(300), ADD COLUMN key_hash bytea;
CREATE UNIQUE INDEX stock_document_key ON stock_document (key) WHERE key IS NOT NULL;
"""

# The text of a payment's key stays as long as it is: shortening it could fail.
BACK = """
DROP INDEX stock_document_key;
ALTER TABLE stock_document DROP COLUMN key, DROP COLUMN key_hash;
"""


class Migration(migrations.Migration):
    """Widen the one, add the other."""

    dependencies = [("stock", "0004_alerts")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(CHANGES, reverse_sql=BACK),
    ]
