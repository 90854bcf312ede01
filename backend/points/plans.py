"""What points put into plans: pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from backend.kernel.http import Idempotency
from backend.ledger.plans import (
    HOUSE_POINTS_ADJUSTED,
    HOUSE_POINTS_CLEARING,
    HOUSE_POINTS_ISSUED,
    POINT,
    POINTS,
    POINTS_DEBT,
    DocumentUpdate,
    Guard,
    Issue,
    Leg,
    NewDocument,
    Plan,
    Saw,
    earn_points,
    job_hash,
    own_scope,
)
from backend.ledger.types import Document, Lot

from .records import Transfer
from .rules.lots import Held
from .types import Adjusting, Earned

CAP = "points_cap"
"""The refusal of a promotion's most for a member and a day: plan again with what was taken before."""

CAP_KEPT = timedelta(days=10)
"""How long a day's count is kept: offline sales are told of up to a week later."""


def count_caps(earned: Earned, now: datetime) -> tuple[Guard, ...]:
    """Count, inside the door, what promotions add for the member on the day; refused as ``CAP`` above their most."""
    return tuple(Guard(use.mark, "add", use.points, CAP, cap=use.cap, expires_at=now + CAP_KEPT) for use in earned.caps)


# -- transfers between members

TRANSFER = "points_transfer"
TRANSFER_BACK = "points_transfer_back"
TRANSFER_PREFIX = "X"
"""Of a transfer's id."""

DAY_KEPT, MONTH_KEPT = timedelta(days=3), timedelta(days=40)
LIMIT = "points_transfer_"
"""With ``day`` or ``month``: the refusal of that limit."""


class Sending(msgspec.Struct, frozen=True):
    """A transfer that is to be made, and how much of which lot makes it."""

    transfer_id: str
    giver_id: int
    receiver_id: int
    taken: tuple[tuple[Lot, int], ...]
    now: datetime
    on: date

    @property
    def points(self) -> int:
        """All of it."""
        return sum(part for _, part in self.taken)


def day_mark(on: date) -> str:
    """The name under which the ledger counts what a member gave away on a day."""
    return f"points-given:{on.isoformat()}"


def month_mark(on: date) -> str:
    """The same of a month."""
    return f"points-given:{on:%Y-%m}"


def give_points(sent: Sending, held: Held, idem: Idempotency, *, day_cap: int, month_cap: int) -> Plan:
    """The giver's half: out of these lots, counted towards the day and the month inside the door."""
    points = sent.points
    body = {
        "receiver": str(sent.receiver_id),
        "points": points,
        "lots": [[lot.expires_on.isoformat() if lot.expires_on else None, part] for lot, part in sent.taken],
    }
    return Plan(
        member_id=sent.giver_id,
        kind=TRANSFER,
        at=sent.now,
        on=sent.on,
        scope=own_scope(sent.giver_id),
        key=idem.key,
        hash=idem.request_hash.hex(),
        active=True,
        saw=(Saw(POINTS, held.points), Saw(POINTS_DEBT, held.debt)),
        guards=(
            Guard(day_mark(sent.on), "add", points, f"{LIMIT}day", cap=day_cap, expires_at=sent.now + DAY_KEPT),
            Guard(month_mark(sent.on), "add", points, f"{LIMIT}month", cap=month_cap, expires_at=sent.now + MONTH_KEPT),
        ),
        document=NewDocument(sent.transfer_id, TRANSFER, "done", body),
        legs=(
            Leg(POINTS, POINT, -points, lots=tuple((lot.lot_id, -part) for lot, part in sent.taken)),
            Leg(HOUSE_POINTS_CLEARING, POINT, points),
        ),
    )


def receive_points(sent: Sending) -> Plan:
    """The receiver's half: each lot keeps its last day."""
    issue = tuple(
        Issue("transferred", part, expires_on=lot.expires_on, source=sent.transfer_id) for lot, part in sent.taken
    )
    return Plan(
        member_id=sent.receiver_id,
        kind=TRANSFER,
        at=sent.now,
        on=sent.on,
        scope="points-transfer",
        key=f"{sent.transfer_id}:in",
        hash=job_hash("points-transfer", sent.transfer_id, sent.points),
        active=True,
        about=sent.transfer_id,
        legs=(Leg(HOUSE_POINTS_CLEARING, POINT, -sent.points), Leg(POINTS, POINT, sent.points, issue=issue)),
    )


def take_points_back(
    document: Document,
    made: Transfer,
    moves: Sequence[tuple[Lot, int]],
    there: Sequence[Lot],
    *,
    reverses: int | None,
    key: str,
    now: datetime,
    on: date,
) -> tuple[Plan, Plan]:
    """Both halves of taking a transfer back: out of the lots it gave, into those it came from, whatever their days."""
    back = tuple((lot.lot_id, -amount) for lot, amount in moves if lot.kind == POINTS)
    out = tuple((lot.lot_id, -lot.remaining) for lot in there)
    wish = job_hash("points-transfer-back", made.id)
    home = Plan(
        member_id=made.giver_id,
        kind=TRANSFER_BACK,
        at=now,
        on=on,
        scope="points-transfer-back",
        key=f"{made.id}:in",
        hash=wish,
        reverses=reverses,
        update=DocumentUpdate(document.id, document.version, state="reversed", progress={"by": key}),
        legs=(Leg(HOUSE_POINTS_CLEARING, POINT, -made.points), Leg(POINTS, POINT, made.points, lots=back)),
    )
    away = Plan(
        member_id=made.receiver_id,
        kind=TRANSFER_BACK,
        at=now,
        on=on,
        scope="points-transfer-back",
        key=f"{made.id}:out",
        hash=wish,
        about=made.id,
        legs=(Leg(POINTS, POINT, -made.points, lots=out), Leg(HOUSE_POINTS_CLEARING, POINT, made.points)),
    )
    return home, away


# -- adjustments by staff

ADJUSTMENT = "points_adjustment"
ADJUSTMENT_PREFIX = "Y"
"""Of an adjustment's id."""


def adjust_points(wish: Adjusting, *, debt: int, expires_on: date | None, now: datetime, on: date) -> Plan:
    """Give points (what is owed is paid first) or take them (what expires first goes first), once per adjustment."""
    body = {"points": wish.points, "reason": wish.reason.value, "by": str(wish.by)}
    if wish.approval_id:
        body["approval"] = wish.approval_id
    return Plan(
        member_id=wish.member_id,
        kind=ADJUSTMENT,
        at=now,
        on=on,
        scope="points-adjustment",
        key=wish.id,
        hash=job_hash("points-adjustment", wish.id, wish.points, wish.reason),
        saw=(Saw(POINTS_DEBT, debt),) if wish.points > 0 else (),
        document=NewDocument(wish.id, ADJUSTMENT, "posted", body, memo={"text": wish.text}),
        legs=_adjusted(wish, debt, expires_on),
    )


def _adjusted(wish: Adjusting, debt: int, expires_on: date | None) -> tuple[Leg, ...]:
    house = Leg(HOUSE_POINTS_ADJUSTED, POINT, -wish.points, ref=wish.reason.value)
    if wish.points < 0:
        return Leg(POINTS, POINT, wish.points), house
    issue = Issue("adjusted", 0, expires_on=expires_on, source=wish.id)
    given = [leg for leg in earn_points(wish.points, debt, issue) if leg.account != HOUSE_POINTS_ISSUED]
    return (*given, house)
