"""Products and the passes that were issued: the tables, then what the ORM cannot say."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# A pass lies beside its member's accounts and names its product without a foreign key, as a coupon does its template.
TABLES = """
CREATE TABLE pass_product_version (
    product_id text        NOT NULL,
    version    integer     NOT NULL CHECK (version > 0),
    title      text        NOT NULL,
    note       text        NOT NULL,
    terms      jsonb       NOT NULL,
    staff_id   bigint      NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (product_id, version)
);

CREATE TABLE pass_card (
    member_id    bigint      NOT NULL,
    id           text        NOT NULL,
    product_id   text        NOT NULL,
    version      integer     NOT NULL,
    kind         text        NOT NULL,
    source       text        NOT NULL,
    store_id     text,
    uses         integer     NOT NULL CHECK (uses > 0),
    paid_fen     bigint      NOT NULL CHECK (paid_fen >= 0),
    issued_at    timestamptz NOT NULL,
    valid_from   date        NOT NULL,
    expires_on   date,
    recognise_on date,
    warned_at    timestamptz,
    ended_as     text,
    ended_at     timestamptz,
    PRIMARY KEY (member_id, id),
    CONSTRAINT pass_card_kind CHECK (kind IN ('counted', 'timed', 'discount')),
    CONSTRAINT pass_card_valid CHECK (valid_from <= expires_on),
    CONSTRAINT pass_card_ended CHECK ((ended_as IS NULL) = (ended_at IS NULL)),
    CONSTRAINT pass_card_ended_as CHECK (ended_as IN ('used_up', 'expired', 'refunded', 'void'))
) WITH (fillfactor = 90);
CREATE INDEX pass_card_of_product ON pass_card (product_id, issued_at DESC, member_id, id);
CREATE INDEX pass_card_newest ON pass_card (issued_at DESC, member_id, id);
CREATE INDEX pass_card_to_warn_of ON pass_card (expires_on, member_id) WHERE warned_at IS NULL AND ended_as IS NULL;
CREATE INDEX pass_card_to_recognise ON pass_card (recognise_on, member_id, id)
 WHERE recognise_on IS NOT NULL AND ended_as IS NULL;
"""

CHECKS = """
ALTER TABLE pass_product
    ADD CONSTRAINT pass_product_state CHECK (state IN ('draft', 'active', 'paused', 'ended')),
    ADD CONSTRAINT pass_product_counts CHECK (version > 0);
CREATE INDEX pass_product_newest ON pass_product (created_at DESC, id DESC);
CREATE INDEX pass_product_active ON pass_product (sku) WHERE state = 'active';
CREATE INDEX pass_change_newest ON pass_change (object_id, at DESC, id);
CREATE FUNCTION pass_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was promised and who changed it is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER pass_product_version_is_kept BEFORE UPDATE OR DELETE ON pass_product_version
    FOR EACH ROW EXECUTE FUNCTION pass_is_kept();
CREATE TRIGGER pass_change_is_kept BEFORE UPDATE OR DELETE ON pass_change
    FOR EACH ROW EXECUTE FUNCTION pass_is_kept();
"""

DROP = "DROP TABLE pass_card, pass_product_version"

UNCHECK = """
DROP TRIGGER pass_change_is_kept ON pass_change;
DROP TRIGGER pass_product_version_is_kept ON pass_product_version;
DROP FUNCTION pass_is_kept();
DROP INDEX pass_change_newest, pass_product_newest, pass_product_active;
ALTER TABLE pass_product DROP CONSTRAINT pass_product_state, DROP CONSTRAINT pass_product_counts;
"""


class Migration(migrations.Migration):
    """Create the tables of passes; what is issued lies by member, as the ledger does."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="Product",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("sku", fields.CharField(unique=True, max_length=64)),
                ("version", fields.IntField(default=1)),
                ("title", fields.CharField(max_length=40)),
                ("state", fields.CharField(max_length=8)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "pass_product",
                "app": "passes",
                "pk_attr": "id",
                "table_description": "One product, sold under its SKU; kept for good.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Change",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("object_id", fields.CharField(max_length=32)),
                ("staff_id", fields.BigIntField()),
                ("action", fields.CharField(max_length=20)),
                (
                    "detail",
                    fields.JSONField(default=dict),
                ),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "pass_change",
                "app": "passes",
                "pk_attr": "id",
                "table_description": (
                    "What somebody of the staff did to a product or to a member's pass; only ever added to."
                ),
            },
            bases=["Model"],
        ),
        ops.RunSQL(TABLES, reverse_sql=DROP),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
