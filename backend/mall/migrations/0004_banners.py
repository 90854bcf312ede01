"""What the mall's first page shows on top."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

CHECKS = """
ALTER TABLE mall_banner
    ADD CONSTRAINT mall_banner_picture FOREIGN KEY (picture) REFERENCES mall_media ON DELETE RESTRICT,
    ADD CONSTRAINT mall_banner_link CHECK (link_kind IN ('none', 'product', 'category')),
    ADD CONSTRAINT mall_banner_window CHECK (starts_at < ends_at);
CREATE INDEX mall_banner_order ON mall_banner (sort, id);
"""

UNCHECK = """
DROP INDEX mall_banner_order;
ALTER TABLE mall_banner DROP CONSTRAINT mall_banner_picture, DROP CONSTRAINT mall_banner_link,
    DROP CONSTRAINT mall_banner_window;
"""


class Migration(migrations.Migration):
    """Create the banners."""

    dependencies = [("mall", "0003_catalogue")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="Banner",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("title", fields.CharField(max_length=40)),
                ("picture", fields.CharField(max_length=64)),
                ("link_kind", fields.CharField(default="none", max_length=8)),
                ("link", fields.CharField(default="", max_length=40)),
                ("store_id", fields.CharField(null=True, max_length=16)),
                ("sort", fields.IntField(default=0)),
                ("starts_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ends_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "mall_banner",
                "app": "mall",
                "pk_attr": "id",
                "table_description": "A picture on top of the mall's first page, of one store or of all.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
