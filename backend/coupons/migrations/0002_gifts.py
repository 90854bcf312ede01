"""Coupons that are given to friends."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# A gift lies beside its giver's coupons and accounts. Its link is found by the digest alone, so that the link says
# nothing of who gives; that index is not unique, because on Citus only what has the member in it can be.
TABLE = """
CREATE TABLE coupon_gift (
    member_id   bigint      NOT NULL,
    id          text        NOT NULL,
    coupon_id   text        NOT NULL,
    template_id text        NOT NULL,
    unit        text        NOT NULL,
    amount      bigint      NOT NULL CHECK (amount > 0),
    lot_id      bigint      NOT NULL,
    digest      bytea       NOT NULL,
    given_at    timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    ended_as    text,
    ended_at    timestamptz,
    accepted_by bigint,
    accepted_as text,
    PRIMARY KEY (member_id, id),
    CONSTRAINT coupon_gift_ended CHECK ((ended_as IS NULL) = (ended_at IS NULL)),
    CONSTRAINT coupon_gift_ended_as CHECK (ended_as IN ('accepted', 'taken_back', 'over')),
    CONSTRAINT coupon_gift_accepted CHECK ((accepted_by IS NOT NULL) = (accepted_as IS NOT NULL)
                                           AND (accepted_by IS NOT NULL) = (coalesce(ended_as, '') = 'accepted')),
    CONSTRAINT coupon_gift_to_another CHECK (accepted_by <> member_id)
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX coupon_gift_open ON coupon_gift (member_id, coupon_id) WHERE ended_as IS NULL;
CREATE INDEX coupon_gift_link ON coupon_gift (digest);
CREATE INDEX coupon_gift_to_return ON coupon_gift (expires_at, member_id, id) WHERE ended_as IS NULL;
"""


class Migration(migrations.Migration):
    """Create the table of gifts; nothing that is there changes."""

    dependencies = [("coupons", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLE, reverse_sql="DROP TABLE coupon_gift"),
    ]
