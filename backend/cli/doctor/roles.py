"""The two roles: the application's may write neither the ledger nor the books of stock, and is not the owner."""

from __future__ import annotations

from urllib.parse import urlsplit

from .findings import Connected, Report

_RIGHTS = """
SELECT c.relname, has_table_privilege(c.oid, 'SELECT') AS reads,
       has_table_privilege(c.oid, 'INSERT') OR has_table_privilege(c.oid, 'UPDATE')
       OR has_table_privilege(c.oid, 'DELETE') OR has_table_privilege(c.oid, 'TRUNCATE')
       OR pg_has_role(c.relowner, 'MEMBER') AS writes
  FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND (c.relname LIKE 'ledger\\_%' OR c.relname IN ('stock_level', 'stock_movement', 'stock_reservation'))
   AND c.relnamespace = 'public'::regnamespace"""


async def application_role(subject: Connected) -> Report:
    """The role that serves must read the ledger and call its door, but not write its tables, nor own them."""
    connection, settings = subject.connection, subject.settings
    role = await connection.fetchval("SELECT current_user")
    rows = await connection.fetch(_RIGHTS)
    report = Report(f"{role} reads the books, posts through their doors, writes none of their {len(rows)} tables")
    owner = urlsplit(settings.migrate_database_url).username
    if owner and owner == urlsplit(settings.database_url).username:
        report.error(
            "one_role",
            f"HUIYUAN_DATABASE_URL and HUIYUAN_MIGRATE_DATABASE_URL both name {owner}",
            causes="the servers could rewrite balances and history: nothing but the code stands in between",
            do="let the servers use a role of their own that owns nothing, see Install in docs/operations.md",
        )
    if await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        report.error(
            "role_is_superuser",
            f"{role} is a superuser",
            causes="nothing would stop it from rewriting history",
            do="let the servers use an ordinary role, see Install in docs/operations.md",
        )
        return report
    calls = await connection.fetchval(
        "SELECT bool_or(has_function_privilege(oid, 'EXECUTE')) FROM pg_proc WHERE proname = 'ledger_post'"
    )
    if not rows or calls is None:
        report.error("no_ledger", "there is no ledger yet", causes="nothing works", do="run `huiyuan migrate`")
        return report
    writable = sorted(row["relname"] for row in rows if row["writes"])
    if writable:
        report.error(
            "role_writes_ledger",
            f"{role} can write {', '.join(writable)}",
            causes="a defect or an intruder in a server could change balances and history",
            do="run `huiyuan migrate`, which takes the rights away, and let another role own the tables",
        )
    if not calls or not all(row["reads"] for row in rows):
        report.error(
            "role_lacks_rights",
            f"{role} may not read the ledger or call ledger_post",
            causes="every sale fails",
            do="run `huiyuan migrate`, which grants the rights to the role of HUIYUAN_DATABASE_URL",
        )
    return report
