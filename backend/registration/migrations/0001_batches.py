"""Changes of many members: who is meant, and what became of each; and who was warned of a membership's end."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE registration_batch (
    id          text        PRIMARY KEY,
    key         text        NOT NULL UNIQUE,
    digest      bytea       NOT NULL,
    kind        text        NOT NULL,
    reason      text        NOT NULL,
    change      jsonb       NOT NULL,
    audience    jsonb       NOT NULL,
    state       text        NOT NULL,
    meant       integer     NOT NULL CHECK (meant > 0),
    done        integer     NOT NULL DEFAULT 0,
    changed     integer     NOT NULL DEFAULT 0,
    staff_id    bigint      NOT NULL,
    store_id    text,
    approval_id text,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    CONSTRAINT registration_batch_state CHECK (state IN ('waiting', 'running', 'done', 'cancelled')),
    CONSTRAINT registration_batch_ended CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'cancelled'))),
    CONSTRAINT registration_batch_counts CHECK (0 <= changed AND changed <= done AND done <= meant)
);
CREATE INDEX registration_batch_newest ON registration_batch (created_at DESC, id DESC);
CREATE INDEX registration_batch_open ON registration_batch (updated_at) WHERE state IN ('waiting', 'running');
CREATE TABLE registration_batch_row (
    batch_id  text   NOT NULL REFERENCES registration_batch ON DELETE RESTRICT,
    member_id bigint NOT NULL,
    result    text,
    PRIMARY KEY (batch_id, member_id)
);
CREATE INDEX registration_batch_row_waiting ON registration_batch_row (batch_id, member_id) WHERE result IS NULL;
CREATE INDEX registration_batch_row_member ON registration_batch_row (member_id);
CREATE TABLE registration_warned (
    member_id   bigint  NOT NULL,
    valid_until date    NOT NULL,
    days        integer NOT NULL,
    PRIMARY KEY (member_id, valid_until, days)
);
"""


class Migration(migrations.Migration):
    """Create the tables."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE registration_warned, registration_batch_row, registration_batch"),
    ]
