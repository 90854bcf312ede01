"""A plan: one transfer and all that must happen with it, as data. Built by pure functions; no I/O, clock or randomness.

Shapes here are the wire format between the server and ``ledger_post``; ``VERSION`` changes only so that the previous
release's server can still post.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Any, Literal

import msgspec

VERSION = 1

# Accounts of a member
STORED = "stored"
POINTS = "points"
POINTS_PENDING = "points_pending"
POINTS_DEBT = "points_debt"
REBATE = "rebate"

# House accounts: entries only, no balance row, so no row is hot
HOUSE_SALES = "house.sales"
HOUSE_PSP = "house.psp_clearing"
HOUSE_BONUS = "house.bonus_cost"
HOUSE_POINTS_ISSUED = "house.points_issued"
HOUSE_POINTS_REDEEMED = "house.points_redeemed"
HOUSE_POINTS_CLAWED = "house.points_clawed"
HOUSE_POINTS_RECEIVABLE = "house.points_receivable"
HOUSE_POINTS_EXPIRED = "house.points_expired"
HOUSE_BREAKAGE = "house.breakage"
HOUSE_REBATE_COST = "house.rebate_cost"

FEN = "fen"
POINT = "points"


class Issue(msgspec.Struct, frozen=True, omit_defaults=True):
    """A new lot: part of a positive leg. ``part`` says where it came from (principal, bonus, earned, gift…)."""

    part: str
    amount: int
    expires_on: date | None = None
    matures_on: date | None = None
    source: str | None = None


class Leg(msgspec.Struct, frozen=True, omit_defaults=True):
    """One signed line.

    A negative leg without ``lots`` takes the earliest expiry first; ``lots`` names them instead, as ``(lot id, signed
    amount)``: a return to, or a taking from, exactly these. ``bonus`` is how much of the taking the plan saw to be
    bonus; another outcome is ``stale``. A positive leg is made of returned ``lots`` and issued ones.
    """

    account: str
    unit: str
    amount: int
    ref: str = ""
    lots: tuple[tuple[int, int], ...] = ()
    issue: tuple[Issue, ...] = ()
    bonus: int | None = None


class Guard(msgspec.Struct, frozen=True, omit_defaults=True):
    """A condition decided inside the door, per member and name.

    ``above``: value must exceed the mark, which it then becomes. ``once``: the mark must not exist yet. ``add``: the
    counter plus value must not exceed ``cap``. ``refusal`` is the code raised when it does not hold.
    """

    name: str
    op: Literal["above", "once", "add"]
    value: int
    refusal: str
    cap: int | None = None
    expires_at: datetime | None = None


class Claim(msgspec.Struct, frozen=True):
    """A name that only one document may hold: an order number in a store."""

    scope: str
    key: str


class Saw(msgspec.Struct, frozen=True, omit_defaults=True):
    """A balance the plan was priced with; another one is ``stale``."""

    account: str
    balance: int
    ref: str = ""


class CodeUse(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the member's code is used. With ``refusal``, not within ``window_s`` of a use at another store."""

    store: str
    window_s: int = 0
    refusal: str | None = None


class NewDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """A document to store. ``body`` is its value part: hashed into the chain, never personal; ``memo`` is neither."""

    id: str
    kind: str
    state: str
    body: msgspec.Raw | dict[str, Any]
    store_id: str | None = None
    progress: dict[str, Any] | None = None
    memo: dict[str, Any] | None = None
    due_at: datetime | None = None


class DocumentUpdate(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change of an existing document that must still have ``version``; ``release`` gives its claim free."""

    id: str
    version: int
    state: str | None = None
    progress: dict[str, Any] | None = None
    due_at: datetime | None = None
    release: Claim | None = None


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """One transfer, its idempotency key and everything that stands or falls with it.

    ``scope`` and ``key`` name the request (a terminal's, a member's, a job's); ``hash`` (hex SHA-256) is what must be
    equal for a retry to be a retry. ``at`` is the instant posted, ``on`` the local day that decides expiry.
    """

    member_id: int
    kind: str
    at: datetime
    on: date
    scope: str
    key: str
    hash: str
    legs: tuple[Leg, ...] = ()
    active: bool = False
    use: CodeUse | None = None
    saw: tuple[Saw, ...] = ()
    guards: tuple[Guard, ...] = ()
    claim: Claim | None = None
    document: NewDocument | None = None
    update: DocumentUpdate | None = None
    about: str | None = None
    reverses: int | None = None
    events: tuple[dict[str, Any], ...] = ()


def earn_points(earned: int, debt: int, issue: Issue, *, account: str = POINTS) -> tuple[Leg, ...]:
    """The legs that credit points: what is owed after a clawback is paid first, the rest becomes a lot.

    ``issue`` says everything of the lot but its amount. The plan must have seen ``points_debt`` at ``debt``.
    """
    if earned <= 0:
        return ()
    paid = min(earned, debt)
    legs = [Leg(HOUSE_POINTS_ISSUED, POINT, -earned)]
    if paid:
        legs += [
            Leg(POINTS_DEBT, POINT, -paid),
            Leg(HOUSE_POINTS_RECEIVABLE, POINT, paid),
            Leg(HOUSE_POINTS_CLAWED, POINT, paid),
        ]
    if earned > paid:
        kept = earned - paid
        legs.append(Leg(account, POINT, kept, issue=(msgspec.structs.replace(issue, amount=kept),)))
    return tuple(legs)


def job_hash(*parts: object) -> str:
    """The request hash of a plan that no HTTP request asked for: what must be equal for it to be the same wish."""
    return hashlib.sha256("\n".join(str(part) for part in parts).encode()).hexdigest()


_encoder = msgspec.json.Encoder()
_PREFIX = b'{"v":%d,' % VERSION


def encode(plan: Plan) -> str:
    """The JSON that ``ledger_post`` takes."""
    return (_PREFIX + _encoder.encode(plan)[1:]).decode()
