"""Surveys, their versions, who takes part in them and what was answered."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# An answer to an anonymous survey has neither member nor instant, and its participation names no answer. Counting
# reads survey_choice alone: one row for each thing that was said, with all that it is counted by in its key.
TABLES = """
CREATE TABLE survey_version (
    survey_id    text NOT NULL,
    version      integer     NOT NULL CHECK (version > 0),
    content      jsonb       NOT NULL,
    staff_id     bigint      NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (survey_id, version)
);
CREATE TABLE survey_participation (
    survey_id     text NOT NULL,
    member_id     bigint      NOT NULL,
    version       integer,
    revision      integer     NOT NULL DEFAULT 0,
    page          integer     NOT NULL DEFAULT 0,
    saved         jsonb,
    store_id      text,
    invited_at    timestamptz,
    invited_until timestamptz,
    done_on       date,
    key           text,
    request_hash  bytea,
    answer_id     bigint,
    outcome       jsonb,
    paid          boolean     NOT NULL DEFAULT false,
    tried_at      timestamptz,
    PRIMARY KEY (survey_id, member_id),
    CONSTRAINT survey_participation_sent CHECK (done_on IS NULL OR saved IS NULL),
    CONSTRAINT survey_participation_paid CHECK (NOT paid OR (done_on IS NOT NULL AND outcome IS NOT NULL))
) WITH (fillfactor = 85);
CREATE INDEX survey_participation_of ON survey_participation (member_id, survey_id);
CREATE INDEX survey_participation_due ON survey_participation (tried_at, survey_id, member_id)
    WHERE outcome IS NOT NULL AND NOT paid;

CREATE TABLE survey_answer (
    survey_id    text NOT NULL,
    id           bigint      NOT NULL,
    version      integer     NOT NULL,
    member_id    bigint,
    "on"         date        NOT NULL,
    at           timestamptz,
    store_id     text,
    level        text,
    medium       text NOT NULL,
    entered_by   bigint,
    entry_key    text,
    request_hash bytea,
    given        jsonb       NOT NULL,
    score        integer,
    PRIMARY KEY (survey_id, id),
    CONSTRAINT survey_answer_medium CHECK (medium IN ('phone', 'paper', 'telephone')),
    CONSTRAINT survey_answer_entered CHECK ((medium = 'phone') = (entered_by IS NULL)),
    CONSTRAINT survey_answer_anonymous CHECK (at IS NOT NULL OR member_id IS NULL)
);
CREATE UNIQUE INDEX survey_answer_of ON survey_answer (survey_id, member_id) WHERE member_id IS NOT NULL;
CREATE UNIQUE INDEX survey_answer_entry ON survey_answer (entered_by, entry_key) WHERE entry_key IS NOT NULL;
CREATE INDEX survey_answer_counted ON survey_answer
    (survey_id, "on", version, store_id, level, medium) INCLUDE (score);
CREATE INDEX survey_answer_newest ON survey_answer (survey_id, at DESC, id DESC);

CREATE TABLE survey_choice (
    survey_id text NOT NULL,
    question  text NOT NULL,
    "row"     text NOT NULL,
    choice    text NOT NULL,
    answer_id bigint      NOT NULL,
    number    double precision,
    version   integer     NOT NULL,
    store_id  text,
    level     text,
    "on"      date        NOT NULL,
    PRIMARY KEY (survey_id, question, "row", choice, answer_id) INCLUDE (number, version, store_id, level, "on")
);

CREATE TABLE survey_quota (
    survey_id text NOT NULL,
    key       text NOT NULL,
    most      integer     NOT NULL CHECK (most > 0),
    taken     integer     NOT NULL DEFAULT 0 CHECK (taken >= 0),
    PRIMARY KEY (survey_id, key)
) WITH (fillfactor = 50);

CREATE TABLE survey_prize (
    survey_id text NOT NULL,
    number    integer     NOT NULL,
    stock     integer,
    given     integer     NOT NULL DEFAULT 0 CHECK (given >= 0),
    PRIMARY KEY (survey_id, number),
    CONSTRAINT survey_prize_stock CHECK (stock IS NULL OR given <= stock)
) WITH (fillfactor = 50);
"""

CHECKS = """
ALTER TABLE survey
    ADD CONSTRAINT survey_state CHECK (state IN ('draft', 'open', 'paused', 'closed')),
    ADD CONSTRAINT survey_window CHECK (opens_at < closes_at),
    ADD CONSTRAINT survey_total CHECK (total > 0),
    ADD CONSTRAINT survey_published CHECK ((version > 0) = (published_at IS NOT NULL)),
    ADD CONSTRAINT survey_of FOREIGN KEY (project_id) REFERENCES survey_project (id) ON DELETE RESTRICT;
CREATE INDEX survey_newest ON survey (created_at DESC, id DESC);
CREATE INDEX survey_of_project ON survey (project_id, created_at DESC, id DESC);
CREATE INDEX survey_change_newest ON survey_change (survey_id, at DESC, id);
CREATE FUNCTION survey_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was published, and who changed a survey, is never rewritten'
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER survey_change_is_kept BEFORE UPDATE OR DELETE ON survey_change
    FOR EACH ROW EXECUTE FUNCTION survey_is_kept();
CREATE TRIGGER survey_version_is_kept BEFORE UPDATE OR DELETE ON survey_version
    FOR EACH ROW EXECUTE FUNCTION survey_is_kept();
"""

UNCHECK = """
DROP TRIGGER survey_version_is_kept ON survey_version;
DROP TRIGGER survey_change_is_kept ON survey_change;
DROP FUNCTION survey_is_kept();
DROP INDEX survey_change_newest, survey_of_project, survey_newest;
ALTER TABLE survey DROP CONSTRAINT survey_of, DROP CONSTRAINT survey_published, DROP CONSTRAINT survey_total,
    DROP CONSTRAINT survey_window, DROP CONSTRAINT survey_state;
"""

UNTABLE = "DROP TABLE survey_prize, survey_quota, survey_choice, survey_answer, survey_participation, survey_version"


class Migration(migrations.Migration):
    """Create the tables of surveys."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="Project",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("name", fields.CharField(max_length=60)),
                ("note", fields.CharField(max_length=300)),
                ("archived", fields.BooleanField(default=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "survey_project",
                "app": "surveys",
                "pk_attr": "id",
                "table_description": "What surveys are kept together under. Kept for good.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Survey",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("project_id", fields.CharField(max_length=16)),
                ("title", fields.CharField(max_length=60)),
                ("state", fields.CharField(max_length=8)),
                ("anonymous", fields.BooleanField(default=False)),
                ("version", fields.IntField(default=0)),
                ("draft", fields.JSONField(default=dict)),
                ("audience", fields.JSONField(default=dict)),
                ("after_sale", fields.JSONField(null=True)),
                ("total", fields.IntField(null=True)),
                ("quotas", fields.JSONField(default=list)),
                ("reward", fields.JSONField(null=True)),
                ("opens_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("closes_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("published_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("mixed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "survey",
                "app": "surveys",
                "pk_attr": "id",
                "table_description": (
                    "One survey: its terms, and the content that is being written. What was published lies in its"
                    " versions."
                ),
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Change",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("survey_id", fields.CharField(max_length=16)),
                ("staff_id", fields.BigIntField()),
                ("action", fields.CharField(max_length=20)),
                ("detail", fields.JSONField(default=dict)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "survey_change",
                "app": "surveys",
                "pk_attr": "id",
                "table_description": "What somebody of the staff did to a survey; only ever added to.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(TABLES, reverse_sql=UNTABLE),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
