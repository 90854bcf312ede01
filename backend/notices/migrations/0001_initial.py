"""Announcements with their receipts, and the handbook: the tables, then what the ORM cannot say."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE notice_receipt (
    member_id       bigint      NOT NULL,
    announcement_id text        NOT NULL,
    read_at         timestamptz NOT NULL,
    PRIMARY KEY (member_id, announcement_id)
);
CREATE INDEX notice_receipt_of ON notice_receipt (announcement_id, read_at DESC, member_id DESC);

CREATE TABLE notice_version (
    chapter_id   varchar(16)  NOT NULL REFERENCES notice_chapter ON DELETE RESTRICT,
    number       integer      NOT NULL CHECK (number > 0),
    title        varchar(60)  NOT NULL,
    body         text         NOT NULL,
    blocks       jsonb        NOT NULL,
    plain        text         NOT NULL,
    title_terms  tsvector     NOT NULL,
    terms        tsvector     NOT NULL,
    note         varchar(120) NOT NULL DEFAULT '',
    revision     integer      NOT NULL CHECK (revision > 0),
    staff_id     bigint       NOT NULL,
    saved_at     timestamptz  NOT NULL,
    published_at timestamptz,
    PRIMARY KEY (chapter_id, number)
);
CREATE UNIQUE INDEX notice_version_one_draft ON notice_version (chapter_id) WHERE published_at IS NULL;
"""

CHECKS = """
ALTER TABLE notice_announcement
    ADD CONSTRAINT notice_announcement_state CHECK (state IN ('draft', 'published', 'withdrawn')),
    ADD CONSTRAINT notice_announcement_window CHECK (starts_at < ends_at),
    ADD CONSTRAINT notice_announcement_published
        CHECK (state = 'draft' OR (published_at IS NOT NULL AND starts_at IS NOT NULL));
CREATE INDEX notice_announcement_changed ON notice_announcement (updated_at DESC, id DESC);
CREATE INDEX notice_announcement_shown ON notice_announcement (pinned DESC, starts_at DESC, id DESC)
    WHERE state = 'published';
ALTER TABLE notice_chapter
    ADD CONSTRAINT notice_chapter_visibility CHECK (visibility IN ('everyone', 'levels', 'staff')),
    ADD CONSTRAINT notice_chapter_levels CHECK ((visibility = 'levels') = (levels <> '[]'::jsonb)),
    ADD CONSTRAINT notice_chapter_removed CHECK (removed_at IS NULL OR current IS NULL),
    ADD CONSTRAINT notice_chapter_parent FOREIGN KEY (parent_id) REFERENCES notice_chapter ON DELETE RESTRICT;
CREATE INDEX notice_change_newest ON notice_change (subject_id, at DESC, id);

CREATE FUNCTION notice_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was published, and who did it, is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER notice_change_is_kept BEFORE UPDATE OR DELETE ON notice_change
    FOR EACH ROW EXECUTE FUNCTION notice_is_kept();
CREATE TRIGGER notice_version_is_kept BEFORE UPDATE OR DELETE ON notice_version
    FOR EACH ROW WHEN (OLD.published_at IS NOT NULL) EXECUTE FUNCTION notice_is_kept();
"""

UNCHECK = """
DROP TRIGGER notice_version_is_kept ON notice_version;
DROP TRIGGER notice_change_is_kept ON notice_change;
DROP FUNCTION notice_is_kept();
DROP INDEX notice_change_newest, notice_announcement_shown, notice_announcement_changed;
ALTER TABLE notice_chapter DROP CONSTRAINT notice_chapter_visibility, DROP CONSTRAINT notice_chapter_levels,
    DROP CONSTRAINT notice_chapter_removed, DROP CONSTRAINT notice_chapter_parent;
ALTER TABLE notice_announcement DROP CONSTRAINT notice_announcement_state,
    DROP CONSTRAINT notice_announcement_window, DROP CONSTRAINT notice_announcement_published;
"""


class Migration(migrations.Migration):
    """Create the tables of what the chain tells."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="Announcement",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("store_id", fields.CharField(null=True, max_length=16)),
                ("state", fields.CharField(max_length=10)),
                ("title", fields.CharField(max_length=60)),
                ("summary", fields.CharField(max_length=120)),
                ("body", fields.TextField(unique=False)),
                ("blocks", fields.JSONField(default=list)),
                ("cover", fields.CharField(null=True, max_length=64)),
                ("audience", fields.JSONField(default=dict)),
                ("levels", fields.JSONField(default=list)),
                ("stores", fields.JSONField(default=list)),
                ("narrow", fields.BooleanField(default=False)),
                ("pinned", fields.BooleanField(default=False)),
                ("starts_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ends_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("version", fields.IntField(default=1)),
                ("created_by", fields.BigIntField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("published_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("request_hash", fields.BinaryField()),
            ],
            options={
                "table": "notice_announcement",
                "app": "notices",
                "pk_attr": "id",
                "table_description": ("One announcement; what it says is fixed once it was published. Kept for good."),
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Chapter",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("parent_id", fields.CharField(null=True, max_length=16)),
                ("sort", fields.IntField(default=0)),
                ("visibility", fields.CharField(max_length=10)),
                ("levels", fields.JSONField(default=list)),
                ("current", fields.IntField(null=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("removed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("request_hash", fields.BinaryField()),
            ],
            options={
                "table": "notice_chapter",
                "app": "notices",
                "pk_attr": "id",
                "table_description": (
                    "One chapter of the handbook: its place, and which version is shown. Its texts are kept for good."
                ),
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Change",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("subject_id", fields.CharField(max_length=16)),
                ("staff_id", fields.BigIntField()),
                ("action", fields.CharField(max_length=20)),
                ("detail", fields.JSONField(default=dict)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "notice_change",
                "app": "notices",
                "pk_attr": "id",
                "table_description": (
                    "What somebody of the staff did to an announcement or a chapter; only ever added to."
                ),
            },
            bases=["Model"],
        ),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE notice_version, notice_receipt"),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
