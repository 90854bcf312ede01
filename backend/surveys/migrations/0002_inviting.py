"""Invitations that are sent to all who are meant, and photos of anonymous answers, which name nobody."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE survey_invitation (
    survey_id text        NOT NULL,
    round     integer     NOT NULL CHECK (round > 0),
    staff_id  bigint      NOT NULL,
    asked_at  timestamptz NOT NULL,
    after     bigint      NOT NULL DEFAULT 0,
    invited   integer     NOT NULL DEFAULT 0,
    ended_at  timestamptz,
    PRIMARY KEY (survey_id, round)
);
CREATE INDEX survey_invitation_open ON survey_invitation (asked_at) WHERE ended_at IS NULL;

CREATE TABLE survey_photo (
    id        text    NOT NULL PRIMARY KEY,
    survey_id text    NOT NULL,
    "on"      date    NOT NULL,
    used      boolean NOT NULL DEFAULT false,
    kind      text    NOT NULL,
    large     bytea   NOT NULL,
    small     bytea   NOT NULL
);
CREATE INDEX survey_photo_unused ON survey_photo ("on") WHERE NOT used;
"""


class Migration(migrations.Migration):
    """Create the tables of invitations and of anonymous photos."""

    dependencies = [("surveys", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE survey_photo, survey_invitation"),
    ]
