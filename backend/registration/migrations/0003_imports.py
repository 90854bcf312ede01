"""Imports of members: what was sent, its rows until they are written, what is wrong with them, what became of each."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE registration_import (
    id            text        PRIMARY KEY,
    key           text        NOT NULL UNIQUE,
    digest        bytea       NOT NULL,
    title         text        NOT NULL,
    kind          text        NOT NULL CHECK (kind IN ('csv', 'xlsx')),
    skip_bad      boolean     NOT NULL,
    dry_run       boolean     NOT NULL,
    state         text        NOT NULL,
    body          bytea,
    total         integer     NOT NULL DEFAULT 0,
    good          integer     NOT NULL DEFAULT 0,
    bad           integer     NOT NULL DEFAULT 0,
    done          integer     NOT NULL DEFAULT 0,
    made          integer     NOT NULL DEFAULT 0,
    points        bigint      NOT NULL DEFAULT 0,
    principal_fen bigint      NOT NULL DEFAULT 0,
    bonus_fen     bigint      NOT NULL DEFAULT 0,
    staff_id      bigint      NOT NULL,
    approval_id   text,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    CONSTRAINT registration_import_state CHECK (state IN
        ('waiting', 'reading', 'checked', 'approving', 'writing', 'done', 'refused', 'cancelled')),
    CONSTRAINT registration_import_ended CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'refused', 'cancelled'))),
    CONSTRAINT registration_import_counts CHECK (0 <= made AND made <= done AND done <= good)
);
ALTER TABLE registration_import ALTER body SET STORAGE EXTERNAL;
CREATE INDEX registration_import_newest ON registration_import (created_at DESC, id DESC);
CREATE INDEX registration_import_open ON registration_import (updated_at) WHERE ended_at IS NULL;
CREATE TABLE registration_import_row (
    import_id     text    NOT NULL REFERENCES registration_import ON DELETE RESTRICT,
    row_no        integer NOT NULL,
    phone_index   text    NOT NULL,
    card_no       text,
    points        bigint  NOT NULL,
    principal_fen bigint  NOT NULL,
    bonus_fen     bigint  NOT NULL,
    sealed      text,
    result      text,
    member_id   bigint,
    PRIMARY KEY (import_id, row_no)
);
CREATE INDEX registration_import_row_phone ON registration_import_row (import_id, phone_index, row_no);
CREATE INDEX registration_import_row_card ON registration_import_row (import_id, card_no, row_no)
    WHERE card_no IS NOT NULL;
CREATE INDEX registration_import_row_waiting ON registration_import_row (import_id, row_no) WHERE result IS NULL;
CREATE INDEX registration_import_row_member ON registration_import_row (member_id) WHERE member_id IS NOT NULL;
CREATE TABLE registration_import_flaw (
    import_id text    NOT NULL REFERENCES registration_import ON DELETE RESTRICT,
    row_no    integer NOT NULL,
    field     text    NOT NULL,
    message   text    NOT NULL,
    PRIMARY KEY (import_id, row_no, field, message)
);
"""


class Migration(migrations.Migration):
    """Create the tables."""

    dependencies = [("registration", "0002_applications")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            TABLES,
            reverse_sql="DROP TABLE registration_import_flaw, registration_import_row, registration_import",
        ),
    ]
