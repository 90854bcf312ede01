"""procrastinate's tables, as the installed package defines them.

The SQL is read when the migration runs, so a fresh database always has what the installed release needs; its version
is noted as the comment of ``procrastinate_jobs`` and the worker compares it at start-up. A release of procrastinate
with a newer schema therefore comes with a migration here that looks at that comment and runs only those of the
package's own migration files (``procrastinate/sql/migrations``) that are newer. Until then the dependency is pinned
below that release.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

from backend.kernel.jobs import schema


class Migration(migrations.Migration):
    """Create the job queue."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(schema.create(), reverse_sql=schema.DROP),
    ]
