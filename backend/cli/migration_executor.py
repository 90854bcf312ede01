"""Tortoise's executor with what it lacks: a migration and the record of it are one transaction, and it is quick."""

from __future__ import annotations

from contextvars import ContextVar
from functools import partial
from typing import Any

from tortoise import models as tortoise_models
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.filters import get_filters_for_field
from tortoise.migrations import operations as ops
from tortoise.migrations.executor import MigrationExecutor, PlanStep
from tortoise.migrations.graph import MigrationKey
from tortoise.migrations.migration import Migration
from tortoise.migrations.recorder import MigrationRecorder
from tortoise.migrations.schema_editor.base import BaseSchemaEditor
from tortoise.migrations.schema_generator.state import ModelState, State
from tortoise.migrations.schema_generator.state_apps import StateApps
from tortoise.models import Model


class RecordingExecutor(MigrationExecutor):
    """Has each migration record itself as its last statement.

    Tortoise records a migration after its transaction: a process that is killed in between leaves tables that the next
    run wants to make again, and fails.
    """

    def __init__(self, connection: BaseDBAsyncClient, apps_config: dict[str, dict[str, Any]]) -> None:
        super().__init__(connection, apps_config)
        self.recorder = _Reader(connection)
        self._taken_back: set[MigrationKey] = set()
        self._touched: set[str] = set()

    def _migration_plan(self, *args: Any, **kwargs: Any) -> list[PlanStep]:
        plan = super()._migration_plan(*args, **kwargs)
        self._taken_back = {_key(step.migration) for step in plan if step.backward}
        self._touched = {step.migration.app_label for step in plan}
        for step in plan:
            step.migration.operations.append(_record_of(step.migration))
            step.migration.apply = partial(_apply, step.migration)  # type: ignore[method-assign]
            step.migration.unapply = partial(_unapply, step.migration)  # type: ignore[method-assign]
        return plan

    def _full_plan(self) -> list[MigrationKey]:
        """What leads to the models of before: of the domains that the plan changes, as none refers to another's tables.

        A reference to a table of another domain would be found lacking (``validate_relations_initialized``).
        """
        return [key for key in super()._full_plan() if key.app_label in self._touched]

    async def _project_state_cache(self, applied: set[MigrationKey]) -> dict[MigrationKey, State]:
        """The models before each migration that is taken back; Tortoise copies them before every other one, too."""
        connections = dict.fromkeys(self.loader.apps_config, "default")
        state = State(models={}, apps=StateApps(default_connections=connections))
        before: dict[MigrationKey, State] = {}
        for key in self._full_plan():
            migration = self.loader.graph.nodes[key]
            if migration is None or key not in applied:
                continue
            if key in self._taken_back:
                before[key] = _copy(state, key.app_label)
            await migration.apply(state, dry_run=True, schema_editor=None)
        return before


def _key(migration: Migration) -> MigrationKey:
    return MigrationKey(app_label=migration.app_label, name=migration.name)


class _Reader(MigrationRecorder):
    """Makes the table of records and reads it; what is written there, the migrations write."""

    async def record_applied(self, app: str, name: str) -> None:
        """Done by the migration."""

    async def record_unapplied(self, app: str, name: str) -> None:
        """Done by the migration."""


def _copy(state: State, app: str) -> State:
    """One domain's models, to be kept while those of ``state`` change."""
    models = {key: model.clone() for key, model in state.models.items() if key[0] == app}
    return State(models=models, apps=state.apps.clone(model_states=models))


def _finish_models(apps: StateApps) -> None:
    """Make the models of a past state as whole as tables need them.

    Tortoise makes every model's filters and first queries too, anew for each operation of each migration, which is most
    of what a migration takes. Nobody asks these models for rows: what our migrations do to rows, they say in SQL.
    """
    for models in apps.apps.values():
        for model in models.values():
            if model._meta.default_connection is not None and model._meta._inited:
                model._meta.finalise_fields()
                model._meta._generate_lazy_fk_m2m_fields()
                model._meta._resolve_index_expressions()


StateApps._build_initial_querysets = _finish_models  # type: ignore[assignment]

_of_the_past: ContextVar[bool] = ContextVar("_of_the_past", default=False)
_render = ModelState.render


def _render_without_filters(state: ModelState, apps: StateApps, *, deepcopy_fields: bool = True) -> type[Model]:
    """A model of a past state; a field's twenty filters, which are for asking, took longer than all the rest of it."""
    token = _of_the_past.set(True)
    try:
        return _render(state, apps, deepcopy_fields=deepcopy_fields)
    finally:
        _of_the_past.reset(token)


def _filters(*args: Any, **kwargs: Any) -> dict[str, Any]:
    return {} if _of_the_past.get() else dict(get_filters_for_field(*args, **kwargs))


ModelState.render = _render_without_filters  # type: ignore[assignment]
tortoise_models.get_filters_for_field = _filters  # type: ignore[attr-defined]


async def _apply(migration: Migration, state: State, *, dry_run: bool, schema_editor: BaseSchemaEditor | None) -> State:
    """Run the operations in one transaction, as Tortoise does, but keep the models of before only where they change.

    Tortoise makes all of them anew for each operation; most of ours are SQL, which changes none, and the others change
    models of one domain. All that made migrations quadratic: each copied every table of the others several times.
    """
    for operation in migration.operations:
        if schema_editor is None:  # only what the models become is asked for
            operation.state_forward(migration.app_label, state)
            continue
        before = state if isinstance(operation, ops.RunSQL) else _copy(state, migration.app_label)
        operation.state_forward(migration.app_label, state)
        await operation.database_forward(migration.app_label, before, state, schema_editor)
    state.validate_relations_initialized()
    return state


async def _unapply(migration: Migration, state: State, *, dry_run: bool, schema_editor: BaseSchemaEditor) -> State:
    """Take the operations back, the last one first, each between the models before it and after it."""
    steps = []
    after = state
    for operation in migration.operations:
        before = after
        if not isinstance(operation, ops.RunSQL):
            after = _copy(before, migration.app_label)
            operation.state_forward(migration.app_label, after)
        steps.append((operation, before, after))
    for operation, before, after in reversed(steps):
        await operation.database_backward(migration.app_label, after, before, schema_editor)
    return state


def _record_of(migration: Migration) -> ops.RunSQL:
    """The record, and its removal, which comes first on the way down; names are those of our own files."""
    app, name = migration.app_label, migration.name
    return ops.RunSQL(
        f"INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('{app}', '{name}', clock_timestamp())",  # noqa: S608
        reverse_sql=f"DELETE FROM tortoise_migrations WHERE app = '{app}' AND name = '{name}'",  # noqa: S608
    )
