"""The catalogue of a mall: what is shown together, where it is shown, what it costs whom, and how it is found."""

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import TSVectorField
from tortoise.migrations import operations as ops

# Relations that the ORM does not follow are plain columns there and foreign keys here. `terms` is null where nobody
# has worked them out yet, as in what the release before this one adds: a job fills it.
TABLES = """
CREATE TABLE mall_level_price (
    sku       varchar(40) NOT NULL REFERENCES mall_article ON DELETE RESTRICT,
    level     varchar(16) NOT NULL,
    price_fen bigint      NOT NULL CHECK (price_fen BETWEEN 1 AND 100000000000),
    PRIMARY KEY (sku, level)
);

CREATE TABLE mall_publication (
    channel    varchar(8)  NOT NULL CHECK (channel IN ('mall', 'pos')),
    store_id   varchar(16) NOT NULL,
    product_id varchar(40) NOT NULL REFERENCES mall_product ON DELETE RESTRICT,
    at         timestamptz NOT NULL,
    staff_id   bigint,
    PRIMARY KEY (channel, store_id, product_id)
);
CREATE INDEX mall_publication_of ON mall_publication (product_id);

CREATE TABLE mall_media (
    id         varchar(64) PRIMARY KEY,
    kind       varchar(32) NOT NULL,
    width      integer     NOT NULL CHECK (width > 0),
    height     integer     NOT NULL CHECK (height > 0),
    large      bytea       NOT NULL,
    small      bytea       NOT NULL,
    at         timestamptz NOT NULL,
    staff_id   bigint,
    CONSTRAINT mall_media_size CHECK (length(large) <= 4194304 AND length(small) <= 262144)
);
ALTER TABLE mall_media ALTER large SET STORAGE EXTERNAL, ALTER small SET STORAGE EXTERNAL;

CREATE TABLE mall_store_picture (
    store_id varchar(16) NOT NULL,
    media_id varchar(64) NOT NULL REFERENCES mall_media ON DELETE RESTRICT,
    kind     varchar(8)  NOT NULL CHECK (kind IN ('picture', 'plan')),
    title    varchar(40) NOT NULL DEFAULT '',
    sort     integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (store_id, media_id)
);

CREATE TABLE mall_change (
    id       bigint       PRIMARY KEY,
    kind     varchar(20)  NOT NULL,
    ref      varchar(64)  NOT NULL,
    staff_id bigint       NOT NULL,
    action   varchar(20)  NOT NULL,
    detail   jsonb        NOT NULL DEFAULT '{}',
    at       timestamptz  NOT NULL
);
CREATE INDEX mall_change_newest ON mall_change (kind, ref, at DESC, id);
CREATE FUNCTION mall_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who changed the catalogue is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER mall_change_is_kept BEFORE UPDATE OR DELETE ON mall_change
    FOR EACH ROW EXECUTE FUNCTION mall_change_is_kept();
"""

UNTABLE = """
DROP TABLE mall_change, mall_store_picture, mall_media, mall_publication, mall_level_price;
DROP FUNCTION mall_change_is_kept();
"""

CHECKS = """
ALTER TABLE mall_category
    ADD CONSTRAINT mall_category_parent FOREIGN KEY (parent_id) REFERENCES mall_category ON DELETE RESTRICT,
    ADD CONSTRAINT mall_category_not_itself CHECK (parent_id <> code);
ALTER TABLE mall_supplier ADD CONSTRAINT mall_supplier_in
    FOREIGN KEY (category_id) REFERENCES mall_supplier_category ON DELETE RESTRICT;
ALTER TABLE mall_attribute ADD CONSTRAINT mall_attribute_kind CHECK (kind IN ('text', 'number', 'choice', 'flag'));
ALTER TABLE mall_product
    ADD CONSTRAINT mall_product_category FOREIGN KEY (category_id) REFERENCES mall_category ON DELETE RESTRICT,
    ADD CONSTRAINT mall_product_brand FOREIGN KEY (brand_id) REFERENCES mall_brand ON DELETE RESTRICT,
    ADD CONSTRAINT mall_product_from CHECK (from_fen BETWEEN 1 AND 100000000000);
ALTER TABLE mall_article
    ADD CONSTRAINT mall_article_product FOREIGN KEY (product_id) REFERENCES mall_product ON DELETE RESTRICT,
    ADD CONSTRAINT mall_article_brand FOREIGN KEY (brand_id) REFERENCES mall_brand ON DELETE RESTRICT,
    ADD CONSTRAINT mall_article_supplier FOREIGN KEY (supplier_id) REFERENCES mall_supplier ON DELETE RESTRICT,
    ADD CONSTRAINT mall_article_weight CHECK (weight_g BETWEEN 0 AND 1000000),
    ADD CONSTRAINT mall_article_spec CHECK (product_id IS NULL OR spec IS NOT NULL);
ALTER TABLE mall_timed_price
    ADD CONSTRAINT mall_timed_price_of FOREIGN KEY (sku) REFERENCES mall_article ON DELETE RESTRICT,
    ADD CONSTRAINT mall_timed_price_fen CHECK (price_fen BETWEEN 1 AND 100000000000),
    ADD CONSTRAINT mall_timed_price_window CHECK (starts_at < ends_at);
CREATE INDEX mall_category_under ON mall_category (parent_id);
CREATE UNIQUE INDEX mall_article_in_product ON mall_article (product_id, spec) WHERE product_id IS NOT NULL;
CREATE INDEX mall_article_of_brand ON mall_article (brand_id) WHERE brand_id IS NOT NULL;
CREATE INDEX mall_article_of_supplier ON mall_article (supplier_id) WHERE supplier_id IS NOT NULL;
CREATE INDEX mall_article_terms ON mall_article USING gin (terms);
CREATE INDEX mall_article_unread ON mall_article (sku) WHERE terms IS NULL;
CREATE INDEX mall_product_in ON mall_product (category_id);
CREATE INDEX mall_product_of_brand ON mall_product (brand_id) WHERE brand_id IS NOT NULL;
CREATE INDEX mall_product_newest ON mall_product (created_at, id) WHERE active;
CREATE INDEX mall_product_by_price ON mall_product (from_fen, id) WHERE active;
CREATE INDEX mall_product_by_name ON mall_product (name_key COLLATE "C", id COLLATE "C") WHERE active;
CREATE INDEX mall_product_terms ON mall_product USING gin (terms);
CREATE INDEX mall_product_attributes ON mall_product USING gin (attributes jsonb_path_ops);
CREATE INDEX mall_product_unread ON mall_product (id) WHERE terms IS NULL;
CREATE INDEX mall_timed_price_open ON mall_timed_price (sku, ends_at);
"""

UNCHECK = """
DROP INDEX mall_timed_price_open, mall_product_unread, mall_product_attributes, mall_product_terms,
    mall_product_by_name, mall_product_by_price, mall_product_newest, mall_product_of_brand, mall_product_in,
    mall_article_unread, mall_article_terms, mall_article_of_supplier, mall_article_of_brand, mall_article_in_product,
    mall_category_under;
ALTER TABLE mall_timed_price DROP CONSTRAINT mall_timed_price_of, DROP CONSTRAINT mall_timed_price_fen,
    DROP CONSTRAINT mall_timed_price_window;
ALTER TABLE mall_article DROP CONSTRAINT mall_article_product, DROP CONSTRAINT mall_article_brand,
    DROP CONSTRAINT mall_article_supplier, DROP CONSTRAINT mall_article_weight, DROP CONSTRAINT mall_article_spec;
ALTER TABLE mall_product DROP CONSTRAINT mall_product_category, DROP CONSTRAINT mall_product_brand,
    DROP CONSTRAINT mall_product_from;
ALTER TABLE mall_attribute DROP CONSTRAINT mall_attribute_kind;
ALTER TABLE mall_supplier DROP CONSTRAINT mall_supplier_in;
ALTER TABLE mall_category DROP CONSTRAINT mall_category_parent, DROP CONSTRAINT mall_category_not_itself;
"""


class Migration(migrations.Migration):
    """Add what the mall shows; what is there stays as it is, and the release before goes on with it."""

    dependencies = [("mall", "0002_costs")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField("Category", "parent_id", fields.CharField(null=True, max_length=32)),
        ops.AddField("Category", "sort", fields.IntField(default=0, db_default=0)),
        ops.AddField("Category", "shown", fields.BooleanField(default=True, db_default=True)),
        ops.AddField("Category", "picture", fields.CharField(null=True, max_length=64)),
        ops.AddField("Article", "product_id", fields.CharField(null=True, max_length=40)),
        ops.AddField("Article", "spec", fields.JSONField(null=True)),
        ops.AddField("Article", "brand_id", fields.CharField(null=True, max_length=32)),
        ops.AddField("Article", "supplier_id", fields.CharField(null=True, max_length=32)),
        ops.AddField("Article", "weight_g", fields.IntField(default=0, db_default=0)),
        ops.AddField("Article", "tracked", fields.BooleanField(default=False, db_default=False)),
        ops.AddField("Article", "picture", fields.CharField(null=True, max_length=64)),
        ops.AddField("Article", "name_key", fields.TextField(null=True)),
        ops.AddField("Article", "terms", TSVectorField(null=True)),
        ops.CreateModel(
            name="Brand",
            fields=[
                ("code", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("name", fields.CharField(max_length=40)),
                ("sort", fields.IntField(default=0)),
                ("picture", fields.CharField(null=True, max_length=64)),
            ],
            options={
                "table": "mall_brand",
                "app": "mall",
                "pk_attr": "code",
                "table_description": "One brand; never deleted while articles name it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SupplierCategory",
            fields=[
                ("code", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("name", fields.CharField(max_length=40)),
            ],
            options={
                "table": "mall_supplier_category",
                "app": "mall",
                "pk_attr": "code",
                "table_description": "What kind of supplier somebody is; never deleted while suppliers name it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Supplier",
            fields=[
                ("code", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("name", fields.CharField(max_length=60)),
                ("category_id", fields.CharField(null=True, max_length=32)),
                ("contact", fields.CharField(default="", max_length=40)),
                ("phone", fields.CharField(default="", max_length=32)),
                ("note", fields.CharField(default="", max_length=300)),
                ("active", fields.BooleanField(default=True)),
            ],
            options={
                "table": "mall_supplier",
                "app": "mall",
                "pk_attr": "code",
                "table_description": "Somebody who sells to the chain; made inactive when that ends, and stays.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Attribute",
            fields=[
                ("code", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("name", fields.CharField(max_length=40)),
                ("kind", fields.CharField(max_length=8)),
                ("choices", fields.JSONField(default=list)),
                ("filtered", fields.BooleanField(default=False)),
                ("sort", fields.IntField(default=0)),
            ],
            options={
                "table": "mall_attribute",
                "app": "mall",
                "pk_attr": "code",
                "table_description": "Something that staff say of products; products keep its values by its code.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Product",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ("name", fields.CharField(max_length=80)),
                ("subtitle", fields.CharField(default="", max_length=120)),
                ("category_id", fields.CharField(max_length=32)),
                ("brand_id", fields.CharField(null=True, max_length=32)),
                ("description", fields.TextField(default="")),
                ("pictures", fields.JSONField(default=list)),
                ("axes", fields.JSONField(default=list)),
                ("attributes", fields.JSONField(default=dict)),
                ("active", fields.BooleanField(default=True)),
                ("name_key", fields.TextField(default="")),
                ("terms", TSVectorField(null=True)),
                ("from_fen", fields.BigIntField(null=True)),
                ("version", fields.IntField(default=1)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "mall_product",
                "app": "mall",
                "pk_attr": "id",
                "table_description": (
                    "Articles that are shown as one, with a choice of them; "
                    "made inactive when it is no longer sold, and stays."
                ),
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="TimedPrice",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("sku", fields.CharField(max_length=40)),
                ("price_fen", fields.BigIntField()),
                ("starts_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ends_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("staff_id", fields.BigIntField(null=True)),
            ],
            options={
                "table": "mall_timed_price",
                "app": "mall",
                "pk_attr": "id",
                "table_description": "What an article costs for a while, for everybody; kept when that is over.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(TABLES, reverse_sql=UNTABLE),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
