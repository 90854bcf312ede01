"""Pure rules of recharges and statements: no I/O, no clock, no randomness."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from backend.kernel import clock

from .errors import RechargeDayLimitReached, RechargeNotRefundable, RefundExceedsPrincipal, StoredLimitReached
from .types import Expiry, ExpiryMode, Offer, SpendOrder

ASK_S = (60, 60, 60, 60)
"""Pauses between the first questions about an unpaid order; the phone may still wait for the answer."""

ASK_LATER_S = 240
"""Later ones. With the minute that the clock may be late, a payment is found within 6 minutes of being made."""

ASK_CLOSED_S = (600, 3600, 86_400)
"""Pauses between the questions about a closed order: one that was paid at the last moment may not be heard of."""

REPEAT_FIRST_S = 60
REPEAT_MOST_S = 6 * 3600

MAX_REFUND_TRIES = 60
"""Of a refund to a payer, over two weeks; then a person must act."""

_TITLES = {
    ("stored", "sale"): ("余额变动", "消费"),
    ("stored", "refund"): ("退款", "退款"),
    ("stored", "recharge"): ("充值", "充值"),
    ("stored", "expiry"): ("余额过期", "赠送余额过期"),
    ("stored", "recharge_refund_frozen"): ("充值退款冻结", "充值退款冻结"),
    ("stored", "recharge_refund_thawed"): ("充值退款解冻", "充值退款解冻"),
    ("stored", "recharge_reversed"): ("充值冲正", "充值冲正"),
    ("points", "recharge_reversed"): ("充值冲正", "充值积分收回"),
    ("stored", "bonus_forfeited"): ("赠送余额收回", "赠送余额收回"),
    ("points", "recharge_refunded"): ("充值积分收回", "充值积分收回"),
    ("points", "sale"): ("消费得积分", "积分抵扣"),
    ("points", "refund"): ("退款返还积分", "退款扣回积分"),
    ("points", "recharge"): ("充值赠积分", "充值积分调整"),
    ("points", "accrual"): ("补登积分", "补登积分"),
    ("points", "survey"): ("问卷奖励", "问卷奖励"),
    ("points", "case"): ("反馈补偿", "反馈补偿"),
    ("points", "maturity"): ("积分到账", "积分到账"),
    ("points", "points_transfer"): ("收到转赠积分", "转赠积分"),
    ("points", "points_transfer_back"): ("转赠积分退回", "转赠积分撤回"),
    ("points", "points_adjustment"): ("积分调整", "积分调整"),
    ("points", "expiry"): ("积分过期", "积分过期"),
    ("points", "gift_redemption"): ("积分兑换退回", "积分兑换"),
    ("points", "gift_stored"): ("积分兑换退回", "积分兑换储值"),
    ("points", "gift_back"): ("积分兑换退回", "积分兑换退回"),
    ("points", "gift_stored_back"): ("积分兑换退回", "积分兑换退回"),
    ("stored", "gift_redemption"): ("积分兑换退款", "积分兑换支付"),
    ("stored", "gift_stored"): ("积分兑换储值", "积分兑换储值"),
    ("stored", "gift_back"): ("积分兑换退款", "积分兑换退款"),
    ("stored", "gift_stored_back"): ("积分兑换撤回", "积分兑换撤回"),
    ("stored", "merged"): ("合并会员转入", "合并会员转出"),
    ("points", "merged"): ("合并会员转入", "合并会员转出"),
    ("rebate", "merged"): ("合并会员转入", "合并会员转出"),
    ("stored", "group_allotment"): ("团体分配", "分配给成员"),
    ("points", "group_allotment"): ("团体分配", "分配给成员"),
    ("stored", "group_allotment_back"): ("分配收回", "团体收回"),
    ("points", "group_allotment_back"): ("分配收回", "团体收回"),
    ("rebate", "rebate_payout"): ("返利到账", "返利到账"),
    ("stored", "opening"): ("期初余额", "期初余额"),
    ("points", "opening"): ("期初积分", "期初积分"),
    ("rebate", "sale"): ("消费返利", "返利抵扣"),
    ("rebate", "refund"): ("返利退回", "返利扣回"),
    ("rebate", "expiry"): ("返利过期", "返利过期"),
}
_OTHER_TITLES = {"gift": "赠送", "adjustment": "调整", "given_up": "注销放弃"}


def is_offered(offer: Offer, *, now: datetime, recharged: bool, store_id: str | None) -> bool:
    """Whether a member of that store, who has or has not recharged before, may take the offer now."""
    return (
        offer.active
        and (offer.starts_at is None or offer.starts_at <= now)
        and (offer.ends_at is None or now < offer.ends_at)
        and not (offer.first_only and recharged)
        and (offer.store_id is None or offer.store_id == store_id)
    )


def next_question(tries: int, *, now: datetime, pay_until: datetime) -> datetime:
    """When to ask WeChat again about an order that is not paid; at ``pay_until`` it is closed instead.

    An order that could not be settled or closed by then is asked about ever more rarely, but never forgotten.
    """
    if now >= pay_until:
        return repeat_at(max(0, tries - len(ASK_S)), now=now)
    pause_s = ASK_S[tries] if tries < len(ASK_S) else ASK_LATER_S
    return min(now + timedelta(seconds=pause_s), pay_until)


def next_doubt(tries: int, *, now: datetime) -> datetime | None:
    """When to ask about a closed order again, after so many tries since its closing; None when it is enough."""
    return now + timedelta(seconds=ASK_CLOSED_S[tries]) if tries < len(ASK_CLOSED_S) else None


def repeat_at(tries: int, *, now: datetime) -> datetime:
    """When to try again what did not work: after a minute, then ever later, at most six hours."""
    return now + timedelta(seconds=min(REPEAT_FIRST_S * 2 ** min(tries, 10), REPEAT_MOST_S))


def title(account: str, kind: str, amount: int) -> str:
    """What a line of a statement is called: by the account and by whether it came or went."""
    came, went = _TITLES.get((account, kind), (_OTHER_TITLES.get(kind, "其他"),) * 2)
    return went if amount < 0 else came


def make_cursor(account: str, before: int) -> str:
    """Where the next page of an account's statement begins: below that transfer."""
    return base64.urlsafe_b64encode(f"{account}:{before}".encode()).decode().rstrip("=")


def read_cursor(account: str, cursor: str) -> int | None:
    """The transfer below which to go on, or None for what is no cursor of this account."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    name, _, number = text.partition(":")
    if name != account or not (number.isdigit() and len(number) <= 18):
        return None
    return int(number)


_BONUS_RANK = {SpendOrder.BY_EXPIRY: 0, SpendOrder.PRINCIPAL_FIRST: 1, SpendOrder.BONUS_FIRST: -1}


def bonus_rank(spend: SpendOrder) -> int:
    """The rank of the bonus of a recharge; that of principal is nought."""
    return _BONUS_RANK[spend]


def day_counter(on: date) -> str:
    """The guard that counts what a member recharged on a day."""
    return f"recharged:{on.isoformat()}"


class Possible(msgspec.Struct, frozen=True):
    """How much more may be recharged, in fen: by the balance and by the day; None where there is no limit.

    ``counts_gift``: the balance's limit counts what is given on top, too.
    """

    balance_fen: int | None
    day_fen: int | None
    counts_gift: bool = True

    @property
    def least_fen(self) -> int | None:
        """What both allow."""
        return min((one for one in (self.balance_fen, self.day_fen) if one is not None), default=None)

    def check(self, pay_fen: int, bonus_fen: int) -> None:
        """Raise what refuses a recharge of so much."""
        comes = pay_fen + (bonus_fen if self.counts_gift else 0)
        if self.balance_fen is not None and comes > self.balance_fen:
            raise StoredLimitReached(self.balance_fen)
        if self.day_fen is not None and pay_fen > self.day_fen:
            raise RechargeDayLimitReached(self.day_fen)


class RefundTerms(msgspec.Struct, frozen=True):
    """What a refund of a recharge comes to: principal to the payer, bonus given up, principal kept for spent bonus."""

    amount_fen: int
    bonus_fen: int
    withheld_fen: int


def refund_terms(
    amount_fen: int | None,
    *,
    principal_fen: int,
    bonus_fen: int,
    bonus_spent_fen: int,
    withheld_fen: int,
    withholds: bool,
) -> RefundTerms:
    """What giving back ``amount_fen`` of a recharge comes to; None is all that can be given back.

    Args:
        principal_fen, bonus_fen: what is left of the recharge's lots.
        bonus_spent_fen: bonus of it that bought something and did not come back.
        withheld_fen: principal that earlier refunds of it kept for spent bonus.
        withholds: whether principal pays for spent bonus.

    Raises:
        RechargeNotRefundable: nothing can be given back.
        RefundExceedsPrincipal: more than can be was asked for.
    """
    withheld = min(principal_fen, max(0, bonus_spent_fen - withheld_fen)) if withholds else 0
    most = principal_fen - withheld
    if most <= 0:
        raise RechargeNotRefundable
    if amount_fen is not None and amount_fen > most:
        raise RefundExceedsPrincipal(most)
    return RefundTerms(most if amount_fen is None else amount_fen, bonus_fen, withheld)


class Claw(msgspec.Struct, frozen=True):
    """Where points come back from: lots with the amount taken of each, and what is left to be owed."""

    lots: dict[int, int]
    debt: int


def claw_points(points: int, lots: Sequence[tuple[int, int]]) -> Claw:
    """Take points out of ``(lot id, remaining)`` in that order; what is missing is owed."""
    taken: dict[int, int] = {}
    for lot_id, remaining in lots:
        part = min(points, remaining)
        if part > 0:
            taken[lot_id] = part
            points -= part
    return Claw(taken, points)


STOPPING_S = 60
"""After the last request to WeChat may have left until it is asked whether that arrived: a call takes 12 s at most."""


def ask_refund_at(tries: int, *, now: datetime) -> datetime | None:
    """When to ask WeChat about a refund again after so many tries; None when a person must act."""
    return None if tries >= MAX_REFUND_TRIES else repeat_at(tries, now=now)


def last_day(expiry: Expiry, on: date) -> date | None:
    """The last day of points that are given on that day; None where they do not expire.

    A day that a month does not have is its last one: 31 January and one month more is 28 or 29 February.
    """
    match expiry.mode:
        case ExpiryMode.NEVER:
            return None
        case ExpiryMode.MONTH_END:
            return clock.end_of_month(on, expiry.count)
        case ExpiryMode.YEAR_END:
            return date(on.year + expiry.count, 12, 31)
        case ExpiryMode.MONTHS:
            return clock.months_after(on, expiry.count)
        case ExpiryMode.FIXED_DAY:
            return _fixed_day(expiry, max(clock.months_after(on, expiry.count), on + timedelta(days=1)))


def _fixed_day(expiry: Expiry, earliest: date) -> date:
    month, day = expiry.month or 12, expiry.day or 31
    for year in (earliest.year, earliest.year + 1):
        end = clock.end_of_month(date(year, month, 1), 0)
        found = end.replace(day=min(day, end.day))
        if found >= earliest:
            return found
    raise AssertionError("one of two years has the day")
