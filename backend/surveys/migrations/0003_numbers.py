"""Numbers are counted with all their digits, and what was saved and never sent is found to be forgotten."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# They were written to six digits, and a zero as -0 where a phone sent it so. Of what is counted twice by mistake there
# is none: the id of the answer stands in the key.
NUMBERS = """
UPDATE survey_choice SET choice = told.text
  FROM (SELECT number, CASE WHEN rounded LIKE '%.%' THEN rtrim(rtrim(rounded, '0'), '.') ELSE rounded END AS text
          FROM (SELECT DISTINCT number, round(number::numeric, 3)::text AS rounded
                  FROM survey_choice WHERE number IS NOT NULL) AS said) AS told
 WHERE survey_choice.number = told.number AND survey_choice.choice <> told.text
"""


class Migration(migrations.Migration):
    """Write numbers in full; index what is saved."""

    dependencies = [("surveys", "0002_inviting")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(NUMBERS, reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "CREATE INDEX survey_participation_saved ON survey_participation (survey_id) WHERE saved IS NOT NULL",
            reverse_sql="DROP INDEX survey_participation_saved",
        ),
    ]
