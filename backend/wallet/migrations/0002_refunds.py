"""Refunds of recharges: who asked, where each stands, what WeChat said."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLE = """
CREATE TABLE wallet_refund (
    member_id      bigint       NOT NULL,
    id             varchar(27)  NOT NULL,
    recharge_id    varchar(27)  NOT NULL,
    store_id       varchar(16),
    state          varchar(10)  NOT NULL CHECK (state IN
        ('asked', 'frozen', 'sent', 'stopping', 'done', 'failed', 'rejected', 'withdrawn')),
    amount_fen     bigint       NOT NULL CHECK (amount_fen BETWEEN 1 AND 100000000000),
    total_fen      bigint       NOT NULL CHECK (total_fen >= amount_fen),
    bonus_fen      bigint       NOT NULL DEFAULT 0 CHECK (bonus_fen >= 0),
    withheld_fen   bigint       NOT NULL DEFAULT 0 CHECK (withheld_fen >= 0),
    points         bigint       NOT NULL DEFAULT 0 CHECK (points >= 0),
    reason         varchar(200) NOT NULL,
    transaction_id varchar(64)  NOT NULL,
    psp_refund_id  varchar(64),
    failure        varchar(40),
    tries          integer      NOT NULL DEFAULT 0,
    steps          jsonb        NOT NULL DEFAULT '[]',
    asked_by       bigint,
    request_hash   bytea        NOT NULL,
    asked_at       timestamptz  NOT NULL,
    updated_at     timestamptz  NOT NULL,
    due_at         timestamptz,
    PRIMARY KEY (member_id, id)
);
CREATE UNIQUE INDEX wallet_refund_one_at_a_time ON wallet_refund (member_id, recharge_id)
    WHERE state IN ('asked', 'frozen', 'sent', 'stopping');
CREATE INDEX wallet_refund_of_recharge ON wallet_refund (member_id, recharge_id, asked_at);
CREATE INDEX wallet_refund_by_time ON wallet_refund (asked_at, id);
CREATE INDEX wallet_refund_by_state ON wallet_refund (state, asked_at, id);
CREATE INDEX wallet_refund_by_store ON wallet_refund (store_id, asked_at, id);
CREATE INDEX wallet_refund_due ON wallet_refund (due_at) WHERE due_at IS NOT NULL;
"""


class Migration(migrations.Migration):
    """Create the table; who asks at the same moment for two refunds of one recharge is refused by it."""

    dependencies = [("wallet", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLE, reverse_sql="DROP TABLE wallet_refund"),
    ]
