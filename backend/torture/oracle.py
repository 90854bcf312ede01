"""Decides right and wrong from what was acknowledged and what is stored; it shares no rule with the program it judges.

Imports nothing of the domains (import-linter checks it): facts come from HTTP answers, and from SQL read here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from .domains import Domain
from .world import World

MOST = 30
"""Findings of one check that are told."""


_EXPIRED = """
SELECT e.member_id, e.kind, sum(e.amount) FROM ledger_transfer t JOIN ledger_entry e USING (member_id, seq)
 WHERE t.kind IN ('expiry', 'coupon_expiry', 'pass_expiry', 'pass_recognition') AND e.kind NOT LIKE 'house.%'
 GROUP BY 1, 2"""


class Document(NamedTuple):
    """A stored document, and a digest of what must never change in it."""

    member_id: int
    id: str
    kind: str
    state: str
    version: int
    digest: int
    due_at: datetime | None
    facts: str


class Books(NamedTuple):
    """What is stored at one moment, and what the PSP says at about that moment.

    ``expired`` is what the clock took (below zero), which nobody is asked about: by member and account. ``events`` is
    how many wait for their handlers. ``facts`` are the rows of what the domains ask for, by their names.
    """

    balances: Mapping[tuple[int, str], int]
    documents: Mapping[str, Document]
    keys: frozenset[tuple[str, str]]
    expired: Mapping[tuple[int, str], int]
    events: int
    facts: Mapping[str, Sequence[Sequence[Any]]]


async def read_books(ledger: Any, psp: Any, domains: Sequence[Domain]) -> Books:
    """Read both sides; ``ledger`` and ``psp`` are asyncpg connections. The PSP comes last: it may only be ahead."""
    facts: dict[str, Sequence[Sequence[Any]]] = {}
    async with ledger.transaction(isolation="repeatable_read", readonly=True):
        accounts = await ledger.fetch(
            "SELECT member_id, kind, sum(balance)::bigint FROM ledger_account GROUP BY member_id, kind"
        )
        documents = await ledger.fetch(
            "SELECT member_id, id, kind, state, version, hashtextextended(body::text, 0), due_at, progress::text"
            " FROM ledger_document"
        )
        keys = await ledger.fetch(
            "SELECT scope, key FROM ledger_key WHERE (scope LIKE 'terminal/%' OR scope LIKE 'member/%')"
            " AND NOT result ? 'carried'"
        )
        expired = await ledger.fetch(_EXPIRED)
        events = await ledger.fetchval("SELECT count(*) FROM outbox")
        for domain in domains:
            for name, sql in domain.facts.items():
                facts[name] = await ledger.fetch(sql)
    for domain in domains:
        for name, sql in domain.psp_facts.items():
            facts[name] = await psp.fetch(sql)
    return Books(
        {(row[0], row[1]): row[2] for row in accounts},
        {row[1]: Document(*row) for row in documents},
        frozenset((row[0], row[1]) for row in keys),
        {(row[0], row[1]): int(row[2]) for row in expired},
        events,
        facts,
    )


class Oracle:
    """Compares, again and again; remembers how every document stood, because states may only go forward."""

    def __init__(self, world: World, domains: Sequence[Domain]) -> None:
        self._world = world
        self._domains = domains
        self._machines = {kind: _reachable(machine) for d in domains for kind, machine in d.machines.items()}
        self._sums = {name: accounts for domain in domains for name, accounts in domain.sums.items()}
        self._accounts = frozenset(kind for accounts in self._sums.values() for kind in accounts)
        self._seen: dict[str, Document] = {}
        self.checks = 0
        self.late = 0
        self.compared = 0

    async def settle(self, books: Books) -> bool:
        """Ask again for what was refused after a lost answer and is stored all the same; whether there was any."""
        self._hear_of_merges(books)
        stored = {self._whose(where) for where in books.keys}
        there = [entry for where, entry in self._world.journal.doubtful.items() if self._whose(where) in stored]
        self.late += len(there)
        for entry in there:
            await self._world.settle_doubt(entry)
        return bool(there)

    def check(self, books: Books, *, final: bool = False) -> list[str]:
        """Everything that is not as it must be, in words; at most 30."""
        self._hear_of_merges(books)
        found: list[str] = []
        for finding in self._findings(books, final=final):
            found.append(finding)
            if len(found) >= MOST:
                break
        self.checks += 1
        self.compared += len(books.documents) + len(books.balances) + len(books.keys)
        return found

    def _findings(self, books: Books, *, final: bool) -> Iterator[str]:
        yield from self._keys(books)
        yield from self._documents(books)
        for domain in self._domains:
            yield from domain.check(books, final=final)
        yield from self._balances(books)

    def _keys(self, books: Books) -> Iterator[str]:
        """What was acknowledged is stored, and nothing else is: each key exactly once, under whichever of a person's
        numbers."""
        journal = self._world.journal
        acknowledged = {self._whose(where): entry.kind for where, entry in journal.accepted.items()}
        stored = Counter(self._whose(where) for where in books.keys)
        for scope, key in acknowledged.keys() - stored.keys():
            yield f"acknowledged but not stored: {scope} {key} ({acknowledged[scope, key]})"
        for scope, key in stored.keys() - acknowledged.keys() - {self._whose(where) for where in journal.begun}:
            yield f"stored but never acknowledged: {scope} {key}"
        for (scope, key), times in stored.items():
            if times > 1:
                yield f"stored {times} times: {scope} {key}"

    def _hear_of_merges(self, books: Books) -> None:
        self._world.merged.update((row[0], row[1]) for row in books.facts.get("merges", ()))

    def _whose(self, where: tuple[str, str]) -> tuple[str, str]:
        """A key with the scope under which its person goes on."""
        scope, key = where
        kind, _, number = scope.partition("/")
        return (f"{kind}/{self._world.person(int(number))}", key) if kind == "member" and self._world.merged else where

    def _documents(self, books: Books) -> Iterator[str]:
        """Bodies never change, versions only grow, and states follow their machine."""
        for id_, document in books.documents.items():
            before = self._seen.get(id_)
            if before == document:
                continue
            machine = self._machines.get(document.kind)
            if machine is None:
                yield f"{document.kind} {id_}: no domain knows this kind"
            elif document.state not in machine[before.state if before else ""]:
                yield f"{document.kind} {id_}: went from {before.state if before else 'nothing'} to {document.state}"
            if before is not None and (before.version >= document.version or before.digest != document.digest):
                yield f"{document.kind} {id_}: changed at version {before.version} to {document.version}, or its body"
        for id_ in self._seen.keys() - books.documents.keys():
            yield f"{self._seen[id_].kind} {id_} is gone"
        self._seen = dict(books.documents)

    def _balances(self, books: Books) -> Iterator[str]:
        """No balance is below zero, and each is what the acknowledged answers make it."""
        for (member_id, kind), balance in books.balances.items():
            if balance < 0:
                yield f"member {member_id}: {kind} is {balance}"
            if kind not in self._accounts:
                yield f"member {member_id}: no domain knows the account {kind}"
        for member in self._world.members:
            for name, accounts in self._sums.items():
                have = want = 0
                for kind, sign in accounts.items():
                    have += sign * books.balances.get((member.id, kind), 0)
                    want += sign * books.expired.get((member.id, kind), 0)
                want += self._world.model.held(member.id, name)
                if have != want:
                    yield f"member {member.id}: {name} is {have}, acknowledged was {want}"


def _reachable(machine: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    """From each state (and from nothing: ``""``) the states that one may find next time, with any steps between."""
    found: dict[str, frozenset[str]] = {}
    for start in machine:
        seen: set[str] = set()
        ahead = list(machine[start])
        while ahead:
            state = ahead.pop()
            if state not in seen:
                seen.add(state)
                ahead += machine[state]
        found[start] = frozenset(seen | {start} - {""})
    return found
