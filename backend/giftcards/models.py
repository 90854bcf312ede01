"""Tables of gift cards. Checks and indexes stand in the migration."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model


class Product(Model):
    """What is offered; kept for good."""

    id = fields.CharField(max_length=16, primary_key=True)
    title = fields.CharField(max_length=40)
    holder = fields.CharField(max_length=8)
    min_fen = fields.BigIntField()
    max_fen = fields.BigIntField()
    validity_months: int | None = fields.IntField(null=True)
    state = fields.CharField(max_length=8)
    created_at = fields.DatetimeField()

    class Meta:
        table = "giftcard_product"


class Batch(Model):
    """One batch of cards; what their numbers and PINs are made from is gone once they were exported.

    ``drawn`` serials were tried so far: a number that another card has is passed over.
    """

    id = fields.CharField(max_length=16, primary_key=True)
    product_id = fields.CharField(max_length=16, db_index=True)
    note = fields.CharField(max_length=80)
    total = fields.IntField()
    made = fields.IntField(default=0)
    drawn = fields.IntField(default=0)
    state = fields.CharField(max_length=8)
    secret_sealed = fields.CharField(max_length=200, null=True)
    staff_id = fields.BigIntField()
    created_at = fields.DatetimeField()
    exported_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "giftcard_batch"


class Card(Model):
    """One card, kept for good; what is on it, the ledger says under the same id."""

    id = fields.BigIntField(primary_key=True, generated=False)
    product_id = fields.CharField(max_length=16)
    batch_id = fields.CharField(max_length=16)
    serial = fields.IntField()
    number_digest = fields.BinaryField()
    pin_digest = fields.BinaryField()
    last4 = fields.CharField(max_length=4)
    state = fields.CharField(max_length=8)
    member_id: int | None = fields.BigIntField(null=True)
    bound_at: datetime | None = fields.DatetimeField(null=True)
    activated_at: datetime | None = fields.DatetimeField(null=True)
    activations = fields.IntField(default=0)
    activation_id = fields.CharField(max_length=27, null=True)
    valid_until: date | None = fields.DateField(null=True)
    replaced_by: int | None = fields.BigIntField(null=True)

    class Meta:
        table = "giftcard"


class Change(Model):
    """What somebody of the staff did to a product, a batch or a card; only ever added to."""

    id = fields.BigIntField(primary_key=True, generated=False)
    subject = fields.CharField(max_length=20)
    staff_id = fields.BigIntField()
    action = fields.CharField(max_length=20)
    detail: dict[str, Any] = fields.JSONField(default=dict)
    at = fields.DatetimeField()

    class Meta:
        table = "giftcard_change"
