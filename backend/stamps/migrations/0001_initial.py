"""Campaigns, and the cards that members have in them: the tables, then what the ORM cannot say."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# Cards name their campaign without a foreign key: on Citus they lie beside their member's accounts, campaigns do not.
TABLES = """
CREATE TABLE stamp_card (
    member_id   bigint      NOT NULL,
    campaign_id text        NOT NULL,
    since       timestamptz NOT NULL,
    rewards     integer     NOT NULL DEFAULT 0 CHECK (rewards >= 0),
    last_on     date,
    waiting     boolean     NOT NULL DEFAULT false,
    closed_at   timestamptz,
    PRIMARY KEY (member_id, campaign_id),
    CONSTRAINT stamp_card_closed CHECK (closed_at IS NULL OR NOT waiting)
) WITH (fillfactor = 90);
CREATE INDEX stamp_card_open ON stamp_card (campaign_id, member_id) WHERE closed_at IS NULL;
CREATE INDEX stamp_card_waiting ON stamp_card (campaign_id, member_id) WHERE waiting;

CREATE TABLE stamp_given (
    member_id   bigint      NOT NULL,
    campaign_id text        NOT NULL,
    source      text        NOT NULL,
    given       integer     NOT NULL CHECK (given > 0),
    taken       integer     NOT NULL DEFAULT 0,
    at          timestamptz NOT NULL,
    PRIMARY KEY (member_id, campaign_id, source),
    CONSTRAINT stamp_given_taken CHECK (taken BETWEEN 0 AND given)
) WITH (fillfactor = 90);
CREATE INDEX stamp_given_for ON stamp_given (member_id, source);
CREATE INDEX stamp_given_in ON stamp_given (campaign_id, at);

CREATE TABLE stamp_due (
    member_id bigint      NOT NULL,
    source    text        NOT NULL,
    cause     text        NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (member_id, source, cause)
);
"""

CHECKS = """
ALTER TABLE stamp_campaign
    ADD CONSTRAINT stamp_campaign_kind CHECK (kind IN ('stamps', 'attendance', 'tasks')),
    ADD CONSTRAINT stamp_campaign_state CHECK (state IN ('draft', 'active', 'paused', 'ended')),
    ADD CONSTRAINT stamp_campaign_goal CHECK (goal > 0),
    ADD CONSTRAINT stamp_campaign_per_member CHECK (per_member > 0),
    ADD CONSTRAINT stamp_campaign_window CHECK (starts_at < ends_at),
    ADD CONSTRAINT stamp_campaign_closed CHECK (closed_at IS NULL OR state = 'ended');
CREATE INDEX stamp_campaign_newest ON stamp_campaign (created_at DESC, id DESC);
CREATE INDEX stamp_campaign_to_close ON stamp_campaign (id) WHERE state = 'ended' AND closed_at IS NULL;
CREATE INDEX stamp_change_newest ON stamp_change (campaign_id, at DESC, id);
CREATE FUNCTION stamp_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who changed a campaign is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER stamp_change_is_kept BEFORE UPDATE OR DELETE ON stamp_change
    FOR EACH ROW EXECUTE FUNCTION stamp_change_is_kept();
"""

UNCHECK = """
DROP TRIGGER stamp_change_is_kept ON stamp_change;
DROP FUNCTION stamp_change_is_kept();
DROP INDEX stamp_change_newest, stamp_campaign_to_close, stamp_campaign_newest;
ALTER TABLE stamp_campaign DROP CONSTRAINT stamp_campaign_kind, DROP CONSTRAINT stamp_campaign_state,
    DROP CONSTRAINT stamp_campaign_goal, DROP CONSTRAINT stamp_campaign_per_member,
    DROP CONSTRAINT stamp_campaign_window, DROP CONSTRAINT stamp_campaign_closed;
"""


class Migration(migrations.Migration):
    """Create the tables of campaigns; what members have lies by member, as the ledger does."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="Campaign",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("title", fields.CharField(max_length=40)),
                ("note", fields.CharField(max_length=300)),
                ("kind", fields.CharField(max_length=10)),
                ("state", fields.CharField(max_length=8)),
                ("goal", fields.IntField()),
                ("earning", fields.JSONField(default=dict)),
                ("reward", fields.JSONField(default=list)),
                ("per_member", fields.IntField(null=True)),
                ("stores", fields.JSONField(default=list)),
                ("levels", fields.JSONField(default=list)),
                ("starts_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ends_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("sort", fields.IntField(default=0)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "stamp_campaign",
                "app": "stamps",
                "pk_attr": "id",
                "table_description": ("One campaign; what it promises is fixed once it was active. Kept for good."),
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Change",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("campaign_id", fields.CharField(max_length=16)),
                ("staff_id", fields.BigIntField()),
                ("action", fields.CharField(max_length=20)),
                ("detail", fields.JSONField(default=dict)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "stamp_change",
                "app": "stamps",
                "pk_attr": "id",
                "table_description": "What somebody of the staff did to a campaign; only ever added to.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE stamp_due, stamp_given, stamp_card"),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
