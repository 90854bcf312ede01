"""A code by SMS to the member of a request, for whoever has the number at hand and not the mini-app."""

from tortoise import migrations
from tortoise.migrations import operations as ops

ADD = """
ALTER TABLE identity_request
    ADD COLUMN code_for    varchar(8) CHECK (code_for IN ('earn', 'spend')),
    ADD COLUMN code_digest varchar(64),
    ADD COLUMN code_sealed text,
    ADD COLUMN code_at     timestamptz,
    ADD COLUMN codes       integer NOT NULL DEFAULT 0,
    ADD COLUMN code_tries  integer NOT NULL DEFAULT 0
"""
DROP = """
ALTER TABLE identity_request DROP COLUMN code_for, DROP COLUMN code_digest, DROP COLUMN code_sealed,
    DROP COLUMN code_at, DROP COLUMN codes, DROP COLUMN code_tries
"""


class Migration(migrations.Migration):
    """Columns that may be empty or have a constant default: instant."""

    dependencies = [("identities", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(ADD, reverse_sql=DROP),
    ]
