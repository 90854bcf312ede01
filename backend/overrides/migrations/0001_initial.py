"""Limits and grants of authorisation at tills."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE override_limit (
    role       varchar(16) PRIMARY KEY,
    sale_bp    integer     NOT NULL CHECK (sale_bp BETWEEN 0 AND 10000),
    sale_fen   bigint      NOT NULL CHECK (sale_fen >= 0),
    day_fen    bigint      NOT NULL CHECK (day_fen >= 0),
    day_count  integer     NOT NULL CHECK (day_count >= 0),
    staff_id   bigint      NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE override_grant (
    id            varchar(16) PRIMARY KEY,
    act           varchar(20) NOT NULL CHECK (act IN ('discount', 'recharge_reversal')),
    subject       varchar(40) NOT NULL UNIQUE,
    order_no      varchar(64),
    store_id      varchar(16) NOT NULL,
    terminal_id   varchar(32) NOT NULL,
    cashier       varchar(80),
    staff_id      bigint      NOT NULL,
    role          varchar(16) NOT NULL,
    authoriser_id bigint      NOT NULL,
    member_id     bigint      NOT NULL,
    fen           bigint      NOT NULL CHECK (fen > 0),
    total_fen     bigint      NOT NULL CHECK (total_fen >= fen),
    reason        varchar(16) NOT NULL,
    note          varchar(200) NOT NULL,
    at            timestamptz NOT NULL,
    day           date        NOT NULL
);
CREATE INDEX override_grant_newest ON override_grant (at DESC, id DESC);
CREATE INDEX override_grant_of_store ON override_grant (store_id, at DESC, id DESC);
CREATE INDEX override_grant_of_person ON override_grant (staff_id, at DESC, id DESC);
CREATE INDEX override_grant_of_order ON override_grant (order_no, at DESC) WHERE order_no IS NOT NULL;
CREATE INDEX override_grant_of_member ON override_grant (member_id);
CREATE INDEX override_grant_of_authoriser ON override_grant (authoriser_id);

CREATE FUNCTION override_grant_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who authorised what is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER override_grant_is_kept BEFORE DELETE OR UPDATE OF id, act, subject, order_no, store_id, terminal_id,
    staff_id, role, fen, total_fen, reason, at, day ON override_grant
    FOR EACH ROW EXECUTE FUNCTION override_grant_is_kept();
"""


class Migration(migrations.Migration):
    """Create the tables; nobody may authorise anything before a role has a limit."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            TABLES,
            reverse_sql="DROP TABLE override_grant, override_limit; DROP FUNCTION override_grant_is_kept()",
        ),
    ]
