"""Shifts, what they are made of, and their reports."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE shift_terminal (
    terminal_id varchar(32) PRIMARY KEY,
    store_id    varchar(16) NOT NULL,
    since       timestamptz NOT NULL,
    last_x      integer     NOT NULL DEFAULT 0,
    last_z      integer     NOT NULL DEFAULT 0
);
CREATE INDEX shift_terminal_of_store ON shift_terminal (store_id);

CREATE TABLE shift (
    id             varchar(16) PRIMARY KEY,
    store_id       varchar(16) NOT NULL,
    terminal_id    varchar(32) NOT NULL REFERENCES shift_terminal (terminal_id) ON DELETE RESTRICT,
    cashier        varchar(80) NOT NULL,
    state          varchar(8)  NOT NULL CHECK (state IN ('open', 'closed')),
    float_fen      bigint      NOT NULL CHECK (float_fen >= 0),
    opened_at      timestamptz NOT NULL,
    closed_at      timestamptz,
    closed_by      bigint,
    z_number       integer,
    figures        jsonb,
    difference_fen bigint,
    difference     varchar(10) NOT NULL DEFAULT 'none'
        CHECK (difference IN ('none', 'open', 'explained', 'waiting', 'approved')),
    approval_id    varchar(16),
    left_fen       bigint,
    note           varchar(200) NOT NULL DEFAULT '',
    CONSTRAINT shift_closed CHECK ((state = 'closed') = (closed_at IS NOT NULL)
        AND (state = 'closed') = (z_number IS NOT NULL) AND (state = 'closed') = (figures IS NOT NULL))
);
CREATE UNIQUE INDEX shift_open_one ON shift (terminal_id) WHERE state = 'open';
CREATE UNIQUE INDEX shift_z_number ON shift (terminal_id, z_number);
CREATE INDEX shift_newest ON shift (opened_at DESC, id DESC);
CREATE INDEX shift_of_store ON shift (store_id, opened_at DESC, id DESC);
CREATE INDEX shift_closed_at ON shift (closed_at, store_id) WHERE state = 'closed';
CREATE INDEX shift_differs ON shift (store_id, opened_at DESC, id DESC) WHERE difference IN ('open', 'waiting');

CREATE TABLE shift_movement (
    id         varchar(16) PRIMARY KEY,
    shift_id   varchar(16) NOT NULL REFERENCES shift (id) ON DELETE RESTRICT,
    kind       varchar(8)  NOT NULL CHECK (kind IN ('pay_in', 'pay_out')),
    amount_fen bigint      NOT NULL CHECK (amount_fen > 0),
    reason     varchar(80) NOT NULL,
    cashier    varchar(80) NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX shift_movement_of_shift ON shift_movement (shift_id, at, id);

CREATE TABLE shift_entry (
    source_id    varchar(40) PRIMARY KEY,
    kind         varchar(20) NOT NULL CHECK (kind IN
        ('sale', 'refund', 'recharge', 'recharge_reversal', 'gift_card', 'gift_card_undone')),
    store_id     varchar(16) NOT NULL,
    terminal_id  varchar(32) NOT NULL,
    cashier      varchar(80),
    at           timestamptz NOT NULL,
    fen          bigint      NOT NULL,
    discount_fen bigint      NOT NULL DEFAULT 0,
    bonus_fen    bigint      NOT NULL DEFAULT 0,
    by_tender    jsonb       NOT NULL,
    shift_id     varchar(16) REFERENCES shift (id) ON DELETE RESTRICT
);
CREATE INDEX shift_entry_uncounted ON shift_entry (terminal_id) WHERE shift_id IS NULL;
CREATE INDEX shift_entry_of_shift ON shift_entry (shift_id, at, source_id);

CREATE TABLE shift_due (
    source_id varchar(40) PRIMARY KEY,
    kind      varchar(20) NOT NULL,
    at        timestamptz NOT NULL
);

CREATE TABLE shift_report (
    terminal_id varchar(32) NOT NULL,
    kind        varchar(1)  NOT NULL CHECK (kind IN ('X', 'Z')),
    number      integer     NOT NULL CHECK (number > 0),
    shift_id    varchar(16) NOT NULL REFERENCES shift (id) ON DELETE RESTRICT,
    at          timestamptz NOT NULL,
    figures     jsonb       NOT NULL,
    PRIMARY KEY (terminal_id, kind, number)
);
CREATE INDEX shift_report_of_shift ON shift_report (shift_id, at);

CREATE TABLE shift_step (
    id       bigint      PRIMARY KEY,
    shift_id varchar(16) NOT NULL REFERENCES shift (id) ON DELETE RESTRICT,
    at       timestamptz NOT NULL,
    staff_id bigint      NOT NULL,
    kind     varchar(10) NOT NULL CHECK (kind IN ('closed', 'explained', 'asked', 'approved')),
    note     varchar(300) NOT NULL
);
CREATE INDEX shift_step_of_shift ON shift_step (shift_id, at, id);

CREATE TABLE shift_request (
    terminal_id varchar(32)  NOT NULL,
    key         varchar(255) NOT NULL,
    hash        bytea        NOT NULL,
    answer      text         NOT NULL,
    at          timestamptz  NOT NULL,
    PRIMARY KEY (terminal_id, key)
);

CREATE FUNCTION shift_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was reported is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER shift_report_is_kept BEFORE UPDATE OR DELETE ON shift_report
    FOR EACH ROW EXECUTE FUNCTION shift_is_kept();
CREATE TRIGGER shift_step_is_kept BEFORE UPDATE OR DELETE ON shift_step
    FOR EACH ROW EXECUTE FUNCTION shift_is_kept();
"""
DROP = """
DROP TABLE shift_request, shift_step, shift_report, shift_due, shift_entry, shift_movement, shift, shift_terminal;
DROP FUNCTION shift_is_kept()
"""


class Migration(migrations.Migration):
    """Create the tables; a chain that opens no shift writes nothing there."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
