"""Care plans, their tasks and runs, and what triggers look back at: the tables, then what the ORM cannot say."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE care_task (
    id         varchar(16)  PRIMARY KEY,
    plan_id    varchar(16)  NOT NULL REFERENCES care_plan ON DELETE RESTRICT,
    member_id  bigint       NOT NULL,
    occasion   varchar(40)  NOT NULL,
    "on"       varchar(16)  NOT NULL,
    how        varchar(8)   NOT NULL,
    state      varchar(8)   NOT NULL CHECK (state IN ('due', 'sent', 'failed', 'open', 'done', 'skipped', 'held_out')),
    store_id   varchar(16),
    owner_id   bigint,
    made_at    timestamptz  NOT NULL,
    made_on    date         NOT NULL,
    due_on     date,
    said       jsonb        NOT NULL DEFAULT '{}',
    given      jsonb,
    note       varchar(500) NOT NULL DEFAULT '',
    closed_by  bigint,
    closed_at  timestamptz,
    judge_at   timestamptz  NOT NULL,
    judged_at  timestamptz,
    bought     boolean,
    spent_fen  bigint,
    CONSTRAINT care_task_once UNIQUE (plan_id, member_id, occasion),
    CONSTRAINT care_task_todo
        CHECK ((state IN ('open', 'done', 'skipped')) <= (how <> 'letter' AND due_on IS NOT NULL)),
    CONSTRAINT care_task_letter CHECK ((state IN ('due', 'sent', 'failed')) <= (how = 'letter')),
    CONSTRAINT care_task_closed CHECK ((state IN ('done', 'skipped')) = (closed_by IS NOT NULL)),
    CONSTRAINT care_task_held CHECK (state <> 'held_out' OR given IS NULL),
    CONSTRAINT care_task_judged
        CHECK ((judged_at IS NULL) = (bought IS NULL) AND (bought IS NULL) = (spent_fen IS NULL))
) WITH (fillfactor = 90);
CREATE INDEX care_task_newest ON care_task (made_at DESC, id DESC);
CREATE INDEX care_task_of_store ON care_task (store_id, made_at DESC, id DESC);
CREATE INDEX care_task_of_member ON care_task (member_id, made_at DESC);
CREATE INDEX care_task_due ON care_task (id) WHERE state = 'due';
CREATE INDEX care_task_open ON care_task (due_on, id) WHERE state = 'open';
CREATE INDEX care_task_to_judge ON care_task (judge_at, id) WHERE judged_at IS NULL;

CREATE TABLE care_run (
    plan_id varchar(16) NOT NULL REFERENCES care_plan ON DELETE RESTRICT,
    on_date date        NOT NULL,
    after   bigint      NOT NULL DEFAULT 0,
    made    integer     NOT NULL DEFAULT 0,
    held    integer     NOT NULL DEFAULT 0,
    begun_at timestamptz NOT NULL,
    done_at timestamptz,
    PRIMARY KEY (plan_id, on_date)
);

CREATE TABLE care_birthday_gift (
    member_id bigint      NOT NULL,
    year      integer     NOT NULL,
    task_id   varchar(16) NOT NULL REFERENCES care_task ON DELETE RESTRICT,
    PRIMARY KEY (member_id, year)
);

CREATE TABLE care_fact (
    kind      varchar(16) NOT NULL CHECK (kind IN ('level', 'coupon')),
    member_id bigint      NOT NULL,
    ref       varchar(40) NOT NULL,
    on_date   date        NOT NULL,
    PRIMARY KEY (kind, member_id, ref)
);
CREATE INDEX care_fact_on ON care_fact (kind, on_date, member_id);
"""

CHECKS = """
ALTER TABLE care_plan
    ADD CONSTRAINT care_plan_state CHECK (state IN ('draft', 'active', 'paused', 'ended')),
    ADD CONSTRAINT care_plan_how CHECK (how IN ('letter', 'call', 'visit', 'other')),
    ADD CONSTRAINT care_plan_letter CHECK ((how = 'letter') = (template IS NOT NULL)),
    ADD CONSTRAINT care_plan_numbers CHECK (hour BETWEEN 0 AND 23 AND due_days BETWEEN 0 AND 60
        AND holdout_bp BETWEEN 0 AND 5000 AND window_days BETWEEN 1 AND 90),
    ADD CONSTRAINT care_plan_window CHECK (starts_on <= ends_on);
CREATE INDEX care_plan_newest ON care_plan (created_at DESC, id DESC);
CREATE INDEX care_change_newest ON care_change (subject_id, at DESC, id);
CREATE FUNCTION care_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who changed care is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER care_change_is_kept BEFORE UPDATE OR DELETE ON care_change
    FOR EACH ROW EXECUTE FUNCTION care_change_is_kept();
"""

UNCHECK = """
DROP TRIGGER care_change_is_kept ON care_change;
DROP FUNCTION care_change_is_kept();
DROP INDEX care_change_newest, care_plan_newest;
ALTER TABLE care_plan DROP CONSTRAINT care_plan_state, DROP CONSTRAINT care_plan_how, DROP CONSTRAINT care_plan_letter,
    DROP CONSTRAINT care_plan_numbers, DROP CONSTRAINT care_plan_window;
"""

# Every chain has the list of today's birthdays as to-dos of its stores; head office may pause it or write others.
BIRTHDAYS = """
INSERT INTO care_plan (id, title, note, state, audience, trigger, how, hour, due_days, holdout_bp, window_days, version,
                       seed, created_at, updated_at, request_hash)
VALUES ('BIRTHDAY', '生日问候', '当天给生日会员打个电话', 'active', '{}', '{"on": "birthday"}', 'call', 0, 0, 0, 14, 1,
        uuid_send(gen_random_uuid()), now(), now(), '')"""


class Migration(migrations.Migration):
    """Create the tables of care, and the plan of today's birthdays."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="Plan",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("title", fields.CharField(max_length=60)),
                ("note", fields.CharField(max_length=300)),
                ("state", fields.CharField(max_length=8)),
                ("audience", fields.JSONField(default=dict)),
                ("trigger", fields.JSONField(default=dict)),
                ("how", fields.CharField(max_length=8)),
                ("template", fields.CharField(null=True, max_length=40)),
                ("gift", fields.JSONField(null=True)),
                ("owner_id", fields.BigIntField(null=True)),
                ("hour", fields.IntField(default=9)),
                ("due_days", fields.IntField(default=3)),
                ("holdout_bp", fields.IntField(default=0)),
                ("window_days", fields.IntField(default=14)),
                ("starts_on", fields.DateField(null=True)),
                ("ends_on", fields.DateField(null=True)),
                ("version", fields.IntField(default=1)),
                ("seed", fields.BinaryField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("done_on", fields.DateField(null=True)),
                ("request_hash", fields.BinaryField()),
            ],
            options={
                "table": "care_plan",
                "app": "care",
                "pk_attr": "id",
                "table_description": "One plan; what it does is fixed while it runs. Kept for good.",
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
                "table": "care_change",
                "app": "care",
                "pk_attr": "id",
                "table_description": (
                    "What somebody of the staff did to a plan or a task, looking up a phone number too; only ever"
                    " added to."
                ),
            },
            bases=["Model"],
        ),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE care_fact, care_birthday_gift, care_run, care_task"),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
        ops.RunSQL(BIRTHDAYS, reverse_sql=ops.RunSQL.noop),
    ]
