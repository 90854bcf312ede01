"""What a member has, and what becomes of a recharge."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec

from backend.wechat.types import BillKind

RECHARGES = "recharges"
"""The guard that counts a member's recharges."""


class StoredValue(msgspec.Struct, frozen=True, omit_defaults=True):
    """Stored value in fen: what was paid in and what was given on top.

    ``held_fen`` is held for refunds of recharges that are under way: it is in none of the others and cannot be spent.
    """

    total_fen: int
    principal_fen: int
    bonus_fen: int
    held_fen: int = 0


class ExpiringPoints(msgspec.Struct, frozen=True):
    """Points whose last day is ``on`` (local date)."""

    points: int
    on: date


class PointsBalance(msgspec.Struct, frozen=True):
    """Points; ``available`` is less what is owed after refunds, so it may be negative."""

    available: int
    pending: int
    expiring: list[ExpiringPoints]


class Wallet(msgspec.Struct, frozen=True):
    """A member's value."""

    stored: StoredValue
    points: PointsBalance
    rebate_fen: int


class SpendOrder(StrEnum):
    """In which turn a recharge's principal and bonus are spent; fixed for its lots when they are made.

    ``by_expiry``: with all others, the earliest last day first. ``principal_first``: its bonus after everything else.
    ``bonus_first``: its bonus before everything else.
    """

    BY_EXPIRY = "by_expiry"
    PRINCIPAL_FIRST = "principal_first"
    BONUS_FIRST = "bonus_first"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Pay ``pay_fen``, get ``bonus_fen`` and ``points`` on top, spent in the turn that ``spend`` says.

    ``first_only``: on a member's first recharge. ``bonus_valid_days``: the bonus expires so many days after the
    payment; None is never. ``store_id``: for members of that store; None is for all.
    """

    id: str
    pay_fen: int
    bonus_fen: int = 0
    points: int = 0
    first_only: bool = False
    bonus_valid_days: int | None = None
    spend: SpendOrder = SpendOrder.BY_EXPIRY
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    store_id: str | None = None
    active: bool = True
    sort: int = 0


class RechargeStatus(StrEnum):
    """How a recharge stands. ``refunding``: paid too late, or for more than may be held; on the way back to the payer.

    ``refunded``: the payer has it back.
    """

    PENDING = "pending"
    PAID = "paid"
    CLOSED = "closed"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


class RechargeBody(msgspec.Struct, frozen=True, kw_only=True):
    """The value part of a recharge's document: what was agreed when it was opened.

    What is not paid at ``pay_until`` is closed. At a till: by which tender it was paid there, and the till's own
    ``reference`` for that.
    """

    pay_fen: int
    bonus_fen: int = 0
    points: int = 0
    offer_id: str | None = None
    first_only: bool = False
    bonus_valid_days: int | None = None
    spend: SpendOrder = SpendOrder.BY_EXPIRY
    pay_until: datetime | None = None
    terminal_id: str | None = None
    tender: str | None = None
    reference: str | None = None


class RechargeProgress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a recharge. ``bonus_fen`` and ``points`` are what was really given with the payment.

    ``tries`` counts what was asked of WeChat by the clock: since it was opened, and anew since its payment came late.
    ``refunded_fen``: principal that went back to the payer after it was credited; ``withheld_fen``: principal that paid
    for bonus which was spent by then. ``given_back`` says why a payment was never credited: ``late``, or the limit.
    """

    pay_params: dict[str, str] | None = None
    transaction_id: str | None = None
    bonus_fen: int | None = None
    points: int | None = None
    tries: int = 0
    refunded_fen: int = 0
    withheld_fen: int = 0
    given_back: str | None = None


class PspMovement(msgspec.Struct, frozen=True, kw_only=True):
    """What our side says that WeChat Pay took or gave back under ``number``: not before ``since``, done by ``done_at``.

    ``done_at`` None: it is not known to be done. ``source``: ``recharge``, ``order``, ``refund`` of either, ``late``:
    money that was never credited, and its way back.
    """

    kind: BillKind
    number: str
    fen: int
    source: str
    since: datetime
    done_at: datetime | None
    transaction_id: str | None = None


class RefundState(StrEnum):
    """How the refund of a recharge stands.

    ``frozen``: its value is held, nothing was asked of WeChat. ``sent``: WeChat was asked, or is just being asked.
    ``stopping``: nothing more is asked; whether something arrived shows in a minute. ``failed``: the value is the
    member's again.
    """

    ASKED = "asked"
    FROZEN = "frozen"
    SENT = "sent"
    STOPPING = "stopping"
    DONE = "done"
    FAILED = "failed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


HOLDING = frozenset({RefundState.FROZEN, RefundState.SENT, RefundState.STOPPING})
"""The states in which value is held."""

UNDER_WAY = HOLDING | {RefundState.ASKED}
"""Of each recharge one refund at most is in one of these."""


class RefundStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to a refund: by staff (their id), or by the member or the clock (None).

    ``amount_fen`` is what was asked for, in the step that asked.
    """

    step: str
    at: datetime
    staff_id: int | None = None
    note: str = ""
    amount_fen: int | None = None


class RechargeRefund(msgspec.Struct, frozen=True, kw_only=True):
    """The refund of a part or all of a recharge's principal; its id is its number at WeChat.

    ``bonus_fen`` is forfeited with it, ``withheld_fen`` is principal that pays for bonus which was spent: known once it
    is frozen. ``points`` were taken back when it was done. ``failure`` says in one word what keeps it from its end, or
    ended it. ``approval_id`` is what a second person decides, where that is needed.
    """

    member_id: int
    id: str
    recharge_id: str
    store_id: str | None
    state: RefundState
    amount_fen: int
    total_fen: int
    bonus_fen: int
    withheld_fen: int
    points: int
    reason: str
    transaction_id: str
    psp_refund_id: str | None
    failure: str | None
    tries: int
    steps: tuple[RefundStep, ...]
    asked_by: int | None
    request_hash: bytes
    approval_id: str | None
    asked_at: datetime
    updated_at: datetime
    due_at: datetime | None

    @property
    def as_asked(self) -> RechargeRefund:
        """How it stood when whoever asked was answered: what a retry is answered, whatever became of it since."""
        steps = tuple(step for step in self.steps[:2] if step.at == self.asked_at)
        frozen = steps[-1].step == "freeze"
        return msgspec.structs.replace(
            self,
            state=RefundState.FROZEN if frozen else RefundState.ASKED,
            amount_fen=self.amount_fen if frozen else self.steps[0].amount_fen or self.amount_fen,
            bonus_fen=self.bonus_fen if frozen else 0,
            withheld_fen=self.withheld_fen if frozen else 0,
            points=0,
            psp_refund_id=None,
            failure=None,
            approval_id=self.approval_id if steps[-1].step == "propose" else None,
            steps=steps,
            updated_at=self.asked_at,
        )

    @property
    def held_fen(self) -> int:
        """What of the member's value it holds, while it holds some."""
        return self.amount_fen + self.withheld_fen + self.bonus_fen


class PointsSource(StrEnum):
    """What points come from, as far as it decides how long they last: purchases, offers, rewards, staff."""

    SALE = "sale"
    RECHARGE = "recharge"
    REWARD = "reward"
    ADJUSTMENT = "adjustment"


class ExpiryMode(StrEnum):
    """When points have their last day, counted from the day on which they were given."""

    MONTH_END = "month_end"
    YEAR_END = "year_end"
    MONTHS = "months"
    FIXED_DAY = "fixed_day"
    NEVER = "never"


class Expiry(msgspec.Struct, frozen=True):
    """How long points of a source last.

    ``count``: months (``month_end``: to the end of the month so many months on; ``months``: to the same day), years
    (``year_end``: to the end of the year so many years on), or months at least (``fixed_day``: to the first
    ``month``-``day`` that comes so many months on, or later).
    """

    mode: ExpiryMode
    count: int = 0
    month: int | None = None
    day: int | None = None
