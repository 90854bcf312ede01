"""procrastinate's tables: what the installed package needs, and what a database has."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

VERSION_OF_TABLE = "obj_description('procrastinate_jobs'::regclass, 'pg_class')"
"""SQL: the version that a migration of ours noted on the table."""


def _sql() -> Path:
    # Found without importing: procrastinate and psycopg take a fifth of a second that `migrate` has no use for.
    spec = find_spec("procrastinate")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "sql"


def version() -> str:
    """The version of the schema in the installed package: the name of its newest migration."""
    return max(path.stem for path in (_sql() / "migrations").glob("*.sql"))


def create() -> str:
    """The SQL that makes the schema of the installed package, with its version noted on the table."""
    text = (_sql() / "schema.sql").read_text("utf-8")
    return f"{text}\nCOMMENT ON TABLE procrastinate_jobs IS '{version()}';"


DROP = """
DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, procrastinate_workers CASCADE;
DO $$
DECLARE
    v_name text;
BEGIN
    FOR v_name IN SELECT oid::regprocedure::text FROM pg_proc
                   WHERE pronamespace = 'public'::regnamespace AND starts_with(proname, 'procrastinate_') LOOP
        EXECUTE 'DROP FUNCTION ' || v_name;
    END LOOP;
END $$;
DROP TYPE procrastinate_job_to_defer_v1, procrastinate_job_event_type, procrastinate_job_status;
"""
