"""Batches of adjustments and their rows: who gets what, and what became of it. The value itself is the ledger's."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE points_batch (
    id          text        PRIMARY KEY,
    key         text        NOT NULL UNIQUE,
    digest      bytea       NOT NULL,
    title       text        NOT NULL,
    state       text        NOT NULL,
    rows        integer     NOT NULL CHECK (rows > 0),
    skipped     integer     NOT NULL CHECK (skipped >= 0),
    given       bigint      NOT NULL CHECK (given >= 0),
    taken       bigint      NOT NULL CHECK (taken >= 0),
    staff_id    bigint      NOT NULL,
    store_id    text,
    approval_id text,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    CONSTRAINT points_batch_state CHECK (state IN ('waiting', 'running', 'done', 'cancelled')),
    CONSTRAINT points_batch_ended CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'cancelled')))
);
CREATE INDEX points_batch_newest ON points_batch (created_at DESC, id DESC);
CREATE INDEX points_batch_running ON points_batch (updated_at) WHERE state = 'running';
CREATE TABLE points_batch_row (
    batch_id   text    NOT NULL REFERENCES points_batch ON DELETE RESTRICT,
    row_no     integer NOT NULL,
    member_id  bigint  NOT NULL,
    points     bigint  NOT NULL CHECK (points <> 0),
    reason     text    NOT NULL,
    note       text    NOT NULL,
    expires_on date,
    state      text    NOT NULL,
    refusal    text,
    PRIMARY KEY (batch_id, row_no),
    CONSTRAINT points_batch_row_state CHECK (state IN ('waiting', 'posted', 'refused')),
    CONSTRAINT points_batch_row_refusal CHECK ((refusal IS NOT NULL) = (state = 'refused'))
);
CREATE INDEX points_batch_row_waiting ON points_batch_row (batch_id, row_no) WHERE state = 'waiting';
"""


class Migration(migrations.Migration):
    """Create the tables."""

    dependencies = [("points", "0002_transfers")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE points_batch_row, points_batch"),
    ]
