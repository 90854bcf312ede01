"""An index that no question asks for."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Drop the centre's index: what is offered is read whole, once a second, and an old server reads it so, too.

    Of 5,000 templates with 96 running ones that takes half a millisecond, and the planner cannot take the index: it is
    of the centre's templates only.
    """

    dependencies = [("coupons", "0003_refusals")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "DROP INDEX coupon_template_in_centre",
            reverse_sql="CREATE INDEX coupon_template_in_centre ON coupon_template (sort, id)"
            " WHERE state = 'active' AND claim_by = 'centre'",
        ),
    ]
