"""Who looked at whom."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE contact_look (
    id        bigint      NOT NULL PRIMARY KEY,
    at        timestamptz NOT NULL,
    staff_id  bigint      NOT NULL,
    by        varchar(10) NOT NULL CHECK (by IN ('code', 'phone', 'member_no', 'openid', 'id')),
    outcome   varchar(8)  NOT NULL CHECK (outcome IN ('found', 'missed', 'refused')),
    member_id bigint,
    view      varchar(8)  CHECK (view IN ('chain', 'manager', 'clerk', 'guest')),
    CONSTRAINT contact_look_found CHECK ((outcome = 'found') = (view IS NOT NULL)),
    CONSTRAINT contact_look_at_whom CHECK (outcome <> 'found' OR member_id IS NOT NULL)
);
CREATE INDEX contact_look_newest ON contact_look (at DESC, id DESC);
CREATE INDEX contact_look_at_member ON contact_look (member_id, at DESC, id DESC);
CREATE INDEX contact_look_of_staff ON contact_look (staff_id, at DESC, id DESC);
CREATE FUNCTION contact_look_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who looked at whom is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER contact_look_is_kept BEFORE UPDATE ON contact_look
    FOR EACH ROW EXECUTE FUNCTION contact_look_is_kept();
"""


class Migration(migrations.Migration):
    """Create the table."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE contact_look; DROP FUNCTION contact_look_is_kept()"),
    ]
