"""Templates that staff write, and the texts that they put in the place of a built-in's: every version is kept."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE message_template (
    code       varchar(40) PRIMARY KEY,
    purpose    varchar(10) NOT NULL CONSTRAINT message_template_purpose
               CHECK (purpose IN ('service', 'care', 'survey', 'marketing')),
    version    integer     NOT NULL CHECK (version >= 0),
    newest     integer     NOT NULL CHECK (newest >= 0),
    builtin    boolean     NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT message_template_version_there CHECK (version <= newest AND (builtin OR version > 0))
);

CREATE TABLE message_template_version (
    code      varchar(40) NOT NULL REFERENCES message_template (code) ON DELETE RESTRICT,
    version   integer     NOT NULL CHECK (version > 0),
    title     text        NOT NULL,
    body      text        NOT NULL,
    channels  text[]      NOT NULL CONSTRAINT message_template_channels CHECK (cardinality(channels) > 0),
    variables jsonb       NOT NULL,
    texts     jsonb       NOT NULL,
    staff_id  bigint      NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (code, version)
);
CREATE FUNCTION message_template_version_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a text that letters were sent with is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER message_template_version_is_kept BEFORE UPDATE OR DELETE ON message_template_version
    FOR EACH ROW EXECUTE FUNCTION message_template_version_is_kept();

CREATE TABLE message_template_change (
    id       bigint      PRIMARY KEY,
    code     varchar(40) NOT NULL,
    staff_id bigint      NOT NULL,
    action   varchar(20) NOT NULL,
    detail   jsonb       NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX message_template_change_newest ON message_template_change (code, at DESC, id);
CREATE TRIGGER message_template_change_is_kept BEFORE UPDATE OR DELETE ON message_template_change
    FOR EACH ROW EXECUTE FUNCTION message_template_version_is_kept();
"""

DROP = """
DROP TABLE message_template_change, message_template_version, message_template;
DROP FUNCTION message_template_version_is_kept();
"""


class Migration(migrations.Migration):
    """Create the tables of templates."""

    dependencies = [("messages", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
