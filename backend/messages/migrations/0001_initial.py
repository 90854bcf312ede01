"""Letters, their deliveries, and what members agreed to: all of it by member, with the member in every key."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE message_letter (
    member_id bigint      NOT NULL,
    id        varchar(40) NOT NULL,
    template  varchar(40) NOT NULL,
    version   integer     NOT NULL CHECK (version >= 0),
    once      varchar(80) NOT NULL,
    purpose   varchar(10) NOT NULL CONSTRAINT message_letter_purpose
              CHECK (purpose IN ('service', 'care', 'survey', 'marketing')),
    title     text        NOT NULL,
    body      text        NOT NULL,
    link      text,
    given     jsonb       NOT NULL DEFAULT '{}',
    batch_id  varchar(20),
    at        timestamptz NOT NULL,
    send_at   timestamptz NOT NULL,
    passed_at timestamptz,
    shown_at  timestamptz,
    read_at   timestamptz,
    PRIMARY KEY (member_id, id),
    CONSTRAINT message_letter_once UNIQUE (member_id, template, once),
    CONSTRAINT message_letter_read CHECK (read_at IS NULL OR shown_at IS NOT NULL)
) WITH (fillfactor = 80);
CREATE INDEX message_letter_shown ON message_letter (member_id, shown_at, id) WHERE shown_at IS NOT NULL;
CREATE INDEX message_letter_unread ON message_letter (member_id) WHERE shown_at IS NOT NULL AND read_at IS NULL;
CREATE INDEX message_letter_passed ON message_letter (member_id, purpose, passed_at) WHERE passed_at IS NOT NULL;

CREATE TABLE message_delivery (
    member_id   bigint      NOT NULL,
    letter_id   varchar(40) NOT NULL,
    channel     varchar(10) NOT NULL CONSTRAINT message_delivery_channel
                CHECK (channel IN ('inbox', 'wechat', 'sms', 'email', 'post')),
    purpose     varchar(10) NOT NULL,
    state       varchar(12) NOT NULL CONSTRAINT message_delivery_state CHECK (state IN ('queued', 'sending', 'sent',
                'delivered', 'opened', 'clicked', 'failed', 'bounced', 'suppressed')),
    reason      varchar(40),
    attempts    integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_at     timestamptz,
    provider_id varchar(200),
    batch_id    varchar(20),
    sent_at     timestamptz,
    opened_at   timestamptz,
    clicked_at  timestamptz,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (member_id, letter_id, channel),
    FOREIGN KEY (member_id, letter_id) REFERENCES message_letter (member_id, id) ON DELETE RESTRICT,
    CONSTRAINT message_delivery_why CHECK ((state IN ('failed', 'bounced', 'suppressed')) <= (reason IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX message_delivery_due_service ON message_delivery (next_at, member_id, letter_id, channel)
    WHERE state IN ('queued', 'sending') AND channel <> 'post' AND purpose = 'service';
CREATE INDEX message_delivery_due_other ON message_delivery (next_at, member_id, letter_id, channel)
    WHERE state IN ('queued', 'sending') AND channel <> 'post' AND purpose <> 'service';
CREATE INDEX message_delivery_provider ON message_delivery (channel, provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX message_delivery_batch ON message_delivery (batch_id, channel, state) WHERE batch_id IS NOT NULL;

CREATE TABLE message_consent (
    member_id bigint      NOT NULL,
    channel   varchar(10) NOT NULL,
    purpose   varchar(10) NOT NULL,
    granted   boolean     NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (member_id, channel, purpose)
) WITH (fillfactor = 80);

CREATE TABLE message_consent_change (
    member_id bigint      NOT NULL,
    id        bigint      NOT NULL,
    channel   varchar(10) NOT NULL,
    purpose   varchar(10) NOT NULL,
    granted   boolean     NOT NULL,
    by        varchar(40) NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (member_id, id)
);
CREATE INDEX message_consent_change_newest ON message_consent_change (member_id, at, id);
CREATE FUNCTION message_consent_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what a member agreed to is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER message_consent_change_is_kept BEFORE UPDATE OR DELETE ON message_consent_change
    FOR EACH ROW EXECUTE FUNCTION message_consent_change_is_kept();
"""

DROP = """
DROP TABLE message_consent_change, message_consent, message_delivery, message_letter;
DROP FUNCTION message_consent_change_is_kept();
"""


class Migration(migrations.Migration):
    """Create the tables of letters and consents."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
