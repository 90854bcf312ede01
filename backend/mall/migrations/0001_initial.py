"""The catalogue: tables, then what the ORM cannot say."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

CHECKS = """
ALTER TABLE mall_category ADD CONSTRAINT mall_category_rate CHECK (points_rate_bp BETWEEN 0 AND 100000);
ALTER TABLE mall_article ADD CONSTRAINT mall_article_price CHECK (unit_price_fen BETWEEN 1 AND 100000000000);
CREATE INDEX mall_article_by_category ON mall_article (category_id);
CREATE INDEX mall_article_active ON mall_article (name, sku) WHERE active;
"""

UNCHECK = """
DROP INDEX mall_article_by_category, mall_article_active;
ALTER TABLE mall_article DROP CONSTRAINT mall_article_price;
ALTER TABLE mall_category DROP CONSTRAINT mall_category_rate;
"""


class Migration(migrations.Migration):
    """Create the tables, their checks and their partial indexes."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="Category",
            fields=[
                ("code", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("name", fields.CharField(max_length=40)),
                ("points_rate_bp", fields.IntField(default=10000)),
            ],
            options={
                "table": "mall_category",
                "app": "mall",
                "pk_attr": "code",
                "table_description": "One category of articles; never deleted while articles name it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Article",
            fields=[
                ("sku", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ("barcode", fields.CharField(null=True, unique=True, max_length=20)),
                ("name", fields.CharField(max_length=80)),
                (
                    "category",
                    fields.ForeignKeyField(
                        "mall.Category",
                        source_field="category_id",
                        db_constraint=True,
                        to_field="code",
                        related_name="articles",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("unit_price_fen", fields.BigIntField()),
                ("active", fields.BooleanField(default=True)),
            ],
            options={
                "table": "mall_article",
                "app": "mall",
                "pk_attr": "sku",
                "table_description": "One article; what is no longer sold is made inactive and stays.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
