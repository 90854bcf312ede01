"""Batches: a template sent to many, chunk by chunk, from where the last chunk ended."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE message_batch (
    id         varchar(20)  PRIMARY KEY,
    key        varchar(200) NOT NULL CONSTRAINT message_batch_key UNIQUE,
    digest     bytea        NOT NULL,
    title      text         NOT NULL,
    template   varchar(40)  NOT NULL,
    purpose    varchar(10)  NOT NULL,
    given      jsonb        NOT NULL,
    audience   jsonb        NOT NULL,
    link       text,
    store_id   varchar(16),
    state      varchar(10)  NOT NULL CONSTRAINT message_batch_state
               CHECK (state IN ('draft', 'scheduled', 'running', 'paused', 'done', 'cancelled')),
    problem    varchar(40),
    expected   integer      NOT NULL CHECK (expected >= 0),
    written    integer      NOT NULL DEFAULT 0 CHECK (written >= 0),
    after      bigint       NOT NULL DEFAULT 0,
    send_at    timestamptz,
    staff_id   bigint       NOT NULL,
    created_at timestamptz  NOT NULL,
    started_at timestamptz,
    written_at timestamptz,
    ended_at   timestamptz,
    updated_at timestamptz  NOT NULL,
    CONSTRAINT message_batch_ended CHECK ((state IN ('done', 'cancelled')) = (ended_at IS NOT NULL)),
    CONSTRAINT message_batch_done CHECK (state <> 'done' OR written_at IS NOT NULL)
);
CREATE INDEX message_batch_newest ON message_batch (created_at, id);
CREATE INDEX message_batch_open ON message_batch (id) WHERE state IN ('scheduled', 'running');

CREATE TABLE message_batch_change (
    id       bigint      PRIMARY KEY,
    batch_id varchar(20) NOT NULL,
    staff_id bigint      NOT NULL,
    action   varchar(20) NOT NULL,
    detail   jsonb       NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX message_batch_change_newest ON message_batch_change (batch_id, at DESC, id);
CREATE FUNCTION message_batch_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who did what to a batch is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER message_batch_change_is_kept BEFORE UPDATE OR DELETE ON message_batch_change
    FOR EACH ROW EXECUTE FUNCTION message_batch_change_is_kept();

CREATE INDEX message_delivery_held ON message_delivery (batch_id) WHERE state = 'queued' AND next_at IS NULL;
"""

DROP = """
DROP INDEX message_delivery_held;
DROP TABLE message_batch_change, message_batch;
DROP FUNCTION message_batch_change_is_kept();
"""


class Migration(migrations.Migration):
    """Create the tables of batches."""

    dependencies = [("messages", "0002_templates")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
