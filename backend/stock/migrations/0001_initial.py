"""The books of stock (levels, their journal, what is promised to orders), and warehouses, which are places, too."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE stock_level (
    place_id  varchar(32) NOT NULL,
    sku       varchar(40) NOT NULL,
    on_hand   bigint NOT NULL DEFAULT 0 CONSTRAINT stock_on_hand CHECK (on_hand BETWEEN 0 AND 1000000000000),
    reserved  bigint NOT NULL DEFAULT 0 CONSTRAINT stock_reserved CHECK (reserved >= 0),
    short     bigint NOT NULL DEFAULT 0 CONSTRAINT stock_short CHECK (short >= 0),
    value_fen bigint NOT NULL DEFAULT 0 CHECK (value_fen >= 0),
    version   bigint NOT NULL DEFAULT 0,
    low_qty   bigint CONSTRAINT stock_low CHECK (low_qty >= 0),
    low_at    timestamptz,
    PRIMARY KEY (place_id, sku),
    CONSTRAINT stock_value CHECK (on_hand > 0 OR value_fen = 0)
) WITH (fillfactor = 70);
CREATE INDEX stock_level_low ON stock_level (place_id, low_at, sku) WHERE low_at IS NOT NULL;
CREATE INDEX stock_level_of_sku ON stock_level (sku);

CREATE TABLE stock_movement (
    place_id      varchar(32) NOT NULL,
    sku           varchar(40) NOT NULL,
    version       bigint      NOT NULL,
    at            timestamptz NOT NULL,
    kind          varchar(16) NOT NULL,
    document_id   varchar(40) NOT NULL,
    about         varchar(40),
    qty           bigint      NOT NULL,
    short         bigint      NOT NULL DEFAULT 0,
    cost_fen      bigint      NOT NULL,
    on_hand_after bigint      NOT NULL,
    short_after   bigint      NOT NULL,
    value_after   bigint      NOT NULL,
    staff_id      bigint,
    PRIMARY KEY (place_id, sku, version),
    CONSTRAINT stock_movement_once UNIQUE (document_id, kind, place_id, sku)
);
CREATE INDEX stock_movement_newest ON stock_movement (place_id, at, sku, version);
CREATE INDEX stock_movement_about ON stock_movement (about) WHERE about IS NOT NULL;

CREATE TABLE stock_reservation (
    order_id varchar(40) NOT NULL,
    place_id varchar(32) NOT NULL,
    sku      varchar(40) NOT NULL,
    qty      bigint      NOT NULL CHECK (qty > 0),
    until    timestamptz NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (order_id, place_id, sku)
);
CREATE INDEX stock_reservation_of_level ON stock_reservation (place_id, sku);
CREATE INDEX stock_reservation_due ON stock_reservation (until);

CREATE FUNCTION stock_is_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'history is immutable: correct a movement with a new one' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER stock_movement_stays BEFORE UPDATE OR DELETE ON stock_movement
    FOR EACH ROW EXECUTE FUNCTION stock_is_history();
CREATE TRIGGER stock_movement_stays_whole BEFORE TRUNCATE ON stock_movement EXECUTE FUNCTION stock_is_history();
"""

DROP = """
DROP FUNCTION IF EXISTS stock_post(timestamptz, jsonb);
DROP TYPE IF EXISTS stock_step;
DROP TABLE stock_reservation, stock_movement, stock_level;
DROP FUNCTION stock_is_history();
"""


class Migration(migrations.Migration):
    """Create them; what may move them is applied from ``sql/``."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="Warehouse",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("name", fields.CharField(max_length=40)),
                ("store_id", fields.CharField(null=True, max_length=32)),
                ("active", fields.BooleanField(default=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "stock_warehouse",
                "app": "stock",
                "pk_attr": "id",
                "table_description": "A place that is no store; kept for good.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
