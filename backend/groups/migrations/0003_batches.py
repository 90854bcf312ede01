"""Allotments to many people of a group from one table."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE group_allot_batch (
    id          text        PRIMARY KEY,
    key         text        NOT NULL UNIQUE,
    digest      bytea       NOT NULL,
    group_id    text        NOT NULL,
    owner_id    text        NOT NULL,
    title       text        NOT NULL,
    state       text        NOT NULL,
    rows        integer     NOT NULL CHECK (rows > 0),
    skipped     integer     NOT NULL CHECK (skipped >= 0),
    stored_fen  bigint      NOT NULL CHECK (stored_fen >= 0),
    points      bigint      NOT NULL CHECK (points >= 0),
    staff_id    bigint      NOT NULL,
    approval_id text,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    CONSTRAINT group_allot_batch_state CHECK (state IN ('waiting', 'running', 'done', 'cancelled')),
    CONSTRAINT group_allot_batch_ended CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'cancelled')))
);
CREATE INDEX group_allot_batch_newest ON group_allot_batch (group_id, created_at DESC, id DESC);
CREATE INDEX group_allot_batch_running ON group_allot_batch (updated_at) WHERE state = 'running';
CREATE TABLE group_allot_row (
    batch_id  text    NOT NULL REFERENCES group_allot_batch ON DELETE RESTRICT,
    row_no    integer NOT NULL,
    person_id text    NOT NULL,
    member_no text    NOT NULL,
    kind      text    NOT NULL CONSTRAINT group_allot_row_kind CHECK (kind IN ('stored', 'points')),
    amount    bigint  NOT NULL CHECK (amount > 0),
    note      text    NOT NULL,
    state     text    NOT NULL CONSTRAINT group_allot_row_state CHECK (state IN ('waiting', 'posted', 'refused')),
    refusal   text,
    PRIMARY KEY (batch_id, row_no),
    CONSTRAINT group_allot_row_refusal CHECK ((refusal IS NOT NULL) = (state = 'refused'))
);
CREATE INDEX group_allot_row_open ON group_allot_row (batch_id, state, row_no) WHERE state <> 'posted';
"""


class Migration(migrations.Migration):
    """Create the tables."""

    dependencies = [("groups", "0002_allotments")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE group_allot_row, group_allot_batch"),
    ]
