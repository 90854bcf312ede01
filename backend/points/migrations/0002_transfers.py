"""Transfers between members: what went from whom to whom. The value itself is the ledger's."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# Both members look for theirs, so the row lies by neither.
TABLE = """
CREATE TABLE points_transfer (
    id          text        PRIMARY KEY,
    giver_id    bigint      NOT NULL,
    receiver_id bigint      NOT NULL,
    points      bigint      NOT NULL CHECK (points > 0),
    state       text        NOT NULL,
    at          timestamptz NOT NULL,
    reversed_at timestamptz,
    CONSTRAINT points_transfer_state CHECK (state IN ('done', 'reversed')),
    CONSTRAINT points_transfer_two CHECK (giver_id <> receiver_id),
    CONSTRAINT points_transfer_reversed CHECK ((state = 'reversed') = (reversed_at IS NOT NULL))
);
CREATE INDEX points_transfer_given ON points_transfer (giver_id, at DESC, id DESC);
CREATE INDEX points_transfer_received ON points_transfer (receiver_id, at DESC, id DESC);
"""


class Migration(migrations.Migration):
    """Create the table."""

    dependencies = [("points", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLE, reverse_sql="DROP TABLE points_transfer"),
    ]
