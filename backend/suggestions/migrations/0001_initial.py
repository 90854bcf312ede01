"""Boxes, suggestions and tickets: the tables, then what the ORM cannot say."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# Rows of anonymous suggestions are taken out and put back together with the others of their day, so that neither their
# place nor their transaction says when they came: keys between these tables are looked at when that is done.
TABLES = """
CREATE TABLE suggestion_box_admin (
    box_id   varchar(16) NOT NULL REFERENCES suggestion_box (id) ON DELETE RESTRICT,
    staff_id bigint      NOT NULL,
    PRIMARY KEY (box_id, staff_id)
);
CREATE INDEX suggestion_box_admin_of ON suggestion_box_admin (staff_id, box_id);

CREATE TABLE suggestion_issued (
    member_id bigint      NOT NULL,
    key_id    varchar(16) NOT NULL REFERENCES suggestion_key (id) ON DELETE RESTRICT,
    digest    varchar(64) NOT NULL,
    PRIMARY KEY (member_id, key_id, digest)
);
CREATE INDEX suggestion_issued_by ON suggestion_issued (key_id);

CREATE TABLE suggestion_spent (
    digest        varchar(64) PRIMARY KEY,
    key_id        varchar(16) NOT NULL REFERENCES suggestion_key (id) ON DELETE RESTRICT,
    request       varchar(64) NOT NULL,
    suggestion_id varchar(20) NOT NULL,
    fresh_on      date
);
CREATE INDEX suggestion_spent_of ON suggestion_spent (key_id);
CREATE INDEX suggestion_spent_fresh ON suggestion_spent (fresh_on) WHERE fresh_on IS NOT NULL;
"""

CHECKS = """
ALTER TABLE suggestion_box ADD CONSTRAINT suggestion_box_state CHECK (state IN ('open', 'closed'));
ALTER TABLE suggestion
    ADD CONSTRAINT suggestion_state CHECK (state IN ('open', 'answered', 'closed')),
    ADD CONSTRAINT suggestion_whose CHECK ((member_id IS NULL) = (receipt IS NOT NULL)),
    ADD CONSTRAINT suggestion_when CHECK ((member_id IS NULL) = (at IS NULL)),
    ADD CONSTRAINT suggestion_closed CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    ADD CONSTRAINT suggestion_rating CHECK (rating BETWEEN 1 AND 5),
    ADD CONSTRAINT suggestion_in_box FOREIGN KEY (box_id) REFERENCES suggestion_box (id) ON DELETE RESTRICT;
CREATE UNIQUE INDEX suggestion_receipt ON suggestion (receipt);
CREATE INDEX suggestion_of_box ON suggestion (box_id, day DESC, id DESC);
CREATE INDEX suggestion_of_member ON suggestion (member_id, at DESC, id DESC) WHERE member_id IS NOT NULL;
CREATE INDEX suggestion_fresh ON suggestion (fresh_on) WHERE fresh_on IS NOT NULL;
ALTER TABLE suggestion_message
    ADD CONSTRAINT suggestion_message_author CHECK (author IN ('writer', 'staff')),
    ADD CONSTRAINT suggestion_message_by CHECK ((author = 'staff') = (staff_id IS NOT NULL)),
    ADD CONSTRAINT suggestion_message_text CHECK (length(text) BETWEEN 1 AND 2000),
    ADD CONSTRAINT suggestion_message_of FOREIGN KEY (suggestion_id) REFERENCES suggestion (id)
        DEFERRABLE INITIALLY DEFERRED;
CREATE UNIQUE INDEX suggestion_message_seq ON suggestion_message (suggestion_id, seq);
CREATE INDEX suggestion_message_fresh ON suggestion_message (fresh_on) WHERE fresh_on IS NOT NULL;
ALTER TABLE suggestion_picture
    ADD CONSTRAINT suggestion_picture_size CHECK (length(large) <= 4194304 AND length(small) <= 262144),
    ADD CONSTRAINT suggestion_picture_of FOREIGN KEY (suggestion_id) REFERENCES suggestion (id)
        DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE suggestion_picture ALTER COLUMN large SET STORAGE EXTERNAL, ALTER COLUMN small SET STORAGE EXTERNAL;
CREATE INDEX suggestion_picture_in ON suggestion_picture (suggestion_id);
CREATE INDEX suggestion_picture_fresh ON suggestion_picture (fresh_on) WHERE fresh_on IS NOT NULL;
CREATE INDEX suggestion_change_newest ON suggestion_change (box_id, at DESC, id);
CREATE FUNCTION suggestion_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who changed a box is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER suggestion_change_is_kept BEFORE UPDATE OR DELETE ON suggestion_change
    FOR EACH ROW EXECUTE FUNCTION suggestion_change_is_kept();
"""

UNCHECK = """
DROP TRIGGER suggestion_change_is_kept ON suggestion_change;
DROP FUNCTION suggestion_change_is_kept();
DROP INDEX suggestion_change_newest, suggestion_picture_fresh, suggestion_picture_in, suggestion_message_fresh,
    suggestion_message_seq, suggestion_fresh, suggestion_of_member, suggestion_of_box, suggestion_receipt;
ALTER TABLE suggestion_picture DROP CONSTRAINT suggestion_picture_size, DROP CONSTRAINT suggestion_picture_of;
ALTER TABLE suggestion_message DROP CONSTRAINT suggestion_message_author, DROP CONSTRAINT suggestion_message_by,
    DROP CONSTRAINT suggestion_message_text, DROP CONSTRAINT suggestion_message_of;
ALTER TABLE suggestion DROP CONSTRAINT suggestion_state, DROP CONSTRAINT suggestion_whose,
    DROP CONSTRAINT suggestion_when, DROP CONSTRAINT suggestion_closed, DROP CONSTRAINT suggestion_rating,
    DROP CONSTRAINT suggestion_in_box;
ALTER TABLE suggestion_box DROP CONSTRAINT suggestion_box_state;
"""


class Migration(migrations.Migration):
    """Create the tables of suggestion boxes."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="Box",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("title", fields.CharField(max_length=40)),
                ("topic", fields.CharField(max_length=300)),
                ("store_id", fields.CharField(null=True, max_length=16)),
                ("state", fields.CharField(max_length=8)),
                ("anonymous", fields.BooleanField()),
                ("version", fields.IntField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "suggestion_box",
                "app": "suggestions",
                "pk_attr": "id",
                "table_description": ("One box. Kept for good."),
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Suggestion",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=20)),
                ("box_id", fields.CharField(max_length=16)),
                ("member_id", fields.BigIntField(null=True)),
                ("receipt", fields.CharField(null=True, max_length=64)),
                ("state", fields.CharField(max_length=8)),
                ("day", fields.DateField()),
                ("at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("assigned_to", fields.BigIntField(null=True)),
                ("answered_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("rating", fields.SmallIntField(null=True)),
                ("rating_text", fields.CharField(default="", max_length=500)),
                ("messages", fields.IntField()),
                ("unanswered", fields.IntField()),
                ("fresh_on", fields.DateField(null=True)),
                ("version", fields.IntField()),
            ],
            options={
                "table": "suggestion",
                "app": "suggestions",
                "pk_attr": "id",
                "table_description": ("One suggestion. Kept for good."),
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Message",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("suggestion_id", fields.CharField(max_length=20)),
                ("seq", fields.IntField()),
                ("author", fields.CharField(max_length=8)),
                ("staff_id", fields.BigIntField(null=True)),
                ("text", fields.TextField(unique=False)),
                ("pictures", fields.JSONField(default=list)),
                ("day", fields.DateField()),
                ("at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("request", fields.CharField(default="", max_length=64)),
                ("fresh_on", fields.DateField(null=True)),
            ],
            options={
                "table": "suggestion_message",
                "app": "suggestions",
                "pk_attr": "id",
                "table_description": (
                    "One message of a suggestion; ``request`` is the digest of the request that a retry must match."
                ),
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Picture",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("suggestion_id", fields.CharField(max_length=20)),
                ("large", fields.BinaryField()),
                ("small", fields.BinaryField()),
                ("fresh_on", fields.DateField(null=True)),
            ],
            options={
                "table": "suggestion_picture",
                "app": "suggestions",
                "pk_attr": "id",
                "table_description": (
                    "A picture of an anonymous suggestion, drawn anew: pixels, and nothing of where they come from."
                ),
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Key",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("week", fields.DateField(unique=True)),
                ("private_sealed", fields.TextField(unique=False)),
            ],
            options={
                "table": "suggestion_key",
                "app": "suggestions",
                "pk_attr": "id",
                "table_description": ("What signs the tickets of a week. Dropped when they are good no more."),
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Change",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("box_id", fields.CharField(max_length=16)),
                ("staff_id", fields.BigIntField()),
                ("action", fields.CharField(max_length=20)),
                ("detail", fields.JSONField(default=dict)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "suggestion_change",
                "app": "suggestions",
                "pk_attr": "id",
                "table_description": (
                    "What somebody of the staff did to a box or to what is in it; only ever added to."
                ),
            },
            bases=["Model"],
        ),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE suggestion_spent, suggestion_issued, suggestion_box_admin"),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
