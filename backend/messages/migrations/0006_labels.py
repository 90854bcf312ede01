"""Sheets of address labels: asked for by staff, made by a job, kept sealed for a week."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE message_sheet (
    id         varchar(20)  PRIMARY KEY,
    key        varchar(200) NOT NULL CONSTRAINT message_sheet_key UNIQUE,
    digest     bytea        NOT NULL,
    layout     varchar(20)  NOT NULL,
    skip       integer      NOT NULL CHECK (skip BETWEEN 0 AND 63),
    purpose    varchar(10)  NOT NULL,
    audience   jsonb,
    batch_id   varchar(20),
    store_id   varchar(16),
    state      varchar(10)  NOT NULL CONSTRAINT message_sheet_state CHECK (state IN ('waiting', 'done', 'failed')),
    problem    varchar(40),
    labels     integer      NOT NULL DEFAULT 0 CHECK (labels >= 0),
    pages      integer      NOT NULL DEFAULT 0 CHECK (pages >= 0),
    no_address integer      NOT NULL DEFAULT 0 CHECK (no_address >= 0),
    no_consent integer      NOT NULL DEFAULT 0 CHECK (no_consent >= 0),
    sealed     text,
    staff_id   bigint       NOT NULL,
    created_at timestamptz  NOT NULL,
    ended_at   timestamptz,
    CONSTRAINT message_sheet_of CHECK ((audience IS NULL) <> (batch_id IS NULL)),
    CONSTRAINT message_sheet_ended CHECK ((state = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX message_sheet_newest ON message_sheet (created_at, id);
"""


class Migration(migrations.Migration):
    """Create the table of sheets."""

    dependencies = [("messages", "0005_channels")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE message_sheet;"),
    ]
