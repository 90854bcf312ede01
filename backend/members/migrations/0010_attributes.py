"""Attributes that staff define, the values they are found by, and what members may change themselves."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# `member.attributes` is what is read of one member. `member_value` is what members are found by: a row for each value
# (each of several choices), in the order in which lists of members go. Both are written together.
TABLES = """
CREATE TABLE member_attribute (
    code       varchar(40) PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{0,39}$'),
    definition jsonb       NOT NULL,
    position   integer     NOT NULL CHECK (position BETWEEN 0 AND 9999),
    archived   boolean     NOT NULL,
    version    integer     NOT NULL CHECK (version > 0),
    changed_at timestamptz NOT NULL
);

CREATE TABLE member_value (
    member_id bigint       NOT NULL,
    attribute varchar(40)  NOT NULL,
    text      varchar(200) COLLATE "C" NOT NULL,
    number    double precision,
    joined_at timestamptz  NOT NULL,
    PRIMARY KEY (member_id, attribute, text)
);
CREATE INDEX member_value_text ON member_value (attribute, text, joined_at DESC, member_id) WHERE number IS NULL;
CREATE INDEX member_value_number ON member_value (attribute, number, joined_at DESC, member_id)
 WHERE number IS NOT NULL;

CREATE TABLE member_field_rules (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    changes jsonb   NOT NULL,
    version integer NOT NULL CHECK (version > 0)
);

CREATE TABLE member_definition_change (
    id       bigint      PRIMARY KEY,
    subject  varchar(40) NOT NULL,
    staff_id bigint      NOT NULL,
    action   varchar(20) NOT NULL,
    detail   jsonb       NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX member_definition_change_of ON member_definition_change (subject, at DESC, id);
CREATE FUNCTION member_definition_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a history of definitions is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER member_definition_change_is_kept BEFORE UPDATE OR DELETE ON member_definition_change
    FOR EACH ROW EXECUTE FUNCTION member_definition_change_is_kept();
"""
DROP = """
DROP TABLE member_attribute, member_value, member_field_rules, member_definition_change;
DROP FUNCTION member_definition_change_is_kept();
"""


class Migration(migrations.Migration):
    """Add the tables; the release before knows none of them."""

    dependencies = [("members", "0009_merged")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
