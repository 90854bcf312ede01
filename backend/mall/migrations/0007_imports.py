"""Imports of large tables: what was sent, its rows until they are written, and what was wrong with them."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE mall_import (
    id               varchar(16) PRIMARY KEY,
    key              varchar(300) NOT NULL UNIQUE,
    digest           bytea       NOT NULL,
    kind             varchar(4)  NOT NULL CHECK (kind IN ('csv', 'xlsx')),
    on_error         varchar(6)  NOT NULL CHECK (on_error IN ('refuse', 'skip')),
    state            varchar(8)  NOT NULL CHECK (state IN ('waiting', 'reading', 'writing', 'done', 'refused')),
    body             bytea,
    columns          jsonb       NOT NULL DEFAULT '[]',
    place            varchar(80) NOT NULL DEFAULT '',
    rows             integer     NOT NULL DEFAULT 0,
    rows_done        integer     NOT NULL DEFAULT 0,
    rows_skipped     integer     NOT NULL DEFAULT 0,
    products_new     integer     NOT NULL DEFAULT 0,
    products_changed integer     NOT NULL DEFAULT 0,
    articles_new     integer     NOT NULL DEFAULT 0,
    articles_changed integer     NOT NULL DEFAULT 0,
    staff_id         bigint      NOT NULL,
    created_at       timestamptz NOT NULL,
    ended_at         timestamptz
);
ALTER TABLE mall_import ALTER body SET STORAGE EXTERNAL;
CREATE INDEX mall_import_newest ON mall_import (created_at DESC, id);
CREATE TABLE mall_import_row (
    import_id varchar(16) NOT NULL REFERENCES mall_import ON DELETE RESTRICT,
    place     varchar(80) NOT NULL COLLATE "C",
    row_no    integer     NOT NULL,
    cells     jsonb       NOT NULL,
    PRIMARY KEY (import_id, place, row_no)
);
CREATE TABLE mall_import_flaw (
    import_id varchar(16)  NOT NULL REFERENCES mall_import ON DELETE RESTRICT,
    row_no    integer      NOT NULL,
    field     varchar(40)  NOT NULL,
    message   varchar(200) NOT NULL,
    PRIMARY KEY (import_id, row_no, field, message)
);
"""


class Migration(migrations.Migration):
    """Create them."""

    dependencies = [("mall", "0006_uploads")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE mall_import_flaw, mall_import_row, mall_import"),
    ]
