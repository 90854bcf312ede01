"""Archives that staff handed to a member who stood there."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# What was handed out is known longer than the archive is.
TABLE = """
CREATE TABLE privacy_handout (
    id          varchar(16)  PRIMARY KEY,
    export_id   varchar(16)  NOT NULL,
    member_id   bigint       NOT NULL,
    store_id    varchar(16),
    staff_id    bigint       NOT NULL,
    proof       varchar(8)   NOT NULL CHECK (proof IN ('code', 'phone', 'paper')),
    reason      varchar(200) NOT NULL,
    state       varchar(8)   NOT NULL CHECK (state IN ('waiting', 'granted', 'fetched', 'refused')),
    approval_id varchar(16),
    approved_by bigint,
    asked_at    timestamptz  NOT NULL,
    until       timestamptz,
    fetched_at  timestamptz,
    CONSTRAINT privacy_handout_two CHECK (approved_by <> staff_id),
    CONSTRAINT privacy_handout_granted CHECK ((state IN ('granted', 'fetched')) = (until IS NOT NULL)),
    CONSTRAINT privacy_handout_fetched CHECK ((state = 'fetched') = (fetched_at IS NOT NULL))
);
CREATE INDEX privacy_handout_newest ON privacy_handout (asked_at DESC, id);
CREATE INDEX privacy_handout_of ON privacy_handout (member_id, asked_at DESC, id);
"""


class Migration(migrations.Migration):
    """Add a table; the release before ignores it."""

    dependencies = [("privacy", "0002_erased")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLE, reverse_sql="DROP TABLE privacy_handout"),
    ]
