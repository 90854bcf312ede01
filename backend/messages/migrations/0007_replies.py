"""What members wrote back belongs to the letter that they answered."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
ALTER TABLE message_reply ADD COLUMN letter_id varchar(40);
CREATE INDEX message_reply_letter ON message_reply (member_id, letter_id) WHERE letter_id IS NOT NULL;
CREATE INDEX message_letter_newest ON message_letter (member_id, at, id);
CREATE INDEX message_delivery_last ON message_delivery (member_id, channel, sent_at) WHERE sent_at IS NOT NULL;
"""

DROP = """
DROP INDEX message_delivery_last, message_letter_newest, message_reply_letter;
ALTER TABLE message_reply DROP COLUMN letter_id;
"""


class Migration(migrations.Migration):
    """Say which letter a reply answers."""

    dependencies = [("messages", "0006_labels")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
