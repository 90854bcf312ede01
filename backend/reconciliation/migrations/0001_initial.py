"""Bills, items and their differences; what purchases took of whose lots."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE reconciliation_bill (
    day          date PRIMARY KEY,
    state        varchar(8)  NOT NULL CHECK (state IN ('waiting', 'taken', 'empty')),
    tries        integer     NOT NULL DEFAULT 0,
    due_at       timestamptz,
    sha1         varchar(40),
    lines        integer     NOT NULL DEFAULT 0,
    paid_fen     bigint      NOT NULL DEFAULT 0,
    refunded_fen bigint      NOT NULL DEFAULT 0,
    fee          bigint      NOT NULL DEFAULT 0,
    taken_at     timestamptz,
    CONSTRAINT reconciliation_bill_due CHECK ((state = 'waiting') = (due_at IS NOT NULL)),
    CONSTRAINT reconciliation_bill_taken CHECK ((state = 'waiting') = (taken_at IS NULL))
);
CREATE INDEX reconciliation_bill_waiting ON reconciliation_bill (due_at) WHERE state = 'waiting';

CREATE TABLE reconciliation_item (
    kind           varchar(8)  NOT NULL CHECK (kind IN ('payment', 'refund')),
    number         varchar(64) NOT NULL,
    day            date        NOT NULL,
    member_id      bigint,
    document_id    varchar(40),
    source         varchar(16),
    store_id       varchar(16),
    theirs_fen     bigint,
    theirs_at      timestamptz,
    theirs_failed  boolean     NOT NULL DEFAULT false,
    transaction_id varchar(64),
    refund_id      varchar(64),
    fee            bigint,
    ours_fen       bigint,
    ours_at        timestamptz,
    ours_done_at   timestamptz,
    ours_transaction varchar(64),
    difference     varchar(16),
    PRIMARY KEY (kind, number),
    CONSTRAINT reconciliation_item_sides CHECK (theirs_fen IS NOT NULL OR ours_fen IS NOT NULL)
) WITH (fillfactor = 80);
CREATE INDEX reconciliation_item_of_day ON reconciliation_item (day, kind, number);
CREATE INDEX reconciliation_item_differs ON reconciliation_item (day, kind, number) WHERE difference IS NOT NULL;
CREATE INDEX reconciliation_item_only_ours ON reconciliation_item (day, kind, number) WHERE theirs_fen IS NULL;

CREATE TABLE reconciliation_difference (
    id         varchar(20) PRIMARY KEY,
    kind       varchar(8)  NOT NULL,
    number     varchar(64) NOT NULL,
    what       varchar(16) NOT NULL
        CHECK (what IN ('only_there', 'only_here', 'amount', 'transaction', 'refund_failed')),
    day        date        NOT NULL,
    store_id   varchar(16),
    theirs_fen bigint,
    ours_fen   bigint,
    state      varchar(8)  NOT NULL CHECK (state IN ('open', 'working', 'resolved', 'gone')),
    staff_id   bigint,
    resolution varchar(20),
    found_at   timestamptz NOT NULL,
    ended_at   timestamptz,
    version    integer     NOT NULL,
    FOREIGN KEY (kind, number) REFERENCES reconciliation_item (kind, number) ON DELETE RESTRICT,
    CONSTRAINT reconciliation_difference_ended CHECK ((state IN ('resolved', 'gone')) = (ended_at IS NOT NULL)),
    CONSTRAINT reconciliation_difference_resolved CHECK ((state = 'resolved') = (resolution IS NOT NULL)),
    CONSTRAINT reconciliation_difference_worked CHECK (state NOT IN ('working', 'resolved') OR staff_id IS NOT NULL)
);
CREATE UNIQUE INDEX reconciliation_difference_once ON reconciliation_difference (kind, number)
    WHERE state IN ('open', 'working');
CREATE INDEX reconciliation_difference_newest ON reconciliation_difference (found_at DESC, id DESC);
CREATE INDEX reconciliation_difference_waits ON reconciliation_difference (found_at DESC, id DESC)
    WHERE state IN ('open', 'working');
CREATE INDEX reconciliation_difference_of_item ON reconciliation_difference (kind, number, found_at DESC);

CREATE TABLE reconciliation_step (
    difference_id varchar(20) NOT NULL REFERENCES reconciliation_difference (id) ON DELETE RESTRICT,
    version       integer     NOT NULL CHECK (version > 0),
    action        varchar(10) NOT NULL,
    staff_id      bigint,
    note          text        NOT NULL CHECK (length(note) <= 500),
    at            timestamptz NOT NULL,
    PRIMARY KEY (difference_id, version)
);

CREATE TABLE clearing_source (
    member_id   bigint      NOT NULL,
    recharge_id varchar(40) NOT NULL,
    store_id    varchar(16),
    PRIMARY KEY (member_id, recharge_id)
);
CREATE TABLE clearing_due (
    member_id   bigint      NOT NULL,
    document_id varchar(40) NOT NULL,
    PRIMARY KEY (member_id, document_id)
);
CREATE TABLE clearing_line (
    member_id   bigint      NOT NULL,
    document_id varchar(40) NOT NULL,
    lot_id      bigint      NOT NULL,
    day         date        NOT NULL,
    from_store  varchar(16),
    to_store    varchar(16),
    part        varchar(16) NOT NULL,
    fen         bigint      NOT NULL CHECK (fen <> 0),
    PRIMARY KEY (member_id, document_id, lot_id)
) WITH (fillfactor = 95);
CREATE INDEX clearing_line_by_day ON clearing_line (day) INCLUDE (from_store, to_store, part, fen);
CREATE TABLE clearing_backfill (
    one         boolean     PRIMARY KEY DEFAULT true CHECK (one),
    member_id   bigint      NOT NULL,
    document_id varchar(40) NOT NULL,
    done        boolean     NOT NULL
);
INSERT INTO clearing_backfill (member_id, document_id, done) VALUES (0, '', false);

CREATE FUNCTION reconciliation_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who resolved what is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER reconciliation_step_is_kept BEFORE UPDATE OR DELETE ON reconciliation_step
    FOR EACH ROW EXECUTE FUNCTION reconciliation_is_kept();
"""
DROP = """
DROP TABLE clearing_backfill, clearing_line, clearing_due, clearing_source, reconciliation_step,
    reconciliation_difference, reconciliation_item, reconciliation_bill;
DROP FUNCTION reconciliation_is_kept()
"""


class Migration(migrations.Migration):
    """Create the tables; what was bought before is counted by a job, from the first document on."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
