"""Requests of tills, and members' documents."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE identity_request (
    id          bigint      PRIMARY KEY,
    terminal_id varchar(32) NOT NULL,
    store_id    varchar(16) NOT NULL,
    way         varchar(8)  NOT NULL CHECK (way IN ('phone', 'document', 'card')),
    member_id   bigint,
    state       varchar(10) NOT NULL CHECK (state IN ('waiting', 'confirmed', 'rejected')),
    rights      varchar(8)  CHECK (rights IN ('earn', 'spend')),
    pin_tries   integer     NOT NULL DEFAULT 0,
    at          timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    decided_at  timestamptz,
    CONSTRAINT identity_request_rights CHECK ((state = 'confirmed') = (rights IS NOT NULL)),
    CONSTRAINT identity_request_decided CHECK ((state = 'waiting') = (decided_at IS NULL))
);
CREATE INDEX identity_request_of_member ON identity_request (member_id, at DESC) WHERE member_id IS NOT NULL;
CREATE INDEX identity_request_over ON identity_request (expires_at);

CREATE TABLE identity_document (
    member_id     bigint      PRIMARY KEY,
    number_sealed text        NOT NULL,
    number_index  varchar(64) NOT NULL UNIQUE,
    set_at        timestamptz NOT NULL
);
"""


class Migration(migrations.Migration):
    """Create the tables."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE identity_document, identity_request"),
    ]
