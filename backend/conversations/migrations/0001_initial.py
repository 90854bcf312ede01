"""Customer service: conversations, what was said in them, and what the robot and the staff go by."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# Read as a whole and found by the customer's openid: they lie on the coordinator, guests have no member to lie beside.
TABLES = """
CREATE TABLE conversation (
    id            bigint      PRIMARY KEY,
    openid_digest text        NOT NULL UNIQUE,
    openid_sealed text        NOT NULL,
    member_id     bigint,
    store_id      text,
    state         text        NOT NULL CHECK (state IN ('robot', 'waiting', 'open', 'wechat', 'closed')),
    staff_id      bigint,
    wrote_at      timestamptz,
    wrote_sent    integer     NOT NULL DEFAULT 0 CONSTRAINT conversation_wrote CHECK (wrote_sent BETWEEN 0 AND 5),
    entered_at    timestamptz,
    entered_sent  integer     NOT NULL DEFAULT 0 CONSTRAINT conversation_entered CHECK (entered_sent BETWEEN 0 AND 2),
    last_seq      integer     NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
    unread        integer     NOT NULL DEFAULT 0 CHECK (unread >= 0),
    last_at       timestamptz NOT NULL,
    waiting_since timestamptz,
    claimed_at    timestamptz,
    welcomed_at   timestamptz,
    created_at    timestamptz NOT NULL,
    CONSTRAINT conversation_claimed CHECK ((state = 'open') = (staff_id IS NOT NULL)),
    CONSTRAINT conversation_waits CHECK ((state = 'waiting') = (waiting_since IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX conversation_queue ON conversation (waiting_since, id) WHERE state = 'waiting';
CREATE INDEX conversation_of_staff ON conversation (staff_id, last_at DESC, id DESC) WHERE state = 'open';
CREATE INDEX conversation_newest ON conversation (state, last_at DESC, id DESC);
CREATE INDEX conversation_of_member ON conversation (member_id) WHERE member_id IS NOT NULL;

CREATE TABLE conversation_message (
    conversation_id bigint      NOT NULL REFERENCES conversation ON DELETE RESTRICT,
    seq             integer     NOT NULL CHECK (seq > 0),
    author          text        NOT NULL CHECK (author IN ('customer', 'robot', 'staff', 'system')),
    kind            text        NOT NULL CHECK (kind IN ('text', 'picture', 'card', 'other', 'entered', 'note')),
    stage           text        NOT NULL CHECK (stage IN ('received', 'fetching', 'lost', 'transferred', 'sending',
                                                          'sent', 'refused', 'unknown', 'noted')),
    text            text        NOT NULL DEFAULT '' CHECK (char_length(text) <= 4000),
    card            jsonb,
    media_id        text        NOT NULL DEFAULT '',
    decision        text        NOT NULL DEFAULT '',
    reason          text        NOT NULL DEFAULT '',
    staff_id        bigint,
    once            text,
    request_hash    bytea,
    at              timestamptz NOT NULL,
    sent_at         timestamptz,
    PRIMARY KEY (conversation_id, seq),
    UNIQUE (conversation_id, once)
) WITH (fillfactor = 90);
CREATE INDEX conversation_message_under_way ON conversation_message (at) WHERE stage IN ('sending', 'fetching');

CREATE TABLE conversation_picture (
    conversation_id bigint  NOT NULL,
    seq             integer NOT NULL,
    kind            text    NOT NULL,
    large           bytea   NOT NULL,
    small           bytea   NOT NULL,
    PRIMARY KEY (conversation_id, seq),
    FOREIGN KEY (conversation_id, seq) REFERENCES conversation_message ON DELETE RESTRICT
);

CREATE TABLE conversation_rule (
    id         text        PRIMARY KEY,
    match      text        NOT NULL CHECK (match IN ('exact', 'contains')),
    words      jsonb       NOT NULL,
    priority   integer     NOT NULL,
    act        text        NOT NULL CHECK (act IN ('say', 'staff', 'wechat')),
    text       text        NOT NULL,
    card       jsonb,
    active     boolean     NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE conversation_canned (
    id         text        PRIMARY KEY,
    title      text        NOT NULL,
    text       text        NOT NULL,
    store_id   text,
    sort       integer     NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE conversation_texts (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    body jsonb   NOT NULL
);

CREATE TABLE conversation_change (
    id       bigint      PRIMARY KEY,
    subject  text        NOT NULL,
    staff_id bigint      NOT NULL,
    action   text        NOT NULL,
    detail   jsonb       NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX conversation_change_newest ON conversation_change (subject, at DESC, id);
CREATE FUNCTION conversation_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who changed customer service is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER conversation_change_is_kept BEFORE UPDATE OR DELETE ON conversation_change
    FOR EACH ROW EXECUTE FUNCTION conversation_change_is_kept();
"""

UNMAKE = """
DROP TABLE conversation_change, conversation_texts, conversation_canned, conversation_rule, conversation_picture,
    conversation_message, conversation;
DROP FUNCTION conversation_change_is_kept();
"""


class Migration(migrations.Migration):
    """Create the tables of customer service; the counts of WeChat's windows are bounded in the database too."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=UNMAKE),
    ]
