"""Pictures that other domains show: who shows one keeps it."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLE = """
CREATE TABLE mall_media_use (
    owner    varchar(64) NOT NULL,
    media_id varchar(64) NOT NULL REFERENCES mall_media ON DELETE RESTRICT,
    PRIMARY KEY (owner, media_id)
);
CREATE INDEX mall_media_use_of ON mall_media_use (media_id);
"""


class Migration(migrations.Migration):
    """Create their table."""

    dependencies = [("mall", "0007_imports")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLE, reverse_sql="DROP TABLE mall_media_use"),
    ]
