"""Tables of the wallet. Checks stand in the migration."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model


class RechargeOffer(Model):
    """One recharge offer; kept for good, made inactive when it is over."""

    id = fields.CharField(max_length=16, primary_key=True)
    pay_fen = fields.BigIntField()
    bonus_fen = fields.BigIntField(default=0)
    points = fields.BigIntField(default=0)
    first_only = fields.BooleanField(default=False)
    bonus_valid_days: int | None = fields.IntField(null=True)
    spend = fields.CharField(max_length=16, default="by_expiry", db_default="by_expiry")
    starts_at: datetime | None = fields.DatetimeField(null=True)
    ends_at: datetime | None = fields.DatetimeField(null=True)
    store_id = fields.CharField(max_length=16, null=True)
    active = fields.BooleanField(default=True)
    sort = fields.IntField(default=0)
    updated_at = fields.DatetimeField()

    class Meta:
        table = "wallet_offer"
