"""In which turn what an offer brings is spent."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

CHECK = """
ALTER TABLE wallet_offer ADD CONSTRAINT wallet_offer_spend
    CHECK (spend IN ('by_expiry', 'principal_first', 'bonus_first'));
"""


class Migration(migrations.Migration):
    """Add it; offers of before are spent as they were."""

    dependencies = [("wallet", "0002_refunds")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField(
            "RechargeOffer", "spend", fields.CharField(max_length=16, default="by_expiry", db_default="by_expiry")
        ),
        ops.RunSQL(CHECK, reverse_sql="ALTER TABLE wallet_offer DROP CONSTRAINT wallet_offer_spend"),
    ]
