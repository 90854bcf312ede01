"""Tortoise's executor with what it lacks: a migration and the record of it are one transaction."""

from __future__ import annotations

from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.migrations import operations as ops
from tortoise.migrations.executor import MigrationExecutor, PlanStep
from tortoise.migrations.migration import Migration
from tortoise.migrations.recorder import MigrationRecorder


class RecordingExecutor(MigrationExecutor):
    """Has each migration record itself as its last statement.

    Tortoise records a migration after its transaction: a process that is killed in between leaves tables that the next
    run wants to make again, and fails.
    """

    def __init__(self, connection: BaseDBAsyncClient, apps_config: dict[str, dict[str, Any]]) -> None:
        super().__init__(connection, apps_config)
        self.recorder = _Reader(connection)

    def _migration_plan(self, *args: Any, **kwargs: Any) -> list[PlanStep]:
        plan = super()._migration_plan(*args, **kwargs)
        for step in plan:
            step.migration.operations.append(_record_of(step.migration))
        return plan


class _Reader(MigrationRecorder):
    """Makes the table of records and reads it; what is written there, the migrations write."""

    async def record_applied(self, app: str, name: str) -> None:
        """Done by the migration."""

    async def record_unapplied(self, app: str, name: str) -> None:
        """Done by the migration."""


def _record_of(migration: Migration) -> ops.RunSQL:
    """The record, and its removal, which comes first on the way down; names are those of our own files."""
    app, name = migration.app_label, migration.name
    return ops.RunSQL(
        f"INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('{app}', '{name}', clock_timestamp())",  # noqa: S608
        reverse_sql=f"DELETE FROM tortoise_migrations WHERE app = '{app}' AND name = '{name}'",  # noqa: S608
    )
