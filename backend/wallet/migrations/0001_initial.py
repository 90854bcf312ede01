"""Recharge offers: the table, then what the ORM cannot say."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

CHECKS = """
ALTER TABLE wallet_offer
    ADD CONSTRAINT wallet_offer_pay CHECK (pay_fen BETWEEN 1 AND 100000000000),
    ADD CONSTRAINT wallet_offer_bonus CHECK (bonus_fen BETWEEN 0 AND 100000000000),
    ADD CONSTRAINT wallet_offer_points CHECK (points BETWEEN 0 AND 1000000000),
    ADD CONSTRAINT wallet_offer_validity CHECK (bonus_valid_days BETWEEN 1 AND 3650),
    ADD CONSTRAINT wallet_offer_period CHECK (starts_at < ends_at);
CREATE INDEX wallet_offer_shown ON wallet_offer (sort, pay_fen, id) WHERE active;
"""

UNCHECK = """
DROP INDEX wallet_offer_shown;
ALTER TABLE wallet_offer DROP CONSTRAINT wallet_offer_pay, DROP CONSTRAINT wallet_offer_bonus,
    DROP CONSTRAINT wallet_offer_points, DROP CONSTRAINT wallet_offer_validity, DROP CONSTRAINT wallet_offer_period;
"""


class Migration(migrations.Migration):
    """Create the table of offers with its checks."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="RechargeOffer",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("pay_fen", fields.BigIntField()),
                ("bonus_fen", fields.BigIntField(default=0)),
                ("points", fields.BigIntField(default=0)),
                ("first_only", fields.BooleanField(default=False)),
                ("bonus_valid_days", fields.IntField(null=True)),
                ("starts_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ends_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("store_id", fields.CharField(null=True, max_length=16)),
                ("active", fields.BooleanField(default=True)),
                ("sort", fields.IntField(default=0)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "wallet_offer",
                "app": "wallet",
                "pk_attr": "id",
                "table_description": "One recharge offer; kept for good, made inactive when it is over.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
