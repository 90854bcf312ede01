"""Tables of the catalogue. Checks stand in the migration."""

from __future__ import annotations

from tortoise import fields
from tortoise.fields import OnDelete
from tortoise.models import Model


class Category(Model):
    """One category of articles; never deleted while articles name it."""

    code = fields.CharField(max_length=32, primary_key=True)
    name = fields.CharField(max_length=40)
    points_rate_bp = fields.IntField(default=10_000)

    class Meta:
        table = "mall_category"


class Article(Model):
    """One article; what is no longer sold is made inactive and stays."""

    sku = fields.CharField(max_length=40, primary_key=True)
    barcode = fields.CharField(max_length=20, null=True, unique=True)
    name = fields.CharField(max_length=80)
    category: fields.ForeignKeyRelation[Category] = fields.ForeignKeyField(
        "mall.Category", related_name="articles", on_delete=OnDelete.RESTRICT
    )
    category_id: str
    unit_price_fen = fields.BigIntField()
    active = fields.BooleanField(default=True)

    class Meta:
        table = "mall_article"
