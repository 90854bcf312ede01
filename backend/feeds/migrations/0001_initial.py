"""Subscribers, the entries that they are told, and the calls that carried them."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE feed_subscriber (
    id                  varchar(20)  PRIMARY KEY,
    name                varchar(60)  NOT NULL,
    fields              text[]       NOT NULL CHECK (cardinality(fields) BETWEEN 1 AND 200),
    state               varchar(10)  NOT NULL CHECK (state IN ('active', 'paused', 'suspended', 'ended')),
    key_digest          bytea        NOT NULL UNIQUE,
    previous_digest     bytea        UNIQUE,
    previous_until      timestamptz,
    url                 varchar(500),
    secret_sealed       varchar(200) NOT NULL,
    old_secret_sealed   varchar(200),
    old_secret_until    timestamptz,
    delivered           bigint       NOT NULL DEFAULT 0 CHECK (delivered >= 0),
    tries               integer      NOT NULL DEFAULT 0 CHECK (tries >= 0),
    due_at              timestamptz,
    failing_since       timestamptz,
    last_error          varchar(80),
    version             integer      NOT NULL DEFAULT 1 CHECK (version > 0),
    created_by          bigint       NOT NULL,
    created_at          timestamptz  NOT NULL,
    CONSTRAINT feed_subscriber_previous CHECK ((previous_digest IS NULL) = (previous_until IS NULL)),
    CONSTRAINT feed_subscriber_old_secret CHECK ((old_secret_sealed IS NULL) = (old_secret_until IS NULL))
);
CREATE UNIQUE INDEX feed_subscriber_name ON feed_subscriber (name) WHERE state <> 'ended';

CREATE TABLE feed_entry (
    id        bigint      PRIMARY KEY,
    seq       bigint      UNIQUE CHECK (seq > 0),
    kind      varchar(24) NOT NULL,
    member_id bigint      NOT NULL,
    body      jsonb       NOT NULL,
    at        timestamptz NOT NULL,
    arrived   bigint      NOT NULL GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX feed_entry_unnumbered ON feed_entry (arrived) WHERE seq IS NULL;
CREATE INDEX feed_entry_of_member ON feed_entry (member_id);
CREATE INDEX feed_entry_age ON feed_entry (at);

CREATE TABLE feed_head (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq   bigint  NOT NULL CHECK (seq >= 0),
    first bigint  NOT NULL CHECK (first BETWEEN 1 AND seq + 1)
);
INSERT INTO feed_head (seq, first) VALUES (0, 1);

CREATE TABLE feed_delivery (
    id            varchar(20) PRIMARY KEY,
    subscriber_id varchar(20) NOT NULL REFERENCES feed_subscriber (id) ON DELETE RESTRICT,
    at            timestamptz NOT NULL,
    first         bigint      NOT NULL,
    last          bigint      NOT NULL,
    status        integer,
    took_ms       integer     NOT NULL CHECK (took_ms >= 0),
    error         varchar(80)
);
CREATE INDEX feed_delivery_newest ON feed_delivery (subscriber_id, at DESC, id DESC);
CREATE INDEX feed_delivery_age ON feed_delivery (at);
"""


DROP = "DROP TABLE feed_delivery, feed_head, feed_entry, feed_subscriber"


class Migration(migrations.Migration):
    """Create the tables; what happened before is told by a snapshot."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
