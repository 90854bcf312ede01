"""What becomes of paid orders: parcels, pick-up, receipt, after-sales, reviews, invoices, what WeChat is told."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE orders_parcel (
    member_id   bigint      NOT NULL,
    order_id    varchar(40) NOT NULL,
    number      integer     NOT NULL CHECK (number > 0),
    carrier     varchar(32) NOT NULL,
    tracking_no varchar(64) NOT NULL,
    pieces      jsonb       NOT NULL,
    sent_at     timestamptz NOT NULL,
    staff_id    bigint      NOT NULL,
    about       varchar(40),
    PRIMARY KEY (member_id, order_id, number),
    CONSTRAINT orders_parcel_once UNIQUE (member_id, order_id, carrier, tracking_no)
);

CREATE TABLE orders_fulfilment (
    member_id   bigint      NOT NULL,
    order_id    varchar(40) NOT NULL,
    sent_at     timestamptz NOT NULL,
    received_at timestamptz,
    received_by varchar(8)  CONSTRAINT orders_received_by CHECK (received_by IN ('member', 'till', 'staff', 'clock')),
    done_at     timestamptz,
    due_at      timestamptz,
    PRIMARY KEY (member_id, order_id),
    CONSTRAINT orders_received CHECK ((received_at IS NULL) = (received_by IS NULL))
);
CREATE INDEX orders_fulfilment_due ON orders_fulfilment (due_at, member_id, order_id) WHERE due_at IS NOT NULL;

CREATE TABLE orders_pickup (
    member_id   bigint      NOT NULL,
    order_id    varchar(40) NOT NULL,
    store_id    varchar(32) NOT NULL,
    digest      char(64)    NOT NULL,
    ready_at    timestamptz NOT NULL,
    staff_id    bigint      NOT NULL,
    handed_at   timestamptz,
    terminal_id varchar(32),
    key         varchar(255),
    PRIMARY KEY (member_id, order_id)
);
CREATE INDEX orders_pickup_of_code ON orders_pickup (store_id, digest);

CREATE TABLE orders_after_sale (
    member_id   bigint      NOT NULL,
    id          varchar(40) NOT NULL,
    order_id    varchar(40) NOT NULL,
    store_id    varchar(32) NOT NULL,
    kind        varchar(8)  NOT NULL CONSTRAINT orders_after_sale_kind CHECK (kind IN ('refund', 'return', 'exchange')),
    state       varchar(12) NOT NULL CONSTRAINT orders_after_sale_state CHECK (state IN ('requested', 'approved',
                'rejected', 'cancelled', 'on_the_way', 'received', 'refunded', 'exchanged')),
    fault       varchar(8)  NOT NULL CONSTRAINT orders_after_sale_fault CHECK (fault IN ('shop', 'member')),
    reason      text        NOT NULL,
    pieces      jsonb       NOT NULL,
    dispatched  boolean     NOT NULL,
    asked_fen   bigint      CHECK (asked_fen > 0),
    agreed_fen  bigint      CHECK (agreed_fen > 0),
    carrier     varchar(32),
    tracking_no varchar(64),
    restock     boolean     NOT NULL DEFAULT true,
    refund_id   varchar(40),
    asked_at    timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (member_id, id)
) WITH (fillfactor = 80);
CREATE INDEX orders_after_sale_of_order ON orders_after_sale (member_id, order_id, asked_at);
CREATE INDEX orders_after_sale_newest ON orders_after_sale (store_id, asked_at DESC, id);

CREATE TABLE orders_after_sale_step (
    member_id     bigint      NOT NULL,
    after_sale_id varchar(40) NOT NULL,
    number        integer     NOT NULL CHECK (number > 0),
    step          varchar(8)  NOT NULL,
    staff_id      bigint,
    note          text        NOT NULL,
    at            timestamptz NOT NULL,
    PRIMARY KEY (member_id, after_sale_id, number)
);

CREATE TABLE orders_review (
    member_id  bigint      NOT NULL,
    order_id   varchar(40) NOT NULL,
    line_no    integer     NOT NULL,
    store_id   varchar(32) NOT NULL,
    product_id varchar(32) NOT NULL,
    spec       text        NOT NULL,
    stars      smallint    NOT NULL CHECK (stars BETWEEN 1 AND 5),
    text       text        NOT NULL,
    pictures   jsonb       NOT NULL,
    anonymous  boolean     NOT NULL,
    shown      boolean     NOT NULL DEFAULT true,
    reply      text,
    at         timestamptz NOT NULL,
    PRIMARY KEY (member_id, order_id, line_no)
);
CREATE INDEX orders_review_of_product ON orders_review (product_id, at DESC, order_id) WHERE shown;
CREATE INDEX orders_review_newest ON orders_review (store_id, at DESC, order_id);

CREATE TABLE orders_invoice (
    member_id    bigint      NOT NULL,
    order_id     varchar(40) NOT NULL,
    store_id     varchar(32) NOT NULL,
    kind         varchar(8)  NOT NULL CONSTRAINT orders_invoice_kind CHECK (kind IN ('personal', 'company')),
    state        varchar(10) NOT NULL CONSTRAINT orders_invoice_state
                 CHECK (state IN ('requested', 'issued', 'rejected')),
    sealed       text        NOT NULL,
    amount_fen   bigint      NOT NULL CHECK (amount_fen > 0),
    number       varchar(64),
    note         text        NOT NULL DEFAULT '',
    asked_at     timestamptz NOT NULL,
    decided_at   timestamptz,
    staff_id     bigint,
    PRIMARY KEY (member_id, order_id),
    CONSTRAINT orders_invoice_decided CHECK ((state = 'requested') = (decided_at IS NULL))
);
CREATE INDEX orders_invoice_newest ON orders_invoice (store_id, asked_at DESC, order_id);

CREATE TABLE orders_notice (
    member_id    bigint      NOT NULL,
    out_trade_no varchar(40) NOT NULL,
    state        varchar(6)  NOT NULL CONSTRAINT orders_notice_state CHECK (state IN ('due', 'told', 'failed')),
    tries        integer     NOT NULL DEFAULT 0,
    errcode      bigint,
    due_at       timestamptz,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (member_id, out_trade_no),
    CONSTRAINT orders_notice_due CHECK ((state = 'due') = (due_at IS NOT NULL))
);
CREATE INDEX orders_notice_due ON orders_notice (due_at, member_id) WHERE due_at IS NOT NULL;
"""

DROP = """
DROP TABLE orders_notice, orders_invoice, orders_review, orders_after_sale_step, orders_after_sale, orders_pickup,
    orders_fulfilment, orders_parcel
"""


class Migration(migrations.Migration):
    """Create them; each lies by member, as the orders do."""

    dependencies = [("orders", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
