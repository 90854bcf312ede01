"""The proof of erasure: of whoever was erased nothing is left that erasing takes."""

from __future__ import annotations

from collections.abc import Iterator

import asyncpg

from backend.kernel.proofs import Finding, Proof, ask
from backend.members.holding import all_holdings, sql_of_left

CHECK, TITLE = "erased_hold_nothing", "of whoever was erased nothing is left that erasing takes"

_ANYBODY = "SELECT FROM member WHERE status = 'erased' LIMIT 1"
# A wish that is being followed is not done yet.
_GONE = """
WITH gone AS (SELECT m.id FROM member m JOIN privacy_erasure e ON e.member_id = coalesce(m.merged_into, m.id)
               WHERE e.state = 'done')"""
_UNASKED = """
SELECT m.id AS member_id, 'is erased, and there is no wish that was followed' AS what
  FROM member m WHERE m.status = 'erased' AND NOT EXISTS (
       SELECT FROM privacy_erasure e WHERE e.member_id = m.id AND e.state IN ('erasing', 'done')) LIMIT $1"""
_STAYED = """
SELECT m.id AS member_id, format('was erased, and is %s', m.status) AS what
  FROM privacy_erasure e JOIN member m ON m.id = e.member_id
 WHERE e.state IN ('erasing', 'done') AND m.status <> 'erased' LIMIT $1"""
_VALUE = f"""{_GONE}
SELECT a.member_id, format('has %s of %s left', a.balance, a.kind) AS what
  FROM ledger_account a JOIN gone g ON g.id = a.member_id WHERE a.balance <> 0 LIMIT $1"""
_MEMO = f"""{_GONE}
SELECT d.member_id, format('document %s has a memo', d.id) AS what
  FROM ledger_document d JOIN gone g ON g.id = d.member_id WHERE d.memo <> '{{}}' LIMIT $1"""


async def prove(connection: asyncpg.Connection) -> list[Finding]:
    """Ask of whoever was erased, table by table, in a transaction that is open; the holdings were loaded before."""
    if not all_holdings():
        raise RuntimeError("nobody has said what is held of members")
    if await connection.fetchrow(_ANYBODY) is None:
        return await ask(connection, CHECK, [_STAYED])
    return await ask(connection, CHECK, (_UNASKED, _STAYED, _VALUE, _MEMO, *_tables()))


def _tables() -> Iterator[str]:
    for holding in all_holdings():
        for table in holding.tables:
            if (left := sql_of_left(table)) is not None:
                there = f"SELECT FROM {table.name} WHERE {left.replace('$1', 'g.id')}"
                what = f"'{table.name} has something left'"
                yield f"{_GONE} SELECT g.id, {what} FROM gone g WHERE EXISTS ({there}) LIMIT $1"


PROOF = Proof("erasures", {CHECK: TITLE}, prove)
