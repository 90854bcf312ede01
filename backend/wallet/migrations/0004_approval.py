"""What a second person decides of a refund, and stored value by day."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
ALTER TABLE wallet_refund ADD COLUMN approval_id varchar(16);
CREATE TABLE wallet_day (
    zone          text   NOT NULL,
    day           date   NOT NULL,
    store_id      text   NOT NULL,
    account       text   NOT NULL,
    kind          text   NOT NULL,
    principal_fen bigint NOT NULL,
    bonus_fen     bigint NOT NULL,
    transfers     bigint NOT NULL CHECK (transfers > 0),
    PRIMARY KEY (zone, day, store_id, account, kind)
) WITH (fillfactor = 70);
CREATE TABLE wallet_rolled (
    member_id bigint NOT NULL,
    zone      text   NOT NULL,
    seq       bigint NOT NULL,
    PRIMARY KEY (member_id, zone)
) WITH (fillfactor = 70);
"""
BACK = """
DROP TABLE wallet_rolled, wallet_day;
ALTER TABLE wallet_refund DROP COLUMN approval_id;
"""


class Migration(migrations.Migration):
    """Add them; the days are counted by a job, from the beginning of the books."""

    dependencies = [("wallet", "0003_spend")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=BACK),
    ]
