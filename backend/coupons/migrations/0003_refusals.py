"""What tills were refused, counted by day."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# No plan touches it, and no member is in it: marks of coupons and cashiers only, which nobody can turn back.
TABLE = """
CREATE TABLE coupon_refusal (
    on_date     date    NOT NULL,
    terminal_id text    NOT NULL,
    store_id    text    NOT NULL,
    cashier     text    NOT NULL,
    coupon      text    NOT NULL,
    code        text    NOT NULL,
    tries       integer NOT NULL CHECK (tries > 0),
    PRIMARY KEY (on_date, terminal_id, store_id, cashier, coupon, code)
) WITH (fillfactor = 90);
"""


class Migration(migrations.Migration):
    """Create the table of refusals; nothing that is there changes."""

    dependencies = [("coupons", "0002_gifts")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLE, reverse_sql="DROP TABLE coupon_refusal"),
    ]
