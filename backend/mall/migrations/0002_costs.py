"""What an article costs the chain, where it says so."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

CHECK = """
ALTER TABLE mall_article ADD CONSTRAINT mall_article_cost CHECK (cost_fen BETWEEN 0 AND 100000000000);
"""


class Migration(migrations.Migration):
    """Add the cost; none is known yet."""

    dependencies = [("mall", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField(model_name="Article", name="cost_fen", field=fields.BigIntField(null=True)),
        ops.RunSQL(CHECK, reverse_sql="ALTER TABLE mall_article DROP CONSTRAINT mall_article_cost"),
    ]
