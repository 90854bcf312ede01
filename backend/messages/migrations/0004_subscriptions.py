"""What members accepted of WeChat's subscribe messages: counted, and never below zero."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE message_subscription (
    member_id   bigint      NOT NULL,
    template_id varchar(64) NOT NULL,
    available   integer     NOT NULL CONSTRAINT message_subscription_left CHECK (available BETWEEN 0 AND 100),
    accepted    integer     NOT NULL DEFAULT 0 CHECK (accepted >= 0),
    used        integer     NOT NULL DEFAULT 0 CHECK (used >= 0),
    refused_at  timestamptz,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (member_id, template_id),
    CONSTRAINT message_subscription_not_overdrawn CHECK (used + available <= accepted)
) WITH (fillfactor = 80);

CREATE TABLE message_subscription_answer (
    member_id bigint       NOT NULL,
    key       varchar(200) NOT NULL,
    digest    bytea        NOT NULL,
    at        timestamptz  NOT NULL,
    PRIMARY KEY (member_id, key)
);
CREATE INDEX message_subscription_answer_at ON message_subscription_answer (at);

ALTER TABLE message_delivery ADD COLUMN reserved varchar(64);
"""

DROP = """
ALTER TABLE message_delivery DROP COLUMN reserved;
DROP TABLE message_subscription_answer, message_subscription;
"""


class Migration(migrations.Migration):
    """Create the tables of subscriptions."""

    dependencies = [("messages", "0003_batches")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
