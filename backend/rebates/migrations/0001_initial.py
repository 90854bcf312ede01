"""Schemes, purchases and returns, runs, statements, and what became of what was paid."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# A purchase and what came back of it are facts, never changed; a return may be heard of before its purchase.
# A mark of `rebate_late` says that something reached a period which has a run already; `run_id` is the run that looks
# at it. `rebate_moved` says whose the facts of a member are who was merged into another. A statement's `carried_into`
# is the run whose statement begins with what it carries.
TABLES = """
CREATE TABLE rebate_purchase (
    member_id   bigint      NOT NULL,
    sale_id     varchar(40) NOT NULL,
    store_id    varchar(16) NOT NULL,
    at          timestamptz NOT NULL,
    day         date        NOT NULL,
    level       varchar(20) NOT NULL,
    group_id    varchar(16),
    key_account boolean     NOT NULL,
    paid        jsonb       NOT NULL,
    lines       jsonb       NOT NULL,
    PRIMARY KEY (member_id, sale_id)
);
CREATE INDEX rebate_purchase_by_day ON rebate_purchase (member_id, day);

CREATE TABLE rebate_return (
    member_id bigint      NOT NULL,
    refund_id varchar(40) NOT NULL,
    sale_id   varchar(40) NOT NULL,
    at        timestamptz NOT NULL,
    lines     jsonb       NOT NULL,
    PRIMARY KEY (member_id, refund_id)
);
CREATE INDEX rebate_return_by_sale ON rebate_return (member_id, sale_id);

CREATE TABLE rebate_late (
    member_id bigint      NOT NULL,
    period    varchar(8)  NOT NULL,
    first_on  date        NOT NULL,
    run_id    varchar(16),
    PRIMARY KEY (member_id, period, first_on)
);
CREATE INDEX rebate_late_by_run ON rebate_late (run_id) WHERE run_id IS NOT NULL;

CREATE TABLE rebate_moved (
    member_id bigint PRIMARY KEY,
    target_id bigint NOT NULL CHECK (target_id <> member_id)
);
CREATE INDEX rebate_moved_to ON rebate_moved (target_id);

CREATE TABLE rebate_backfill (
    one         boolean     PRIMARY KEY DEFAULT true CHECK (one),
    member_id   bigint      NOT NULL,
    document_id varchar(40) NOT NULL,
    done        boolean     NOT NULL
);
INSERT INTO rebate_backfill (member_id, document_id, done) VALUES (0, '', false);

CREATE TABLE rebate_scheme (
    id         varchar(16)  PRIMARY KEY,
    title      varchar(60)  NOT NULL CHECK (title <> ''),
    period     varchar(8)   NOT NULL CHECK (period IN ('month', 'quarter', 'year')),
    state      varchar(8)   NOT NULL CHECK (state IN ('draft', 'active', 'closed')),
    first_on   date         NOT NULL,
    last_on    date         CHECK (last_on >= first_on),
    version    integer      NOT NULL CHECK (version > 0),
    staff_id   bigint       NOT NULL,
    created_at timestamptz  NOT NULL
);
CREATE INDEX rebate_scheme_newest ON rebate_scheme (created_at DESC, id);

CREATE TABLE rebate_scheme_version (
    scheme_id varchar(16) NOT NULL REFERENCES rebate_scheme ON DELETE RESTRICT,
    version   integer     NOT NULL CHECK (version > 0),
    since     date        NOT NULL,
    terms     jsonb       NOT NULL,
    staff_id  bigint      NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (scheme_id, version)
);

CREATE TABLE rebate_change (
    id       bigint      PRIMARY KEY,
    subject  varchar(16) NOT NULL,
    staff_id bigint      NOT NULL,
    action   varchar(20) NOT NULL,
    detail   jsonb       NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX rebate_change_of ON rebate_change (subject, at DESC, id);
CREATE FUNCTION rebate_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was done to rebates is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER rebate_change_is_kept BEFORE UPDATE OR DELETE ON rebate_change
    FOR EACH ROW EXECUTE FUNCTION rebate_change_is_kept();

CREATE TABLE rebate_run (
    id          varchar(16) PRIMARY KEY,
    kind        varchar(10) NOT NULL CHECK (kind IN ('statements', 'simulation', 'estimate')),
    period      varchar(8)  NOT NULL CHECK (period IN ('month', 'quarter', 'year')),
    first_on    date        NOT NULL,
    last_on     date        NOT NULL CHECK (last_on > first_on),
    state       varchar(9)  NOT NULL
                CHECK (state IN ('building', 'draft', 'closed', 'paying', 'paid', 'done', 'cancelled')),
    scheme_id   varchar(16),
    schemes     jsonb       NOT NULL,
    total       integer     NOT NULL,
    done        integer     NOT NULL DEFAULT 0,
    after       bigint      NOT NULL DEFAULT 0,
    statements  integer     NOT NULL DEFAULT 0,
    amount_fen  bigint      NOT NULL DEFAULT 0,
    payout_fen  bigint      NOT NULL DEFAULT 0,
    to_pay      integer     NOT NULL DEFAULT 0,
    paid        integer     NOT NULL DEFAULT 0,
    paid_fen    bigint      NOT NULL DEFAULT 0,
    refused     integer     NOT NULL DEFAULT 0,
    approval_id varchar(16),
    staff_id    bigint,
    closed_by   bigint,
    created_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    CHECK (paid_fen <= payout_fen AND paid + refused <= to_pay)
);
CREATE UNIQUE INDEX rebate_run_once ON rebate_run (period, first_on)
    WHERE kind = 'statements' AND state <> 'cancelled';
CREATE UNIQUE INDEX rebate_run_one_draft ON rebate_run (kind)
    WHERE kind = 'statements' AND state IN ('building', 'draft');
CREATE INDEX rebate_run_working ON rebate_run (created_at) WHERE state IN ('building', 'paying');
CREATE INDEX rebate_run_newest ON rebate_run (created_at DESC, id);

CREATE TABLE rebate_figure (
    run_id        varchar(16) NOT NULL REFERENCES rebate_run ON DELETE RESTRICT,
    scheme_id     varchar(16) NOT NULL,
    tier          integer     NOT NULL,
    store_id      varchar(16) NOT NULL,
    members       integer     NOT NULL,
    base_fen      bigint      NOT NULL,
    fen           bigint      NOT NULL,
    corrected_fen bigint      NOT NULL,
    PRIMARY KEY (run_id, scheme_id, tier, store_id)
);

CREATE TABLE rebate_statement (
    member_id     bigint      NOT NULL,
    run_id        varchar(16) NOT NULL,
    id            varchar(40) NOT NULL,
    holder_id     bigint      NOT NULL,
    period        varchar(8)  NOT NULL,
    first_on      date        NOT NULL,
    last_on       date        NOT NULL,
    amount_fen    bigint      NOT NULL CHECK (amount_fen >= 0),
    corrected_fen bigint      NOT NULL,
    brought_fen   bigint      NOT NULL,
    payout_fen    bigint      NOT NULL CHECK (payout_fen >= 0),
    carried_fen   bigint      NOT NULL,
    carried       jsonb,
    carried_into  varchar(16),
    body          jsonb       NOT NULL,
    paid_at       timestamptz,
    expires_on    date,
    refusal       varchar(40),
    at            timestamptz NOT NULL,
    PRIMARY KEY (member_id, run_id),
    CHECK (amount_fen + corrected_fen + brought_fen = payout_fen + carried_fen),
    CHECK (payout_fen = 0 OR carried IS NULL),
    CHECK (paid_at IS NULL OR payout_fen > 0)
);
CREATE UNIQUE INDEX rebate_statement_id ON rebate_statement (id);
CREATE INDEX rebate_statement_of_run ON rebate_statement (run_id, member_id);
CREATE INDEX rebate_statement_unpaid ON rebate_statement (run_id, member_id)
    WHERE payout_fen > 0 AND paid_at IS NULL AND refusal IS NULL;
CREATE INDEX rebate_statement_of_holder ON rebate_statement (holder_id, at DESC, id);
CREATE INDEX rebate_statement_carries ON rebate_statement (holder_id)
    WHERE carried IS NOT NULL AND carried_into IS NULL;
CREATE INDEX rebate_statement_carried_into ON rebate_statement (carried_into) WHERE carried_into IS NOT NULL;

CREATE TABLE rebate_flow (
    run_id      varchar(16) NOT NULL,
    scheme_id   varchar(16) NOT NULL,
    store_id    varchar(16) NOT NULL,
    at_store_id varchar(16) NOT NULL,
    paid_fen    bigint      NOT NULL,
    used_fen    bigint      NOT NULL,
    expired_fen bigint      NOT NULL,
    other_fen   bigint      NOT NULL,
    PRIMARY KEY (run_id, scheme_id, store_id, at_store_id)
);
CREATE TABLE rebate_rolled (
    member_id bigint PRIMARY KEY,
    seq       bigint NOT NULL
);
"""

UNDO = """
DROP TABLE rebate_rolled, rebate_flow, rebate_statement, rebate_figure, rebate_run, rebate_change,
    rebate_scheme_version, rebate_scheme, rebate_backfill, rebate_moved, rebate_late, rebate_return, rebate_purchase;
DROP FUNCTION rebate_change_is_kept();
"""


class Migration(migrations.Migration):
    """Create the tables; what was bought before is read by a job, from the first document on."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=UNDO),
    ]
