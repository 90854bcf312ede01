"""Proofs that what is kept holds: each is a set of checks that read rows alone, and find nothing where all is well.

A domain's proof stands in its ``audit.py``; ``backend.proofs`` lists them all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

MAX_FINDINGS = 200
"""What a proof returns at most: who has so many has found out enough."""


@dataclass(frozen=True)
class Finding:
    """One thing that does not hold: of which check, of which member (0: of none)."""

    check: str
    member_id: int
    what: str


@dataclass(frozen=True)
class Proof:
    """What can be proved of one domain: ``of`` names it ("orders"), ``titles`` says for each check what must hold.

    ``prove`` reads in a transaction that is open, and returns at most ``MAX_FINDINGS``.
    """

    of: str
    titles: Mapping[str, str]
    prove: Callable[[asyncpg.Connection], Awaitable[list[Finding]]]

    async def run(self, url_args: Mapping[str, object]) -> list[Finding]:
        """Prove it on a connection of its own; beside a serving system, which it does not disturb."""
        async with connected(url_args) as connection:
            return await self.run_on(connection)

    async def run_on(self, connection: asyncpg.Connection) -> list[Finding]:
        """``run`` on a connection of the owner's."""
        async with snapshot(connection):
            return await self.prove(connection)


@asynccontextmanager
async def connected(url_args: Mapping[str, object]) -> AsyncIterator[asyncpg.Connection]:
    """A connection for a proof: its questions may take minutes."""
    connection = await asyncpg.connect(**url_args, command_timeout=600)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def snapshot(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """One moment, for all questions of a proof; without plans that take longer to compile than to run."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute("SET LOCAL jit = off")
        yield


async def ask(connection: asyncpg.Connection, check: str, questions: Iterable[str]) -> list[Finding]:
    """What the questions return that belong to that check: rows (member id, what), ``$1`` of each at most."""
    found: list[Finding] = []
    for sql in questions:
        if len(found) >= MAX_FINDINGS:
            break
        found += [Finding(check, *row) for row in await connection.fetch(sql, MAX_FINDINGS - len(found))]
    return found
