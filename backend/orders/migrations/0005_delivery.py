"""Addresses, what an order was sent to, what sending costs, and who of the staff looked at an address."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE orders_address (
    member_id  bigint      NOT NULL,
    id         varchar(16) NOT NULL,
    slot       smallint    NOT NULL CONSTRAINT orders_address_most CHECK (slot BETWEEN 1 AND 20),
    region     char(6)     NOT NULL,
    province   varchar(32) NOT NULL,
    city       varchar(32) NOT NULL,
    district   varchar(32) NOT NULL,
    sealed     text        NOT NULL,
    is_default boolean     NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (member_id, id),
    CONSTRAINT orders_address_slot UNIQUE (member_id, slot)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX orders_address_default ON orders_address (member_id) WHERE is_default;

CREATE TABLE orders_receiver (
    member_id bigint      NOT NULL,
    order_id  varchar(40) NOT NULL,
    region    char(6)     NOT NULL,
    province  varchar(32) NOT NULL,
    city      varchar(32) NOT NULL,
    district  varchar(32) NOT NULL,
    sealed    text        NOT NULL,
    PRIMARY KEY (member_id, order_id)
);

CREATE TABLE orders_delivery_rule (
    id               varchar(16) PRIMARY KEY,
    title            varchar(40) NOT NULL,
    stores           jsonb       NOT NULL,
    regions          jsonb       NOT NULL,
    regions_excluded jsonb       NOT NULL,
    first_g          integer     NOT NULL CHECK (first_g > 0),
    first_fen        bigint      NOT NULL CHECK (first_fen >= 0),
    further_g        integer     NOT NULL CHECK (further_g > 0),
    further_fen      bigint      NOT NULL CHECK (further_fen >= 0),
    free_from_fen    bigint      CHECK (free_from_fen >= 0),
    priority         integer     NOT NULL,
    active           boolean     NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    staff_id         bigint      NOT NULL
);
CREATE INDEX orders_delivery_rule_newest ON orders_delivery_rule (created_at, id);

CREATE TABLE orders_change (
    id       bigint      PRIMARY KEY,
    order_id varchar(40) NOT NULL,
    staff_id bigint      NOT NULL,
    action   varchar(20) NOT NULL,
    detail   jsonb       NOT NULL DEFAULT '{}',
    at       timestamptz NOT NULL
);
CREATE INDEX orders_change_newest ON orders_change (order_id, at DESC, id);
CREATE FUNCTION orders_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who looked at an order is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER orders_change_is_kept BEFORE UPDATE OR DELETE ON orders_change
    FOR EACH ROW EXECUTE FUNCTION orders_change_is_kept();
"""

UNTABLE = """
DROP TABLE orders_change, orders_delivery_rule, orders_receiver, orders_address;
DROP FUNCTION orders_change_is_kept();
"""


class Migration(migrations.Migration):
    """Create the tables of delivery; no rule is made: until there is one, nothing is sent anywhere."""

    dependencies = [("orders", "0004_promotions")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=UNTABLE),
    ]
