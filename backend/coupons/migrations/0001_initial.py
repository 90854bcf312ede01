"""Templates, what is issued from them, and how: the tables, then what the ORM cannot say."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# A version and a coupon name their template without a foreign key: on Citus the template's row, which counts, stays on
# the coordinator, versions are copied to every node, and coupons lie beside their member's accounts.
TABLES = """
CREATE TABLE coupon_template_version (
    template_id text        NOT NULL,
    version     integer     NOT NULL CHECK (version > 0),
    title       text        NOT NULL,
    note        text        NOT NULL,
    terms       jsonb       NOT NULL,
    staff_id    bigint      NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (template_id, version)
);

CREATE TABLE coupon (
    member_id   bigint      NOT NULL,
    id          text        NOT NULL,
    template_id text        NOT NULL,
    version     integer     NOT NULL,
    source      text        NOT NULL,
    issued_at   timestamptz NOT NULL,
    valid_from  date        NOT NULL,
    expires_on  date,
    warned_at   timestamptz,
    ended_as    text,
    ended_at    timestamptz,
    ended_by    text,
    PRIMARY KEY (member_id, id),
    CONSTRAINT coupon_valid CHECK (valid_from <= expires_on),
    CONSTRAINT coupon_ended CHECK (ended_as IN ('used', 'expired', 'given', 'void') AND ended_at IS NOT NULL
                                   OR ended_as IS NULL AND ended_at IS NULL AND ended_by IS NULL)
) WITH (fillfactor = 90);
CREATE INDEX coupon_newest ON coupon (member_id, issued_at DESC, id DESC);
CREATE INDEX coupon_to_warn_of ON coupon (expires_on, member_id) WHERE warned_at IS NULL AND ended_as IS NULL;

CREATE TABLE coupon_code (
    digest      bytea   PRIMARY KEY,
    batch_id    text    NOT NULL,
    template_id text    NOT NULL,
    claimed_by  bigint,
    claimed_at  timestamptz,
    CONSTRAINT coupon_code_claimed CHECK ((claimed_by IS NULL) = (claimed_at IS NULL))
) WITH (fillfactor = 90);

CREATE TABLE coupon_handout (
    id          text        PRIMARY KEY,
    template_id text        NOT NULL,
    staff_id    bigint      NOT NULL,
    key         text        NOT NULL,
    hash        bytea       NOT NULL,
    members     bigint[],
    segment     jsonb,
    after       bigint      NOT NULL DEFAULT 0,
    total       integer     NOT NULL,
    done        integer     NOT NULL DEFAULT 0,
    issued      integer     NOT NULL DEFAULT 0,
    refused     jsonb       NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT coupon_handout_key UNIQUE (staff_id, key),
    CONSTRAINT coupon_handout_whom CHECK ((members IS NULL) <> (segment IS NULL)),
    CONSTRAINT coupon_handout_named CHECK (cardinality(members) BETWEEN 1 AND 10000),
    CONSTRAINT coupon_handout_done CHECK (done <= cardinality(members) AND issued BETWEEN 0 AND done)
);
CREATE INDEX coupon_handout_of_template ON coupon_handout (template_id, created_at DESC);

CREATE TABLE coupon_due (
    member_id   bigint NOT NULL,
    template_id text   NOT NULL,
    reason      text   NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (template_id, member_id, reason)
);
"""

CHECKS = """
ALTER TABLE coupon_template
    ADD CONSTRAINT coupon_template_state CHECK (state IN ('draft', 'active', 'paused', 'ended')),
    ADD CONSTRAINT coupon_template_claim_by CHECK (claim_by IN ('centre', 'link', 'nobody')),
    ADD CONSTRAINT coupon_template_window CHECK (starts_at < ends_at),
    ADD CONSTRAINT coupon_template_per_member CHECK (per_member > 0),
    ADD CONSTRAINT coupon_template_counts CHECK (issued >= 0 AND reserved >= 0),
    ADD CONSTRAINT coupon_template_total CHECK (total > 0 AND issued + reserved <= total);
CREATE INDEX coupon_template_newest ON coupon_template (created_at DESC, id DESC);
CREATE INDEX coupon_template_in_centre ON coupon_template (sort, id) WHERE state = 'active' AND claim_by = 'centre';
ALTER TABLE coupon_batch
    ADD CONSTRAINT coupon_batch_total CHECK (total BETWEEN 1 AND 100000),
    ADD CONSTRAINT coupon_batch_counts CHECK (made BETWEEN 0 AND total AND claimed BETWEEN 0 AND made),
    ADD CONSTRAINT coupon_batch_state CHECK (state IN ('making', 'ready', 'exported', 'void'));
CREATE INDEX coupon_change_newest ON coupon_change (template_id, at DESC, id);
CREATE FUNCTION coupon_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was promised and who changed it is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER coupon_template_version_is_kept BEFORE UPDATE OR DELETE ON coupon_template_version
    FOR EACH ROW EXECUTE FUNCTION coupon_is_kept();
CREATE TRIGGER coupon_change_is_kept BEFORE UPDATE OR DELETE ON coupon_change
    FOR EACH ROW EXECUTE FUNCTION coupon_is_kept();
"""

DROP = "DROP TABLE coupon_due, coupon_handout, coupon_code, coupon, coupon_template_version"

UNCHECK = """
DROP TRIGGER coupon_change_is_kept ON coupon_change;
DROP TRIGGER coupon_template_version_is_kept ON coupon_template_version;
DROP FUNCTION coupon_is_kept();
DROP INDEX coupon_change_newest, coupon_template_newest, coupon_template_in_centre;
ALTER TABLE coupon_batch DROP CONSTRAINT coupon_batch_total, DROP CONSTRAINT coupon_batch_counts,
    DROP CONSTRAINT coupon_batch_state;
ALTER TABLE coupon_template DROP CONSTRAINT coupon_template_state, DROP CONSTRAINT coupon_template_claim_by,
    DROP CONSTRAINT coupon_template_window, DROP CONSTRAINT coupon_template_per_member,
    DROP CONSTRAINT coupon_template_counts, DROP CONSTRAINT coupon_template_total;
"""


class Migration(migrations.Migration):
    """Create the tables of coupons; what is issued lies by member, as the ledger does."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="Template",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("version", fields.IntField(default=1)),
                ("title", fields.CharField(max_length=40)),
                ("state", fields.CharField(max_length=8)),
                ("claim_by", fields.CharField(max_length=8)),
                ("share_token", fields.CharField(unique=True, max_length=32)),
                ("starts_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ends_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("total", fields.BigIntField(null=True)),
                ("issued", fields.BigIntField(default=0)),
                ("reserved", fields.BigIntField(default=0)),
                ("per_member", fields.IntField(null=True)),
                (
                    "triggers",
                    fields.JSONField(default=list),
                ),
                ("sort", fields.IntField(default=0)),
                ("birthdays_on", fields.DateField(null=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "coupon_template",
                "app": "coupons",
                "pk_attr": "id",
                "table_description": "One offer of coupons, and how many were issued; kept for good.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Batch",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("template_id", fields.CharField(db_index=True, max_length=16)),
                ("note", fields.CharField(max_length=80)),
                ("total", fields.IntField()),
                ("made", fields.IntField(default=0)),
                ("claimed", fields.IntField(default=0)),
                ("state", fields.CharField(max_length=8)),
                ("secret_sealed", fields.CharField(null=True, max_length=200)),
                ("staff_id", fields.BigIntField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("exported_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "coupon_batch",
                "app": "coupons",
                "pk_attr": "id",
                "table_description": "One batch of codes; what they are made from is gone once they were exported.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Change",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("template_id", fields.CharField(max_length=16)),
                ("staff_id", fields.BigIntField()),
                ("action", fields.CharField(max_length=20)),
                (
                    "detail",
                    fields.JSONField(default=dict),
                ),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "coupon_change",
                "app": "coupons",
                "pk_attr": "id",
                "table_description": "What somebody of the staff did to a template; only ever added to.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(TABLES, reverse_sql=DROP),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
