"""Groups, their people, invitations, purchases; key accounts; and who changed what."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE group_account (
    id           varchar(16)  PRIMARY KEY,
    number       varchar(20)  NOT NULL UNIQUE,
    name         varchar(60)  NOT NULL,
    contact      varchar(200) NOT NULL,
    note         varchar(200) NOT NULL,
    state        varchar(8)   NOT NULL CHECK (state IN ('open', 'closed')),
    store_id     varchar(16),
    level        varchar(20),
    discount_bp  integer      CHECK (discount_bp BETWEEN 0 AND 9999),
    member_limit integer      NOT NULL CHECK (member_limit BETWEEN 1 AND 1000),
    months       integer      NOT NULL CHECK (months BETWEEN 1 AND 36),
    rules        jsonb        NOT NULL,
    earned_level varchar(20),
    earned_until date,
    dirty        boolean      NOT NULL DEFAULT false,
    version      integer      NOT NULL DEFAULT 1,
    created_at   timestamptz  NOT NULL
);
CREATE INDEX group_account_newest ON group_account (created_at DESC, id);
CREATE INDEX group_account_dirty ON group_account (id) WHERE dirty;
CREATE INDEX group_account_ending ON group_account (earned_until) WHERE earned_until IS NOT NULL;

CREATE TABLE group_member (
    id        varchar(16) PRIMARY KEY,
    group_id  varchar(16) NOT NULL REFERENCES group_account (id) ON DELETE RESTRICT,
    member_id bigint      NOT NULL,
    role      varchar(8)  NOT NULL CHECK (role IN ('owner', 'manager', 'member')),
    joined_at timestamptz NOT NULL,
    left_at   timestamptz CHECK (left_at >= joined_at)
);
CREATE UNIQUE INDEX group_member_one ON group_member (member_id) WHERE left_at IS NULL;
CREATE UNIQUE INDEX group_member_owner ON group_member (group_id) WHERE left_at IS NULL AND role = 'owner';
CREATE INDEX group_member_of ON group_member (group_id, joined_at, id);
CREATE INDEX group_member_was ON group_member (member_id, joined_at);

CREATE TABLE group_invitation (
    digest     varchar(64) PRIMARY KEY,
    group_id   varchar(16) NOT NULL REFERENCES group_account (id) ON DELETE RESTRICT,
    member_id  bigint      NOT NULL,
    uses_left  integer     NOT NULL CHECK (uses_left >= 0),
    expires_at timestamptz NOT NULL
);
CREATE INDEX group_invitation_of ON group_invitation (group_id);

CREATE TABLE group_purchase (
    member_id bigint      NOT NULL,
    sale_id   varchar(40) NOT NULL,
    group_id  varchar(16) NOT NULL REFERENCES group_account (id) ON DELETE RESTRICT,
    at        timestamptz NOT NULL,
    spent_fen bigint      NOT NULL,
    PRIMARY KEY (member_id, sale_id)
);
CREATE INDEX group_purchase_of ON group_purchase (group_id, at);

CREATE TABLE group_return (
    member_id bigint      NOT NULL,
    refund_id varchar(40) NOT NULL,
    sale_id   varchar(40) NOT NULL,
    fen       bigint      NOT NULL,
    PRIMARY KEY (member_id, refund_id)
);
CREATE INDEX group_return_of ON group_return (member_id, sale_id);

CREATE TABLE key_account (
    member_id    bigint       PRIMARY KEY,
    staff_id     bigint       NOT NULL,
    discount_bp  integer      CHECK (discount_bp BETWEEN 0 AND 9999),
    level_locked boolean      NOT NULL,
    note         varchar(200) NOT NULL,
    since        timestamptz  NOT NULL
);
CREATE INDEX key_account_newest ON key_account (since DESC, member_id);

CREATE TABLE group_change (
    id       bigint      PRIMARY KEY,
    subject  varchar(24) NOT NULL,
    staff_id bigint      NOT NULL,
    action   varchar(20) NOT NULL,
    detail   jsonb       NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX group_change_newest ON group_change (subject, at DESC, id);
CREATE FUNCTION group_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who changed a group is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER group_change_is_kept BEFORE UPDATE OR DELETE ON group_change
    FOR EACH ROW EXECUTE FUNCTION group_change_is_kept();
"""

UNDO = """
DROP TABLE group_change, key_account, group_return, group_purchase, group_invitation, group_member, group_account;
DROP FUNCTION group_change_is_kept();
"""


class Migration(migrations.Migration):
    """Create the tables."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=UNDO),
    ]
