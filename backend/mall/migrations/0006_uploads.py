"""Pictures that members upload, for what they say of what they bought."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLE = """
CREATE TABLE mall_upload (
    id        varchar(64) PRIMARY KEY,
    member_id bigint      NOT NULL,
    digest    varchar(64) NOT NULL,
    kind      varchar(20) NOT NULL,
    large     bytea       NOT NULL,
    small     bytea       NOT NULL,
    at        timestamptz NOT NULL,
    used_at   timestamptz,
    used_for  varchar(48),
    CONSTRAINT mall_upload_size CHECK (length(large) <= 4194304 AND length(small) <= 262144),
    CONSTRAINT mall_upload_used CHECK ((used_at IS NULL) = (used_for IS NULL))
);
ALTER TABLE mall_upload ALTER COLUMN large SET STORAGE EXTERNAL, ALTER COLUMN small SET STORAGE EXTERNAL;
CREATE INDEX mall_upload_of_member ON mall_upload (member_id, at);
CREATE UNIQUE INDEX mall_upload_once ON mall_upload (member_id, digest) WHERE used_at IS NULL;
CREATE INDEX mall_upload_unused ON mall_upload (at) WHERE used_at IS NULL;
"""


class Migration(migrations.Migration):
    """Create their table."""

    dependencies = [("mall", "0005_sold")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLE, reverse_sql="DROP TABLE mall_upload"),
    ]
