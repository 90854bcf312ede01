"""The proof of stock, from the rows alone: each check is a query that returns what does not hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from backend.kernel.proofs import MAX_FINDINGS, Finding, Proof

from . import queries

CHECKS = Path(__file__).parent / "checks"
CHUNK = 2000

Key = tuple[str, str]
_BEFORE_ALL: Key = ("", "")
_AFTER_ALL: Key = ("\U0010ffff", "")
# What has movements or promises but no level is found as well: the last chunk has no end.
_KEYS = "SELECT place_id, sku FROM stock_level WHERE (place_id, sku) >= ($1, $2) ORDER BY place_id, sku LIMIT $3"
_PROMISED = "SELECT DISTINCT order_id FROM stock_reservation WHERE order_id > $1 ORDER BY order_id LIMIT $2"


@dataclass(frozen=True)
class Check:
    """A statement about every level ``($1, $2) <= (place, SKU) < ($3, $4)``; its rows (place, SKU, what) break it."""

    name: str
    title: str
    sql: str


PROMISED_TO_OPEN = Check("promised_to_open", "what is promised is promised to an order that waits for its payment", "")


def checks() -> list[Check]:
    """Every check, one file of ``checks/`` each; its first line is what must hold."""
    found = []
    for path in sorted(CHECKS.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        found.append(Check(path.stem[3:], text.partition("\n")[0].removeprefix("-- "), text))
    return [*found, PROMISED_TO_OPEN]


async def prove(connection: asyncpg.Connection) -> list[Finding]:
    """Prove the books of stock, chunk by chunk of levels, in a transaction that is open."""
    findings: list[Finding] = []
    async for low, high in _chunks(connection):
        for check in checks():
            if check.sql:
                rows = await connection.fetch(f"{check.sql} LIMIT {MAX_FINDINGS}", *low, *high)
                findings.extend(Finding(check.name, 0, f"{place} {sku}: {what}") for place, sku, what in rows)
        if len(findings) >= MAX_FINDINGS:
            break
    findings.extend(await _promised_to_ended(connection))
    return findings[:MAX_FINDINGS]


async def _promised_to_ended(connection: asyncpg.Connection) -> list[Finding]:
    """Promises to orders that do not wait for them any more."""
    findings: list[Finding] = []
    after = ""
    while True:
        order_ids = [row[0] for row in await connection.fetch(_PROMISED, after, CHUNK)]
        if not order_ids:
            break
        ended = sorted(await queries.find_ended(connection, order_ids))
        findings += [Finding(PROMISED_TO_OPEN.name, 0, f"order {order_id} is not open") for order_id in ended]
        after = order_ids[-1]
    return findings


async def _chunks(connection: asyncpg.Connection) -> AsyncIterator[tuple[Key, Key]]:
    low = _BEFORE_ALL
    while True:
        keys = await connection.fetch(_KEYS, *low, CHUNK + 1)
        if len(keys) <= CHUNK:
            yield low, _AFTER_ALL
            return
        high = (keys[-1]["place_id"], keys[-1]["sku"])
        yield low, high
        low = high


PROOF = Proof("stock", {check.name: check.title for check in checks()}, prove)
