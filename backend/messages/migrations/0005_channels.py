"""What comes back of letters: clicks, dead addresses, replies; and the e-mail addresses that members confirmed."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE message_touch (
    member_id bigint      NOT NULL,
    letter_id varchar(40) NOT NULL,
    channel   varchar(10) NOT NULL,
    seq       integer     NOT NULL CHECK (seq BETWEEN 1 AND 100),
    kind      varchar(5)  NOT NULL CONSTRAINT message_touch_kind CHECK (kind IN ('open', 'click', 'trap')),
    number    integer     NOT NULL CHECK (number BETWEEN 0 AND 255),
    client    varchar(32) NOT NULL,
    said_so   boolean     NOT NULL,
    machine   boolean     NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (member_id, letter_id, channel, seq),
    FOREIGN KEY (member_id, letter_id, channel) REFERENCES message_delivery (member_id, letter_id, channel)
        ON DELETE RESTRICT
);
CREATE INDEX message_touch_client ON message_touch (at) WHERE client <> '';

CREATE TABLE message_email (
    member_id      bigint      PRIMARY KEY,
    sealed         text,
    address_index  varchar(64),
    confirmed_at   timestamptz,
    pending_sealed text,
    code_digest    varchar(64),
    code_until     timestamptz,
    code_tries     integer     NOT NULL DEFAULT 0 CHECK (code_tries >= 0),
    updated_at     timestamptz NOT NULL,
    CONSTRAINT message_email_confirmed CHECK ((sealed IS NULL) = (confirmed_at IS NULL)
               AND (sealed IS NULL) = (address_index IS NULL)),
    CONSTRAINT message_email_pending CHECK ((pending_sealed IS NULL) = (code_digest IS NULL)
               AND (pending_sealed IS NULL) = (code_until IS NULL))
);

CREATE TABLE message_dead_address (
    channel       varchar(10) NOT NULL CONSTRAINT message_dead_channel CHECK (channel IN ('sms', 'email')),
    address_index varchar(64) NOT NULL,
    reason        varchar(40) NOT NULL,
    at            timestamptz NOT NULL,
    PRIMARY KEY (channel, address_index)
);

CREATE TABLE message_reply (
    id        varchar(80) PRIMARY KEY,
    member_id bigint      NOT NULL,
    channel   varchar(10) NOT NULL,
    text      text        NOT NULL CHECK (char_length(text) <= 500),
    stop      boolean     NOT NULL,
    at        timestamptz NOT NULL,
    taken_at  timestamptz NOT NULL
);
CREATE INDEX message_reply_newest ON message_reply (taken_at DESC, id DESC);
CREATE INDEX message_reply_of ON message_reply (member_id, taken_at);

CREATE UNLOGGED TABLE message_nonce (
    key   varchar(16) NOT NULL,
    nonce varchar(64) NOT NULL,
    at    timestamptz NOT NULL,
    PRIMARY KEY (key, nonce)
);
CREATE INDEX message_nonce_at ON message_nonce (at);
"""

DROP = "DROP TABLE message_nonce, message_reply, message_dead_address, message_email, message_touch;"


class Migration(migrations.Migration):
    """Create the tables of what comes back."""

    dependencies = [("messages", "0004_subscriptions")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
