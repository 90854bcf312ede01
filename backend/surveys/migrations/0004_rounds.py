"""A survey that asks after sales is answered again after another one: rounds, of which the first alone is rewarded."""

from tortoise import migrations
from tortoise.migrations import operations as ops

ROUNDS = """
ALTER TABLE survey_participation
    ADD COLUMN round integer NOT NULL DEFAULT 1 CONSTRAINT survey_participation_round CHECK (round > 0),
    ADD CONSTRAINT survey_participation_once CHECK (round = 1 OR outcome IS NULL),
    DROP CONSTRAINT survey_participation_pkey,
    ADD PRIMARY KEY (survey_id, member_id, round);
ALTER TABLE survey_answer ADD COLUMN round integer NOT NULL DEFAULT 1;
DROP INDEX survey_answer_of;
CREATE UNIQUE INDEX survey_answer_of ON survey_answer (survey_id, member_id, round) WHERE member_id IS NOT NULL;
"""

ONE = """
DROP INDEX survey_answer_of;
CREATE UNIQUE INDEX survey_answer_of ON survey_answer (survey_id, member_id) WHERE member_id IS NOT NULL;
ALTER TABLE survey_answer DROP COLUMN round;
ALTER TABLE survey_participation
    DROP CONSTRAINT survey_participation_pkey,
    DROP COLUMN round,
    ADD PRIMARY KEY (survey_id, member_id);
"""


class Migration(migrations.Migration):
    """Number the rounds of participations and answers."""

    dependencies = [("surveys", "0003_numbers")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(ROUNDS, reverse_sql=ONE),
    ]
