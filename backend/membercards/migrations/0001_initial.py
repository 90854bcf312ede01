"""Kinds of member cards, who hands them out, batches, moves, cards, and what each of them was."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE membercard_type (
    code            varchar(20) PRIMARY KEY,
    name            varchar(40) NOT NULL,
    prefix          varchar(8)  NOT NULL CHECK (prefix ~ '^[1-9][0-9]*$'),
    length          integer     NOT NULL CHECK (length BETWEEN 10 AND 19),
    check_digit     boolean     NOT NULL,
    level           varchar(20),
    deposit_fen     bigint      NOT NULL CHECK (deposit_fen BETWEEN 0 AND 1000000),
    validity_months integer     CHECK (validity_months BETWEEN 1 AND 240),
    colour          varchar(7)  NOT NULL,
    self_service    boolean     NOT NULL,
    automatic       boolean     NOT NULL,
    active          boolean     NOT NULL,
    drawn           integer     NOT NULL DEFAULT 0 CHECK (drawn >= 0),
    version         integer     NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    CHECK (active OR NOT automatic)
);
CREATE UNIQUE INDEX membercard_type_automatic ON membercard_type ((true)) WHERE automatic;

CREATE TABLE membercard_issuer (
    id         varchar(20)  PRIMARY KEY,
    kind       varchar(8)   NOT NULL CHECK (kind IN ('office', 'store', 'agent')),
    store_id   varchar(16)  UNIQUE,
    name       varchar(60)  NOT NULL,
    contact    varchar(600) NOT NULL,
    quota      integer      NOT NULL CHECK (quota >= 0),
    taken      integer      NOT NULL DEFAULT 0 CHECK (taken >= 0),
    active     boolean      NOT NULL,
    version    integer      NOT NULL DEFAULT 1,
    created_at timestamptz  NOT NULL,
    CHECK ((kind = 'store') = (store_id IS NOT NULL)),
    CONSTRAINT membercard_issuer_quota CHECK (taken <= quota)
);
CREATE INDEX membercard_issuer_newest ON membercard_issuer (created_at DESC, id);

CREATE TABLE membercard_batch (
    id          varchar(16) PRIMARY KEY,
    type_code   varchar(20) NOT NULL REFERENCES membercard_type (code) ON DELETE RESTRICT,
    note        varchar(80) NOT NULL,
    total       integer     NOT NULL CHECK (total BETWEEN 1 AND 100000),
    made        integer     NOT NULL DEFAULT 0 CHECK (made BETWEEN 0 AND total),
    state       varchar(8)  NOT NULL CHECK (state IN ('making', 'ready', 'exported', 'void')),
    staff_id    bigint      NOT NULL,
    created_at  timestamptz NOT NULL,
    worked_at   timestamptz NOT NULL,
    exported_at timestamptz,
    exported_by bigint
);
CREATE INDEX membercard_batch_newest ON membercard_batch (created_at DESC, id);
CREATE INDEX membercard_batch_making ON membercard_batch (worked_at) WHERE state = 'making';

CREATE TABLE membercard_move (
    id          varchar(16)  PRIMARY KEY,
    key         varchar(300) NOT NULL UNIQUE,
    kind        varchar(8)   NOT NULL CHECK (kind IN ('allot', 'return', 'void')),
    batch_id    varchar(16)  NOT NULL REFERENCES membercard_batch (id) ON DELETE RESTRICT,
    issuer_id   varchar(20)  REFERENCES membercard_issuer (id) ON DELETE RESTRICT,
    from_serial integer      NOT NULL CHECK (from_serial >= 1),
    to_serial   integer      NOT NULL CHECK (to_serial >= from_serial),
    next_serial integer      NOT NULL CHECK (next_serial BETWEEN from_serial AND to_serial + 1),
    moved       integer      NOT NULL DEFAULT 0,
    skipped     integer      NOT NULL DEFAULT 0,
    state       varchar(10)  NOT NULL CHECK (state IN ('running', 'done', 'cancelled')),
    reason      varchar(200) NOT NULL,
    staff_id    bigint       NOT NULL,
    created_at  timestamptz  NOT NULL,
    worked_at   timestamptz  NOT NULL,
    ended_at    timestamptz,
    CHECK (kind = 'void' OR issuer_id IS NOT NULL),
    CHECK (moved + skipped = next_serial - from_serial),
    CHECK ((state = 'running') = (ended_at IS NULL))
);
CREATE INDEX membercard_move_newest ON membercard_move (created_at DESC, id);
CREATE INDEX membercard_move_of_batch ON membercard_move (batch_id, created_at DESC, id);
CREATE INDEX membercard_move_of_issuer ON membercard_move (issuer_id, created_at DESC, id);
CREATE INDEX membercard_move_running ON membercard_move (worked_at) WHERE state = 'running';

CREATE TABLE membercard (
    id          bigint      PRIMARY KEY,
    number      varchar(19) NOT NULL UNIQUE,
    type_code   varchar(20) NOT NULL REFERENCES membercard_type (code) ON DELETE RESTRICT,
    state       varchar(10) NOT NULL
        CHECK (state IN ('printed', 'allotted', 'issued', 'lost', 'replaced', 'void', 'expired')),
    steps       integer     NOT NULL DEFAULT 1,
    batch_id    varchar(16) REFERENCES membercard_batch (id) ON DELETE RESTRICT,
    serial      integer,
    issuer_id   varchar(20) REFERENCES membercard_issuer (id) ON DELETE RESTRICT,
    member_id   bigint,
    bound_at    timestamptz,
    valid_until date,
    deposit_fen bigint      NOT NULL DEFAULT 0,
    virtual     boolean     NOT NULL DEFAULT false,
    replaced_by bigint,
    CONSTRAINT membercard_serial UNIQUE (batch_id, serial),
    CHECK ((batch_id IS NULL) = (serial IS NULL)),
    CHECK (NOT virtual OR batch_id IS NULL),
    CHECK ((member_id IS NULL) = (bound_at IS NULL)),
    CONSTRAINT membercard_bound CHECK (
        CASE WHEN state IN ('printed', 'allotted') THEN member_id IS NULL
             WHEN state = 'void' THEN true ELSE member_id IS NOT NULL END),
    CONSTRAINT membercard_issuer_known CHECK (state <> 'allotted' OR issuer_id IS NOT NULL),
    CONSTRAINT membercard_replaced CHECK ((state = 'replaced') = (replaced_by IS NOT NULL) AND replaced_by <> id)
);
CREATE UNIQUE INDEX membercard_one ON membercard (member_id) WHERE state IN ('issued', 'lost');
CREATE INDEX membercard_of_member ON membercard (member_id, bound_at DESC, id) WHERE member_id IS NOT NULL;
CREATE INDEX membercard_of_issuer ON membercard (issuer_id, state, type_code, id) WHERE issuer_id IS NOT NULL;
CREATE INDEX membercard_of_type ON membercard (type_code, state, id);
CREATE INDEX membercard_ending ON membercard (valid_until, id)
 WHERE state IN ('issued', 'lost') AND valid_until IS NOT NULL;

CREATE TABLE membercard_step (
    card_id   bigint       NOT NULL,
    n         integer      NOT NULL,
    at        timestamptz  NOT NULL,
    state     varchar(10)  NOT NULL,
    way       varchar(8)   NOT NULL CHECK (way IN ('counter', 'phone', 'import', 'merge', 'system')),
    staff_id  bigint,
    store_id  varchar(16),
    member_id bigint,
    issuer_id varchar(20),
    reason    varchar(200) NOT NULL DEFAULT '',
    PRIMARY KEY (card_id, n)
);
CREATE INDEX membercard_step_issued ON membercard_step (issuer_id, at) WHERE state = 'issued';

CREATE TABLE membercard_change (
    id       bigint      PRIMARY KEY,
    subject  varchar(24) NOT NULL,
    staff_id bigint      NOT NULL,
    action   varchar(20) NOT NULL,
    detail   jsonb       NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX membercard_change_newest ON membercard_change (subject, at DESC, id);

-- An erasure takes the reason out of what became of a member's card.
CREATE FUNCTION membercard_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'membercard_step' THEN
        IF NEW.reason = '' AND to_jsonb(NEW) - 'reason' = to_jsonb(OLD) - 'reason' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'what became of a card is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER membercard_step_is_kept BEFORE UPDATE OR DELETE ON membercard_step
    FOR EACH ROW EXECUTE FUNCTION membercard_is_kept();
CREATE TRIGGER membercard_change_is_kept BEFORE UPDATE OR DELETE ON membercard_change
    FOR EACH ROW EXECUTE FUNCTION membercard_is_kept();

-- A number is a card's for good, and a card its member's: only while it is in force it may follow them into another
-- record of the same person.
CREATE FUNCTION membercard_keeps_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a card number belongs to one member' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER membercard_owner BEFORE UPDATE OF member_id, number, type_code ON membercard FOR EACH ROW
    WHEN (OLD.number <> NEW.number OR OLD.type_code <> NEW.type_code
          OR OLD.member_id IS NOT NULL AND NEW.member_id IS DISTINCT FROM OLD.member_id
             AND (NEW.member_id IS NULL OR OLD.state NOT IN ('issued', 'lost')))
    EXECUTE FUNCTION membercard_keeps_owner();

INSERT INTO membercard_issuer (id, kind, name, contact, quota, active, created_at)
VALUES ('office', 'office', '总部', '', 1000000, true, '2026-01-01T00:00:00Z');
"""

UNDO = """
DROP TABLE membercard_change, membercard_step, membercard, membercard_move, membercard_batch, membercard_issuer,
    membercard_type;
DROP FUNCTION membercard_is_kept();
DROP FUNCTION membercard_keeps_owner();
"""


class Migration(migrations.Migration):
    """Create the tables."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=UNDO),
    ]
