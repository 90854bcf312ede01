"""Reads of a member's value (public)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from backend.kernel import clock, db
from backend.kernel.batching import Batcher
from backend.kernel.config import settings
from backend.kernel.kept import Kept
from backend.ledger import queries as ledger
from backend.ledger.types import Document, Entry, Snapshot
from backend.members import queries as members
from backend.privacy import queries as privacy
from backend.wechat.types import BillKind

from . import plans, rules
from .rules import Possible
from .types import (
    RECHARGES,
    ExpiringPoints,
    Expiry,
    ExpiryMode,
    Offer,
    PointsBalance,
    PointsSource,
    PspMovement,
    RechargeStatus,
    RefundState,
    StoredValue,
    Wallet,
)

BOOK = 1 << 40
"""In a member's statement the numbers of lines of each further book begin here: more than any book has transfers."""

EXPIRING_OF = """SELECT expires_on, sum(remaining)::bigint AS points FROM ledger_lot l
  WHERE l.member_id = wanted.member_id AND kind = 'points' AND open AND expires_on >= $2
  GROUP BY expires_on ORDER BY expires_on LIMIT 12"""
"""The points of ``wanted``, a row with ``member_id``, by the last day they are good; from the day ``$2`` on."""

EXPIRING = f"""
SELECT wanted.member_id, e.expires_on, e.points
  FROM unnest({db.given(1, "bigint")}) AS wanted (member_id) CROSS JOIN LATERAL ({EXPIRING_OF}) AS e
 ORDER BY wanted.member_id, e.expires_on
"""  # noqa: S608 - put together of constants
_OFFER = (
    "SELECT id, pay_fen, bonus_fen, points, first_only, bonus_valid_days, spend, starts_at, ends_at, store_id, active,"
    " sort FROM wallet_offer"
)
LIST_LIMIT = 200


async def _expiring(wanted: list[tuple[int, date]]) -> list[list[ExpiringPoints] | BaseException]:
    found: dict[tuple[int, date], list[ExpiringPoints]] = {item: [] for item in wanted}
    for on in {on for _, on in wanted}:
        for member_id, expires_on, points in await db.fetch(EXPIRING, [m for m, day in found if day == on], on):
            found[member_id, on].append(ExpiringPoints(points, expires_on))
    return [found[item] for item in wanted]


_expiring_batcher: Batcher[tuple[int, date], list[ExpiringPoints]] = Batcher(_expiring, max_size=64, lanes=2)


async def get_wallet(member_id: int, on: date, snapshot: Snapshot | None = None) -> Wallet:
    """A member's value on that local day; lots that expired before it do not count. Raises ``MemberUnknown``.

    ``snapshot``: what was just read of that day, else it is read.
    """
    if snapshot is None:
        snapshot = await ledger.get_snapshot(member_id, on)
    return wallet_of(snapshot, await _expiring_batcher.submit((member_id, on)))


def wallet_of(snapshot: Snapshot, expiring: list[ExpiringPoints]) -> Wallet:
    """The wallet in what was read: a member's value on a day, and their points by last day from that day on."""
    parts: Counter[str] = Counter()
    for part, remaining in snapshot.stored:
        parts[part] += remaining
    return Wallet(
        stored=StoredValue(
            sum(parts.values()), parts["principal"], parts["bonus"], snapshot.balances.get("stored_held", 0)
        ),
        points=PointsBalance(
            available=snapshot.spendable("points") - snapshot.balances.get("points_debt", 0),
            pending=snapshot.balances.get("points_pending", 0),
            expiring=expiring,
        ),
        rebate_fen=snapshot.spendable("rebate"),
    )


_COUNTED = """
SELECT coalesce(sum(remaining), 0)::bigint FROM ledger_lot
 WHERE member_id = $1 AND kind IN ('stored', 'stored_held') AND ref = '' AND open
   AND (expires_on IS NULL OR expires_on >= $2) AND ($3 = 'total' OR part = 'principal')
"""


async def possible(member_id: int, on: date) -> Possible:
    """How much more a member may recharge on that local day; a hint, the door decides."""
    limits = settings()
    balance, day = None, None
    if limits.stored_limit_fen:
        counted = await db.fetchval(_COUNTED, member_id, on, limits.stored_limit_counts)
        balance = max(0, limits.stored_limit_fen - counted)
    if limits.recharge_day_max_fen:
        name = rules.day_counter(on)
        came = (await ledger.guard_values(member_id, (name,))).get(name, 0)
        day = max(0, limits.recharge_day_max_fen - came)
    return Possible(balance, day, counts_gift=limits.stored_limit_counts == "total")


async def list_offers() -> list[Offer]:
    """Every offer, in the order to show them; those that are over too."""
    return _offers(await db.fetch(_OFFER + " ORDER BY sort, pay_fen, id LIMIT $1", LIST_LIMIT))


async def list_offers_for(member_id: int, now: datetime) -> list[Offer]:
    """The offers that this member may take now, in the order to show them."""
    active = _offers(await db.fetch(_OFFER + " WHERE active ORDER BY sort, pay_fen, id LIMIT $1", LIST_LIMIT))
    return await _offered(active, member_id, now)


async def find_offer_for(member_id: int, offer_id: str, now: datetime) -> Offer | None:
    """That offer, where this member may take it now."""
    found = await _offered(_offers(await db.fetch(_OFFER + " WHERE id = $1", offer_id)), member_id, now)
    return found[0] if found else None


async def _offered(offers: Iterable[Offer], member_id: int, now: datetime) -> list[Offer]:
    offers = list(offers)
    recharged, store_id = False, None
    if any(offer.first_only for offer in offers):
        paid = await ledger.list_documents(member_id, "recharge", states=[RechargeStatus.PAID], limit=1)
        # One that was given back since was a recharge, too: the door has counted it.
        recharged = bool(paid or await ledger.guard_values(member_id, (RECHARGES,)))
        # Who was erased and comes back is not new.
        recharged = recharged or await privacy.was_here(member_id, clock.local_date(now, settings().timezone))
    if any(offer.store_id for offer in offers):
        found = await members.find_member(member_id)
        store_id = found.store_id if found else None
    return [item for item in offers if rules.is_offered(item, now=now, recharged=recharged, store_id=store_id)]


def _offers(rows: list[db.Record]) -> list[Offer]:
    return [msgspec.convert(dict(row), Offer) for row in rows]


async def list_recharges(member_id: int, *, before: tuple[datetime, str] | None, limit: int) -> list[Document]:
    """A page of a member's recharges, newest first, from behind that time and id."""
    return await ledger.list_documents_before(member_id, "recharge", before=before, limit=limit)


async def list_entries(member_id: int, account: str, *, before: int | None, limit: int) -> list[Entry]:
    """A member's statement of stored value, points (less what is owed) or rebate, newest first.

    Behind it come those of members who were merged into them, book by book, the one merged last first: lines of the
    ``n``-th have numbers from ``n * BOOK``.
    """
    less = "points_debt" if account == "points" else ""
    books = await members.ids_of(member_id)
    number, seq = divmod(before, BOOK) if before is not None else (0, None)
    found: list[Entry] = []
    while len(found) < limit and number < len(books):
        page = await ledger.list_statement(books[number], account, less=less, before=seq, limit=limit - len(found))
        found += [msgspec.structs.replace(one, seq=one.seq + number * BOOK) for one in page]
        number, seq = number + 1, None
    return found


_GIVEN_BACK = f"""
SELECT r.recharge_id, r.id, r.amount_fen, r.state, r.asked_at, r.updated_at FROM wallet_refund r
  JOIN unnest({db.given(1, "bigint")}, {db.given(2, "text")}) AS w (member_id, id)
    ON r.member_id = w.member_id AND r.recharge_id = w.id
 WHERE r.state IN ('sent', 'stopping', 'done') ORDER BY r.id"""  # noqa: S608 - put together of constants


async def list_psp_movements(documents: Iterable[Document]) -> list[tuple[Document, PspMovement]]:
    """What those of these documents that are recharges, and their refunds, say that WeChat took and gave back."""
    recharges = {one.id: one for one in documents if one.kind == plans.RECHARGE}
    found = [(one, move) for one in recharges.values() for move in plans.psp_movements(one)]
    keys = sorted((one.member_id, one.id) for one in recharges.values())
    for row in await db.fetch(_GIVEN_BACK, [member_id for member_id, _ in keys], [one for _, one in keys]):
        back = PspMovement(
            kind=BillKind.REFUND,
            number=row["id"],
            fen=row["amount_fen"],
            source="refund",
            since=row["asked_at"],
            done_at=row["updated_at"] if row["state"] == RefundState.DONE else None,
        )
        found.append((recharges[row["recharge_id"]], back))
    return found


EXPIRY_KEPT_S = 5.0


async def _read_expiry() -> dict[PointsSource, Expiry]:
    rows = await db.fetch("SELECT source, mode, count, month, day FROM wallet_points_expiry")
    return {PointsSource(row[0]): Expiry(ExpiryMode(row[1]), *row[2:]) for row in rows}


_expiry = Kept(_read_expiry, keep_s=EXPIRY_KEPT_S)


async def points_expiry(source: PointsSource) -> Expiry:
    """How long points of that source last from now on; mostly no read.

    Where nobody said it of the source, the setting holds: to the end of the month so many months on.
    """
    return (await _expiry.get()).get(source) or standard_expiry()


async def list_expiry() -> dict[PointsSource, Expiry]:
    """What was said of sources, as it stands in the database."""
    return await _read_expiry()


def standard_expiry() -> Expiry:
    """What holds where nothing was said of a source."""
    months = settings().points_valid_months
    return Expiry(ExpiryMode.MONTH_END, months) if months else Expiry(ExpiryMode.NEVER)


def forget_expiry() -> None:
    """Read it again at the next question: it was changed here."""
    _expiry.forget()


async def points_expire_on(source: PointsSource, on: date) -> date | None:
    """The last day of points of that source that are given on that day; None where they do not expire."""
    return rules.last_day(await points_expiry(source), on)
