"""Lists of members by level, by stage and by the beginning of a name."""

from tortoise import migrations
from tortoise.migrations import operations as ops

INDEXES = """
CREATE INDEX member_newest_of_level ON member (level_id, created_at DESC, id);
CREATE INDEX member_newest_of_stage ON member (stage, created_at DESC, id) WHERE stage IS NOT NULL;
CREATE INDEX member_by_name ON member (name text_pattern_ops);
DROP INDEX member_by_level;
DROP INDEX member_by_stage;
"""
BACK = """
CREATE INDEX member_by_level ON member (level_id);
CREATE INDEX member_by_stage ON member (stage) WHERE stage IS NOT NULL;
DROP INDEX member_newest_of_level, member_newest_of_stage, member_by_name;
"""


class Migration(migrations.Migration):
    """Two indexes become ones that also give the order of the list (some seconds for a million members)."""

    dependencies = [("members", "0010_attributes")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(INDEXES, reverse_sql=BACK),
    ]
