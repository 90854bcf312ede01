"""What the phone reads: the wallet, and the statement's first and a deep page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from backend.bench.plans import PlanMaker
from backend.bench.population import ZONE, Member
from backend.bench.requests import Requests
from backend.kernel import clock
from backend.ledger import plans as ledger
from backend.ledger import queries as ledger_queries
from backend.ledger.plans import Leg, Plan
from backend.wallet import queries, rules

from . import Domain, Floor, Ground, Path

VETERANS = 2
"""The first members have a long past."""

PAGE = 20
DEEP_PAGE = 1000
PAST = PAGE * (DEEP_PAGE + 1)
"""Sales of theirs, so that there is such a page."""


def _wallet(requests: Requests, n: int) -> bytes:
    return requests.of_member(n % requests.members, "GET", "/v1/member/wallet")


def _entries(requests: Requests, n: int) -> bytes:
    target = f"/v1/member/wallet/entries?account=stored&limit={PAGE}"
    return requests.of_member(n % requests.members, "GET", target)


def _deep_entries(requests: Requests, n: int) -> bytes:
    cursor = rules.make_cursor("stored", _below(n))
    target = f"/v1/member/wallet/entries?account=stored&limit={PAGE}&cursor={cursor}"
    return requests.of_member(n % VETERANS, "GET", target)


def _below(n: int) -> int:
    """The transfer above a page that is ``DEEP_PAGE`` pages deep, or a little less: not always the same one."""
    return 2 + PAGE + n % 64


def _wallet_row(ground: Ground, n: int) -> tuple[Any, ...]:
    member = ground.population.member(n % ground.members)
    return [member.id], ground.on


def _page_row(ground: Ground, n: int) -> tuple[Any, ...]:
    return ground.population.member(n % ground.members).id, "stored", "", 1 << 62, PAGE + 1


def _deep_row(ground: Ground, n: int) -> tuple[Any, ...]:
    return ground.population.member(n % VETERANS).id, "stored", "", _below(n), PAGE + 1


def _plans(maker: PlanMaker, member: Member, now: datetime) -> Iterable[Plan]:
    """A long past of tiny sales, for a few."""
    on = clock.local_date(now, ZONE)
    for number in range(PAST if member.number < VETERANS else 0):
        yield Plan(
            member_id=member.id,
            kind="sale",
            at=now,
            on=on,
            scope="bench",
            key=f"past-{member.number}-{number}",
            hash=ledger.job_hash("bench", member.number, number),
            legs=(
                Leg(ledger.STORED, ledger.FEN, -1),
                Leg(ledger.HOUSE_SALES, ledger.FEN, 1, ref=member.store_id),
            ),
        )


_PAGE_TYPES = ("bigint", "text", "text", "bigint", "int")

DOMAIN = Domain(
    order=30,
    paths=(
        Path(
            name="wallet",
            call="GET /v1/member/wallet",
            request=_wallet,
            grows=True,
            floor=Floor(
                statements=(ledger_queries.SNAPSHOT, queries.EXPIRING),
                types=("bigint[]", "date"),
                row=_wallet_row,
            ),
        ),
        Path(
            name="entries",
            call="GET /v1/member/wallet/entries",
            request=_entries,
            grows=True,
            floor=Floor(statements=(ledger_queries.STATEMENT,), types=_PAGE_TYPES, row=_page_row),
        ),
        Path(
            name="entries-deep",
            call=f"GET /v1/member/wallet/entries, page {DEEP_PAGE:,}",
            request=_deep_entries,
            grows=True,
            floor=Floor(statements=(ledger_queries.STATEMENT,), types=_PAGE_TYPES, row=_deep_row),
        ),
    ),
    plans=_plans,
)
