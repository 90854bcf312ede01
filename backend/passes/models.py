"""Tables of products. Checks, and tables with composite keys, stand in the migration."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model


class Product(Model):
    """One product, sold under its SKU; kept for good."""

    id = fields.CharField(max_length=16, primary_key=True)
    sku = fields.CharField(max_length=64, unique=True)
    version = fields.IntField(default=1)
    title = fields.CharField(max_length=40)
    state = fields.CharField(max_length=8)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "pass_product"


class Change(Model):
    """What somebody of the staff did to a product or to a member's pass; only ever added to."""

    id = fields.BigIntField(primary_key=True, generated=False)
    object_id = fields.CharField(max_length=32)
    staff_id = fields.BigIntField()
    action = fields.CharField(max_length=20)
    detail: dict[str, Any] = fields.JSONField(default=dict)
    at = fields.DatetimeField()

    class Meta:
        table = "pass_change"
