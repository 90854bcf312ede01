"""进销存: documents, their numbers, papers and changes; what suppliers were paid; what low stock was told of."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE stock_document (
    id             varchar(16)  PRIMARY KEY,
    number         varchar(60)  NOT NULL UNIQUE,
    kind           varchar(16)  NOT NULL CHECK (kind IN
                   ('purchase_order', 'receipt', 'purchase_return', 'wholesale', 'stocktake', 'transfer')),
    state          varchar(10)  NOT NULL CHECK (state IN
                   ('draft', 'submitted', 'approved', 'shipped', 'posted', 'closed', 'cancelled')),
    version        integer      NOT NULL DEFAULT 1,
    place_id       varchar(32)  NOT NULL,
    other_place_id varchar(32),
    supplier_id    varchar(32),
    customer       varchar(60)  NOT NULL DEFAULT '',
    about          varchar(16)  REFERENCES stock_document,
    total_fen      bigint       NOT NULL DEFAULT 0 CHECK (total_fen >= 0),
    note           varchar(300) NOT NULL DEFAULT '',
    made_on        date         NOT NULL,
    created_by     bigint       NOT NULL,
    created_at     timestamptz  NOT NULL,
    approved_by    bigint,
    posted_at      timestamptz,
    CONSTRAINT stock_document_to
        CHECK ((kind = 'transfer') = (other_place_id IS NOT NULL) AND other_place_id <> place_id)
) WITH (fillfactor = 80);
CREATE INDEX stock_document_newest ON stock_document (created_at DESC, id);
CREATE INDEX stock_document_of_place ON stock_document (place_id, created_at DESC, id);
CREATE INDEX stock_document_to_place ON stock_document (other_place_id, created_at DESC, id)
    WHERE other_place_id IS NOT NULL;
CREATE INDEX stock_document_of_supplier ON stock_document (supplier_id, created_at DESC, id)
    WHERE supplier_id IS NOT NULL;
CREATE INDEX stock_document_about ON stock_document (about) WHERE about IS NOT NULL;
CREATE UNIQUE INDEX stock_one_count_at_a_time ON stock_document (place_id)
    WHERE kind = 'stocktake' AND state IN ('draft', 'submitted', 'approved');

CREATE TABLE stock_document_line (
    document_id varchar(16) NOT NULL REFERENCES stock_document,
    line_no     integer     NOT NULL,
    sku         varchar(40) NOT NULL,
    qty         bigint      NOT NULL CHECK (qty >= 0),
    unit_fen    bigint      NOT NULL DEFAULT 0 CHECK (unit_fen >= 0),
    amount_fen  bigint      NOT NULL DEFAULT 0 CHECK (amount_fen >= 0),
    done_qty    bigint      NOT NULL DEFAULT 0 CHECK (done_qty >= 0),
    book_qty    bigint,
    seen        bigint,
    cost_fen    bigint,
    PRIMARY KEY (document_id, line_no),
    CONSTRAINT stock_document_line_once UNIQUE (document_id, sku)
) WITH (fillfactor = 80);
CREATE INDEX stock_document_line_of_sku ON stock_document_line (sku, document_id);

CREATE TABLE stock_number (
    place_id varchar(32) NOT NULL,
    kind     varchar(16) NOT NULL,
    year     integer     NOT NULL,
    last     integer     NOT NULL,
    PRIMARY KEY (place_id, kind, year)
) WITH (fillfactor = 70);

CREATE TABLE stock_document_change (
    document_id varchar(16) NOT NULL REFERENCES stock_document,
    version     integer     NOT NULL,
    at          timestamptz NOT NULL,
    staff_id    bigint      NOT NULL,
    action      varchar(20) NOT NULL,
    note        varchar(300) NOT NULL DEFAULT '',
    PRIMARY KEY (document_id, version)
);
CREATE TRIGGER stock_document_change_stays BEFORE UPDATE OR DELETE ON stock_document_change
    FOR EACH ROW EXECUTE FUNCTION stock_is_history();

CREATE TABLE stock_attachment (
    id          varchar(16)  PRIMARY KEY,
    document_id varchar(16)  NOT NULL REFERENCES stock_document,
    name        varchar(80)  NOT NULL,
    media_type  varchar(40)  NOT NULL,
    body        bytea        NOT NULL,
    staff_id    bigint       NOT NULL,
    at          timestamptz  NOT NULL
);
CREATE INDEX stock_attachment_of ON stock_attachment (document_id, at);

CREATE TABLE stock_payment (
    id          varchar(16)  PRIMARY KEY,
    key         varchar(80)  NOT NULL UNIQUE,
    supplier_id varchar(32)  NOT NULL,
    amount_fen  bigint       NOT NULL CHECK (amount_fen <> 0),
    paid_on     date         NOT NULL,
    note        varchar(300) NOT NULL DEFAULT '',
    staff_id    bigint       NOT NULL,
    at          timestamptz  NOT NULL
);
CREATE INDEX stock_payment_of ON stock_payment (supplier_id, at DESC, id);
CREATE TRIGGER stock_payment_stays BEFORE UPDATE OR DELETE ON stock_payment
    FOR EACH ROW EXECUTE FUNCTION stock_is_history();

CREATE TABLE stock_told (
    place_id varchar(32) NOT NULL,
    sku      varchar(40) NOT NULL,
    low_at   timestamptz NOT NULL,
    PRIMARY KEY (place_id, sku)
) WITH (fillfactor = 70);
"""

DROP = """
DROP FUNCTION IF EXISTS stock_set_low(timestamptz, text, text[], bigint[]);
DROP TABLE stock_told, stock_payment, stock_attachment, stock_document_change, stock_number, stock_document_line,
    stock_document;
DROP FUNCTION IF EXISTS stock_post(timestamptz, jsonb);
DROP TYPE IF EXISTS stock_work;
"""


class Migration(migrations.Migration):
    """Create them."""

    dependencies = [("stock", "0002_till_sales")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
