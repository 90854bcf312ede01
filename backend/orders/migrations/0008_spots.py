"""Tables and shelves that orders are placed at, and who served what was ordered there."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE orders_spot (
    id         varchar(16) PRIMARY KEY,
    store_id   varchar(32) NOT NULL,
    kind       varchar(10) NOT NULL,
    name       varchar(20) NOT NULL,
    product_id varchar(32),
    edition    integer     NOT NULL DEFAULT 1 CHECK (edition > 0),
    active     boolean     NOT NULL,
    staff_id   bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX orders_spot_name ON orders_spot (store_id, name) WHERE active;
CREATE INDEX orders_spot_of_store ON orders_spot (store_id, name, id);
ALTER TABLE orders_order ADD COLUMN spot_id varchar(16), ADD COLUMN spot_name varchar(20);
CREATE INDEX orders_order_to_serve ON orders_order (store_id, paid_at, id)
 WHERE delivery = 'spot' AND state = 'paid';
ALTER TABLE orders_fulfilment ADD COLUMN terminal_id varchar(32);
"""

NO_TABLES = """
ALTER TABLE orders_fulfilment DROP COLUMN terminal_id;
DROP INDEX orders_order_to_serve;
ALTER TABLE orders_order DROP COLUMN spot_id, DROP COLUMN spot_name;
DROP TABLE orders_spot;
"""


class Migration(migrations.Migration):
    """Create the spots; what was ordered before was ordered at none."""

    dependencies = [("orders", "0007_decided")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=NO_TABLES),
    ]
