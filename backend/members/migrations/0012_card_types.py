"""Lists of members by card type."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """The index also gives the order of the list; no member had a card type in the release before."""

    dependencies = [("members", "0011_lists")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "CREATE INDEX member_newest_of_card_type ON member (card_type, created_at DESC, id)"
            " WHERE card_type IS NOT NULL",
            reverse_sql="DROP INDEX member_newest_of_card_type",
        ),
    ]
