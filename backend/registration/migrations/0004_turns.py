"""Whose turn it is to read an import: whoever begins anew takes it from whoever was thought dead."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add a column with a constant default: instant, and the release before ignores it."""

    dependencies = [("registration", "0003_imports")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "ALTER TABLE registration_import ADD turn integer NOT NULL DEFAULT 0",
            reverse_sql="ALTER TABLE registration_import DROP turn",
        ),
    ]
