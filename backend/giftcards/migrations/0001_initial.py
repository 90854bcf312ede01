"""Products, batches and cards; then what the ORM cannot say, and the tries at numbers."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# Tries are counted for numbers that no card has, too: nothing tells them from those that one has.
TABLES = """
CREATE TABLE giftcard_try (
    number_digest bytea       PRIMARY KEY,
    failures      integer     NOT NULL,
    at            timestamptz NOT NULL,
    locked_until  timestamptz
) WITH (fillfactor = 70);
CREATE INDEX giftcard_try_oldest ON giftcard_try (at);
"""

CHECKS = """
ALTER TABLE giftcard_product
    ADD CONSTRAINT giftcard_product_holder CHECK (holder IN ('bearer', 'bindable', 'named')),
    ADD CONSTRAINT giftcard_product_state CHECK (state IN ('active', 'ended')),
    ADD CONSTRAINT giftcard_product_face CHECK (0 < min_fen AND min_fen <= max_fen),
    ADD CONSTRAINT giftcard_product_validity
        CHECK (validity_months IS NULL OR validity_months > 0 AND holder <> 'named');
CREATE INDEX giftcard_product_newest ON giftcard_product (created_at DESC, id DESC);
ALTER TABLE giftcard_batch
    ADD CONSTRAINT giftcard_batch_total CHECK (total BETWEEN 1 AND 100000),
    ADD CONSTRAINT giftcard_batch_counts CHECK (made BETWEEN 0 AND total AND made <= drawn),
    ADD CONSTRAINT giftcard_batch_state CHECK (state IN ('making', 'ready', 'exported', 'void'));
ALTER TABLE giftcard
    ADD CONSTRAINT giftcard_number UNIQUE (number_digest),
    ADD CONSTRAINT giftcard_serial UNIQUE (batch_id, serial),
    ADD CONSTRAINT giftcard_state CHECK (state IN ('made', 'active', 'frozen', 'closed')),
    ADD CONSTRAINT giftcard_bound CHECK ((member_id IS NULL) = (bound_at IS NULL)),
    ADD CONSTRAINT giftcard_replaced CHECK (replaced_by IS NULL OR state = 'closed' AND replaced_by <> id),
    ADD CONSTRAINT giftcard_activated CHECK (state NOT IN ('active', 'frozen') OR activated_at IS NOT NULL);
CREATE INDEX giftcard_of_member ON giftcard (member_id, bound_at DESC, id) WHERE member_id IS NOT NULL;
CREATE INDEX giftcard_of_batch ON giftcard (batch_id, id);
CREATE INDEX giftcard_change_newest ON giftcard_change (subject, at DESC, id);
CREATE FUNCTION giftcard_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who changed what is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER giftcard_change_is_kept BEFORE UPDATE OR DELETE ON giftcard_change
    FOR EACH ROW EXECUTE FUNCTION giftcard_is_kept();
"""

UNCHECK = """
DROP TRIGGER giftcard_change_is_kept ON giftcard_change;
DROP FUNCTION giftcard_is_kept();
DROP INDEX giftcard_change_newest, giftcard_of_batch, giftcard_of_member, giftcard_product_newest;
ALTER TABLE giftcard DROP CONSTRAINT giftcard_number, DROP CONSTRAINT giftcard_serial, DROP CONSTRAINT giftcard_state,
    DROP CONSTRAINT giftcard_bound, DROP CONSTRAINT giftcard_replaced, DROP CONSTRAINT giftcard_activated;
ALTER TABLE giftcard_batch DROP CONSTRAINT giftcard_batch_total, DROP CONSTRAINT giftcard_batch_counts,
    DROP CONSTRAINT giftcard_batch_state;
ALTER TABLE giftcard_product DROP CONSTRAINT giftcard_product_holder, DROP CONSTRAINT giftcard_product_state,
    DROP CONSTRAINT giftcard_product_face, DROP CONSTRAINT giftcard_product_validity;
"""


class Migration(migrations.Migration):
    """Create the tables of gift cards."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="Product",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("title", fields.CharField(max_length=40)),
                ("holder", fields.CharField(max_length=8)),
                ("min_fen", fields.BigIntField()),
                ("max_fen", fields.BigIntField()),
                ("validity_months", fields.IntField(null=True)),
                ("state", fields.CharField(max_length=8)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "giftcard_product",
                "app": "giftcards",
                "pk_attr": "id",
                "table_description": "What is offered; kept for good.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Batch",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("product_id", fields.CharField(db_index=True, max_length=16)),
                ("note", fields.CharField(max_length=80)),
                ("total", fields.IntField()),
                ("made", fields.IntField(default=0)),
                ("drawn", fields.IntField(default=0)),
                ("state", fields.CharField(max_length=8)),
                ("secret_sealed", fields.CharField(null=True, max_length=200)),
                ("staff_id", fields.BigIntField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("exported_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "giftcard_batch",
                "app": "giftcards",
                "pk_attr": "id",
                "table_description": (
                    "One batch of cards; what their numbers and PINs are made from is gone once they were exported."
                ),
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Card",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("product_id", fields.CharField(max_length=16)),
                ("batch_id", fields.CharField(max_length=16)),
                ("serial", fields.IntField()),
                ("number_digest", fields.BinaryField()),
                ("pin_digest", fields.BinaryField()),
                ("last4", fields.CharField(max_length=4)),
                ("state", fields.CharField(max_length=8)),
                ("member_id", fields.BigIntField(null=True)),
                ("bound_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("activated_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("activations", fields.IntField(default=0)),
                ("activation_id", fields.CharField(null=True, max_length=27)),
                ("valid_until", fields.DateField(null=True)),
                ("replaced_by", fields.BigIntField(null=True)),
            ],
            options={
                "table": "giftcard",
                "app": "giftcards",
                "pk_attr": "id",
                "table_description": "One card, kept for good; what is on it, the ledger says under the same id.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Change",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("subject", fields.CharField(max_length=20)),
                ("staff_id", fields.BigIntField()),
                ("action", fields.CharField(max_length=20)),
                ("detail", fields.JSONField(default=dict)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "giftcard_change",
                "app": "giftcards",
                "pk_attr": "id",
                "table_description": (
                    "What somebody of the staff did to a product, a batch or a card; only ever added to."
                ),
            },
            bases=["Model"],
        ),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE giftcard_try"),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
