"""Tables of the catalogue. Checks, foreign keys and tables with composite keys stand in the migrations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import TSVectorField
from tortoise.fields import OnDelete
from tortoise.models import Model


class Category(Model):
    """One category of articles; never deleted while articles name it."""

    code = fields.CharField(max_length=32, primary_key=True)
    name = fields.CharField(max_length=40)
    points_rate_bp = fields.IntField(default=10_000)
    parent_id = fields.CharField(max_length=32, null=True)
    sort = fields.IntField(default=0, db_default=0)
    # Whether phones show it; what is in it may be sold all the same.
    shown = fields.BooleanField(default=True, db_default=True)
    picture = fields.CharField(max_length=64, null=True)

    class Meta:
        table = "mall_category"


class Brand(Model):
    """One brand; never deleted while articles name it."""

    code = fields.CharField(max_length=32, primary_key=True)
    name = fields.CharField(max_length=40)
    sort = fields.IntField(default=0)
    picture = fields.CharField(max_length=64, null=True)

    class Meta:
        table = "mall_brand"


class SupplierCategory(Model):
    """What kind of supplier somebody is; never deleted while suppliers name it."""

    code = fields.CharField(max_length=32, primary_key=True)
    name = fields.CharField(max_length=40)

    class Meta:
        table = "mall_supplier_category"


class Supplier(Model):
    """Somebody who sells to the chain; made inactive when that ends, and stays."""

    code = fields.CharField(max_length=32, primary_key=True)
    name = fields.CharField(max_length=60)
    category_id = fields.CharField(max_length=32, null=True)
    contact = fields.CharField(max_length=40, default="")
    phone = fields.CharField(max_length=32, default="")
    note = fields.CharField(max_length=300, default="")
    active = fields.BooleanField(default=True)

    class Meta:
        table = "mall_supplier"


class Attribute(Model):
    """Something that staff say of products; products keep its values by its code."""

    code = fields.CharField(max_length=32, primary_key=True)
    name = fields.CharField(max_length=40)
    kind = fields.CharField(max_length=8)
    choices: list[str] = fields.JSONField(default=list)
    filtered = fields.BooleanField(default=False)
    sort = fields.IntField(default=0)

    class Meta:
        table = "mall_attribute"


class Product(Model):
    """Articles that are shown as one, with a choice of them; made inactive when it is no longer sold, and stays."""

    id = fields.CharField(max_length=40, primary_key=True)
    name = fields.CharField(max_length=80)
    subtitle = fields.CharField(max_length=120, default="")
    category_id = fields.CharField(max_length=32)
    brand_id = fields.CharField(max_length=32, null=True)
    description = fields.TextField(default="")
    pictures: list[str] = fields.JSONField(default=list)
    axes: list[Any] = fields.JSONField(default=list)
    attributes: dict[str, Any] = fields.JSONField(default=dict)
    active = fields.BooleanField(default=True)
    # What names are sorted by: pinyin, in the order of bytes.
    name_key = fields.TextField(default="")
    # What it is found by; null where nobody has worked it out yet.
    terms = TSVectorField(null=True)
    # The lowest list price of what can be chosen.
    from_fen: int | None = fields.BigIntField(null=True)
    # Pieces sold in the last 30 days, less what came back; as of the last hour.
    sold_qty = fields.BigIntField(default=0, db_default=0)
    version = fields.IntField(default=1)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "mall_product"


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
    # What a piece costs the chain; null where nobody said.
    cost_fen: int | None = fields.BigIntField(null=True)
    active = fields.BooleanField(default=True)
    # The product that it is a choice of, and its value on each of the product's axes.
    product_id = fields.CharField(max_length=40, null=True)
    spec: list[str] | None = fields.JSONField(null=True)
    brand_id = fields.CharField(max_length=32, null=True)
    supplier_id = fields.CharField(max_length=32, null=True)
    weight_g = fields.IntField(default=0, db_default=0)
    # Whether the mall sells no more of it than there is in stock.
    tracked = fields.BooleanField(default=False, db_default=False)
    picture = fields.CharField(max_length=64, null=True)
    name_key: str | None = fields.TextField(null=True)
    # What it is found by; null where nobody has worked it out yet.
    terms = TSVectorField(null=True)

    class Meta:
        table = "mall_article"


class TimedPrice(Model):
    """What an article costs for a while, for everybody; kept when that is over."""

    id = fields.CharField(max_length=16, primary_key=True)
    sku = fields.CharField(max_length=40)
    price_fen = fields.BigIntField()
    starts_at: datetime = fields.DatetimeField()
    ends_at: datetime = fields.DatetimeField()
    staff_id: int | None = fields.BigIntField(null=True)

    class Meta:
        table = "mall_timed_price"


class Banner(Model):
    """A picture on top of the mall's first page, of one store or of all."""

    id = fields.CharField(max_length=16, primary_key=True)
    title = fields.CharField(max_length=40)
    picture = fields.CharField(max_length=64)
    link_kind = fields.CharField(max_length=8, default="none")
    link = fields.CharField(max_length=40, default="")
    store_id = fields.CharField(max_length=16, null=True)
    sort = fields.IntField(default=0)
    starts_at: datetime | None = fields.DatetimeField(null=True)
    ends_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "mall_banner"
