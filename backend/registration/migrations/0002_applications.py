"""What becomes of who registers: the policy's versions, and each try to register."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE registration_policy (
    version          integer     PRIMARY KEY CHECK (version > 0),
    mode             text        NOT NULL CHECK (mode IN ('automatic', 'rules', 'queue')),
    rules            jsonb       NOT NULL,
    otherwise        text        NOT NULL CHECK (otherwise IN ('approve', 'queue', 'reject')),
    otherwise_reason text,
    staff_id         bigint      NOT NULL,
    at               timestamptz NOT NULL
);
CREATE TABLE registration_application (
    id             text        PRIMARY KEY,
    member_id      bigint      NOT NULL,
    identity_id    bigint,
    channel        text        NOT NULL CHECK (channel IN ('phone', 'staff', 'till')),
    store_id       text,
    referred       boolean     NOT NULL,
    state          text        NOT NULL CHECK (state IN ('pending', 'approved', 'rejected')),
    rule           text,
    policy_version integer,
    reason         text,
    claimed        boolean     NOT NULL,
    name_sealed    text,
    decided_by     bigint,
    applied_at     timestamptz NOT NULL,
    decided_at     timestamptz,
    CONSTRAINT registration_application_decided CHECK ((decided_at IS NULL) = (state = 'pending'))
);
CREATE INDEX registration_application_newest ON registration_application (applied_at DESC, id DESC);
CREATE INDEX registration_application_pending ON registration_application (applied_at DESC, id DESC)
    WHERE state = 'pending';
CREATE INDEX registration_application_store ON registration_application (store_id, applied_at DESC, id DESC);
CREATE INDEX registration_application_member ON registration_application (member_id, applied_at DESC);
CREATE INDEX registration_application_identity ON registration_application (identity_id, applied_at DESC)
    WHERE identity_id IS NOT NULL;
"""


class Migration(migrations.Migration):
    """Create the tables."""

    dependencies = [("registration", "0001_batches")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE registration_application, registration_policy"),
    ]
