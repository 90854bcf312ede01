"""Levels' rules, members' facts and standings, grants, histories, stages and runs."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# A purchase and what came back of it are facts, never changed. A standing says up to which instant (`base_at`) they
# only count, and which steps since then are in the history (`told`).
TABLES = """
CREATE TABLE lifecycle_purchase (
    member_id bigint      NOT NULL,
    sale_id   varchar(40) NOT NULL,
    kind      varchar(8)  NOT NULL CHECK (kind IN ('sale', 'order', 'accrual')),
    at        timestamptz NOT NULL,
    spent_fen bigint      NOT NULL,
    points    bigint      NOT NULL,
    PRIMARY KEY (member_id, sale_id)
);
CREATE INDEX lifecycle_purchase_of ON lifecycle_purchase (member_id, at);

CREATE TABLE lifecycle_return (
    member_id bigint      NOT NULL,
    refund_id varchar(40) NOT NULL,
    sale_id   varchar(40) NOT NULL,
    at        timestamptz NOT NULL,
    fen       bigint      NOT NULL,
    points    bigint      NOT NULL,
    PRIMARY KEY (member_id, refund_id)
);
CREATE INDEX lifecycle_return_of ON lifecycle_return (member_id, sale_id);

CREATE TABLE lifecycle_backfill (
    one         boolean     PRIMARY KEY DEFAULT true CHECK (one),
    member_id   bigint      NOT NULL,
    document_id varchar(40) NOT NULL,
    done        boolean     NOT NULL
);
INSERT INTO lifecycle_backfill (member_id, document_id, done) VALUES (0, '', false);

CREATE TABLE lifecycle_programme (
    version  integer     PRIMARY KEY CHECK (version > 0),
    since    timestamptz NOT NULL,
    rules    jsonb       NOT NULL,
    staff_id bigint      NOT NULL
);

CREATE TABLE lifecycle_stages (
    version  integer     PRIMARY KEY CHECK (version > 0),
    since    timestamptz NOT NULL,
    rules    jsonb       NOT NULL,
    staff_id bigint      NOT NULL
);

CREATE TABLE lifecycle_standing (
    member_id  bigint      PRIMARY KEY,
    version    integer     NOT NULL,
    base       jsonb,
    base_at    timestamptz NOT NULL,
    judge      boolean     NOT NULL,
    standing   jsonb,
    told       jsonb       NOT NULL DEFAULT '[]',
    until      date,
    warned_for date,
    due_on     date,
    at         timestamptz NOT NULL
);
CREATE INDEX lifecycle_standing_due ON lifecycle_standing (due_on, member_id) WHERE due_on IS NOT NULL;
CREATE INDEX lifecycle_standing_ending ON lifecycle_standing (until, member_id) WHERE until IS NOT NULL;

CREATE TABLE lifecycle_grant (
    member_id bigint       NOT NULL,
    id        varchar(16)  NOT NULL,
    key       varchar(300) NOT NULL,
    level     varchar(20)  NOT NULL,
    source    varchar(8)   NOT NULL CHECK (source IN ('hand', 'campaign', 'bought')),
    reason    varchar(200) NOT NULL CHECK (reason <> ''),
    until     date,
    staff_id  bigint,
    at        timestamptz  NOT NULL,
    ended_at  timestamptz,
    ended_by  bigint,
    PRIMARY KEY (member_id, id)
);
CREATE UNIQUE INDEX lifecycle_grant_key ON lifecycle_grant (member_id, key);

CREATE TABLE lifecycle_change (
    member_id bigint      NOT NULL,
    seq       integer     NOT NULL CHECK (seq > 0),
    at        timestamptz NOT NULL,
    day       date        NOT NULL,
    why       varchar(12) NOT NULL,
    source    varchar(20) NOT NULL,
    level     varchar(20) NOT NULL,
    until     date,
    by        varchar(40),
    note      varchar(200),
    PRIMARY KEY (member_id, seq)
);
CREATE FUNCTION lifecycle_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a history of levels is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER lifecycle_change_is_kept BEFORE UPDATE OR DELETE ON lifecycle_change
    FOR EACH ROW EXECUTE FUNCTION lifecycle_change_is_kept();

CREATE TABLE lifecycle_run (
    id         varchar(16) PRIMARY KEY,
    kind       varchar(8)  NOT NULL CHECK (kind IN ('all', 'due', 'preview')),
    state      varchar(10) NOT NULL CHECK (state IN ('running', 'done', 'cancelled')),
    day        date        NOT NULL,
    rules      jsonb,
    total      integer     NOT NULL,
    done       integer     NOT NULL DEFAULT 0,
    changed    integer     NOT NULL DEFAULT 0,
    moves      jsonb       NOT NULL DEFAULT '{}',
    after_day  date,
    after      bigint      NOT NULL DEFAULT 0,
    staff_id   bigint,
    created_at timestamptz NOT NULL,
    ended_at   timestamptz
);
CREATE UNIQUE INDEX lifecycle_run_due ON lifecycle_run (day) WHERE kind = 'due';
CREATE INDEX lifecycle_run_running ON lifecycle_run (created_at) WHERE state = 'running';
CREATE INDEX lifecycle_run_newest ON lifecycle_run (created_at DESC, id);

CREATE TABLE lifecycle_stage_count (
    day      date        NOT NULL,
    store_id varchar(16) NOT NULL,
    stage    varchar(12) NOT NULL,
    members  integer     NOT NULL,
    PRIMARY KEY (day, store_id, stage)
);
"""

UNDO = """
DROP TABLE lifecycle_stage_count, lifecycle_run, lifecycle_change, lifecycle_grant, lifecycle_standing,
    lifecycle_stages, lifecycle_programme, lifecycle_backfill, lifecycle_return, lifecycle_purchase;
DROP FUNCTION lifecycle_change_is_kept();
"""


class Migration(migrations.Migration):
    """Create the tables; what was bought before is read by a job, from the first document on."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=UNDO),
    ]
