"""Gifts, what was taken of each on a day, and what members redeemed."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# A redemption names its gift without a foreign key: on Citus it lies beside its member's accounts, the gift does not.
TABLES = """
CREATE TABLE gifts_gift (
    id             varchar(16)  PRIMARY KEY,
    kind           varchar(8)   NOT NULL CHECK (kind IN ('goods', 'coupon', 'stored')),
    state          varchar(10)  NOT NULL CHECK (state IN ('draft', 'published', 'withdrawn')),
    title          varchar(40)  NOT NULL,
    note           varchar(500) NOT NULL,
    picture        text,
    points         bigint       NOT NULL CHECK (points > 0),
    pay_fen        bigint       NOT NULL CHECK (pay_fen >= 0),
    sku            text,
    template_id    text,
    stored_fen     bigint       CHECK (stored_fen > 0),
    stored_days    integer      CHECK (stored_days > 0),
    pickup         boolean      NOT NULL,
    stores         text[]       NOT NULL,
    ship_from      text,
    pickup_days    integer      NOT NULL CHECK (pickup_days > 0),
    per_member     integer      CHECK (per_member > 0),
    per_member_day integer      CHECK (per_member_day > 0),
    total          integer      CHECK (total > 0),
    day_total      integer      CHECK (day_total > 0),
    levels         text[]       NOT NULL,
    starts_at      timestamptz,
    ends_at        timestamptz,
    sort           integer      NOT NULL,
    taken          integer      NOT NULL DEFAULT 0 CHECK (taken >= 0),
    version        integer      NOT NULL DEFAULT 1,
    created_at     timestamptz  NOT NULL,
    updated_at     timestamptz  NOT NULL,
    CONSTRAINT gifts_gift_total CHECK (taken <= total),
    CONSTRAINT gifts_gift_window CHECK (starts_at < ends_at),
    CONSTRAINT gifts_gift_given CHECK (
        (sku IS NOT NULL) = (kind = 'goods') AND (template_id IS NOT NULL) = (kind = 'coupon')
        AND (stored_fen IS NOT NULL) = (kind = 'stored') AND (kind <> 'stored' OR pay_fen = 0)
        AND (kind = 'goods') = (pickup OR ship_from IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX gifts_gift_shown ON gifts_gift (sort, id) WHERE state = 'published';
CREATE INDEX gifts_gift_newest ON gifts_gift (created_at DESC, id DESC);

CREATE TABLE gifts_day (
    gift_id varchar(16) NOT NULL REFERENCES gifts_gift ON DELETE RESTRICT,
    on_date date        NOT NULL,
    taken   integer     NOT NULL CHECK (taken > 0),
    PRIMARY KEY (gift_id, on_date)
);

CREATE TABLE gifts_redemption (
    member_id   bigint       NOT NULL,
    id          varchar(32)  NOT NULL,
    gift_id     varchar(16)  NOT NULL,
    kind        varchar(8)   NOT NULL CHECK (kind IN ('goods', 'coupon', 'stored')),
    way         varchar(8)   NOT NULL CHECK (way IN ('pickup', 'delivery', 'at_once')),
    state       varchar(12)  NOT NULL CHECK (state IN
        ('waiting', 'to_send', 'sent', 'handed_over', 'given', 'cancelled', 'expired', 'returned')),
    title       varchar(40)  NOT NULL,
    points      bigint       NOT NULL CHECK (points > 0),
    pay_fen     bigint       NOT NULL CHECK (pay_fen >= 0),
    sku         text,
    store_id    text,
    place_id    text,
    result      text,
    digest      text,
    due_on      date,
    at          timestamptz  NOT NULL,
    out_at      timestamptz,
    ended_at    timestamptz,
    terminal_id text,
    key         text,
    staff_id    bigint,
    carrier     varchar(40),
    tracking_no varchar(40),
    sealed      text,
    reason      varchar(20),
    note        varchar(200) NOT NULL DEFAULT '',
    cost_fen    bigint       NOT NULL DEFAULT 0,
    counted     boolean      NOT NULL DEFAULT true,
    PRIMARY KEY (member_id, id),
    CONSTRAINT gifts_redemption_fetched CHECK ((way = 'pickup') = (store_id IS NOT NULL AND digest IS NOT NULL)),
    CONSTRAINT gifts_redemption_shelf CHECK ((kind = 'goods') = (sku IS NOT NULL AND place_id IS NOT NULL)),
    CONSTRAINT gifts_redemption_waits CHECK (state <> 'waiting' OR due_on IS NOT NULL)
) WITH (fillfactor = 80);
CREATE INDEX gifts_redemption_own ON gifts_redemption (member_id, at DESC, id DESC);
CREATE INDEX gifts_redemption_newest ON gifts_redemption (at DESC, id DESC);
CREATE INDEX gifts_redemption_of_gift ON gifts_redemption (gift_id, at DESC, id DESC);
CREATE INDEX gifts_redemption_at_place ON gifts_redemption (place_id, at DESC, id DESC);
CREATE INDEX gifts_redemption_open ON gifts_redemption (at DESC, id DESC) WHERE state IN ('waiting', 'to_send');
CREATE INDEX gifts_redemption_due ON gifts_redemption (due_on, member_id, id) WHERE state = 'waiting';
CREATE INDEX gifts_redemption_of_code ON gifts_redemption (store_id, digest) WHERE digest IS NOT NULL;

CREATE TABLE gifts_change (
    id       bigint      PRIMARY KEY,
    subject  text        NOT NULL,
    staff_id bigint      NOT NULL,
    action   varchar(20) NOT NULL,
    detail   jsonb       NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX gifts_change_newest ON gifts_change (subject, at DESC, id);
CREATE FUNCTION gifts_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who changed a gift is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER gifts_change_is_kept BEFORE UPDATE OR DELETE ON gifts_change
    FOR EACH ROW EXECUTE FUNCTION gifts_change_is_kept();
"""

DROP = """
DROP TABLE gifts_change, gifts_redemption, gifts_day, gifts_gift;
DROP FUNCTION gifts_change_is_kept();
"""


class Migration(migrations.Migration):
    """Create the tables; what members redeemed lies by member, as the ledger does."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
