"""Carts and orders: both lie by member, as the ledger does, and name nothing of other domains by foreign key."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE orders_cart_line (
    member_id  bigint      NOT NULL,
    store_id   varchar(32) NOT NULL,
    sku        varchar(40) NOT NULL,
    qty        integer     NOT NULL CHECK (qty > 0),
    added_at   timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (member_id, store_id, sku)
) WITH (fillfactor = 80);

CREATE TABLE orders_order (
    member_id   bigint      NOT NULL,
    id          varchar(40) NOT NULL,
    store_id    varchar(32) NOT NULL,
    state       varchar(20) NOT NULL CONSTRAINT orders_state CHECK (state IN ('awaiting_payment', 'paid', 'shipped',
                'ready_for_pickup', 'received', 'completed', 'cancelled', 'closed')),
    checkout_id varchar(40) NOT NULL,
    delivery    varchar(10) NOT NULL,
    payable_fen bigint      NOT NULL CHECK (payable_fen >= 0),
    note        text        NOT NULL DEFAULT '',
    placed_at   timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    paid_at     timestamptz,
    ended_at    timestamptz,
    PRIMARY KEY (member_id, id)
) WITH (fillfactor = 80);
CREATE INDEX orders_order_newest ON orders_order (member_id, placed_at, id);
CREATE INDEX orders_order_of_store ON orders_order (store_id, placed_at, id);

CREATE TABLE orders_line (
    member_id   bigint      NOT NULL,
    order_id    varchar(40) NOT NULL,
    line_no     integer     NOT NULL CHECK (line_no > 0),
    sku         varchar(40) NOT NULL,
    qty         integer     NOT NULL CHECK (qty > 0),
    product_id  varchar(32) NOT NULL,
    name        text        NOT NULL,
    spec        text        NOT NULL,
    picture     text,
    list_fen    bigint      NOT NULL,
    payable_fen bigint      NOT NULL CHECK (payable_fen >= 0),
    weight_g    integer     NOT NULL,
    steps       jsonb       NOT NULL,
    PRIMARY KEY (member_id, order_id, line_no)
);
"""


class Migration(migrations.Migration):
    """Create the tables of carts and orders."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE orders_line, orders_order, orders_cart_line"),
    ]
