"""Terms that make sense, and the days for which a coupon is good."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from datetime import date, timedelta

from backend.kernel.errors import FieldError, ValidationFailed
from backend.kernel.money import MAX_AMOUNT

from ..types import Channel, CouponKind, Party, RefundPolicy, Scope, Stacking, Terms, Validity

BP = 10_000
DAY_MINUTES = 24 * 60

MAX_DAYS = 3_660
MAX_PIECES = 100
MAX_TOGETHER = 20
MAX_SHARES = 10
MAX_CODE = 64
MAX_LENGTHS = {
    "stores": 2_000,
    "channels": len(Channel),
    "categories": 200,
    "brands": 200,
    "skus": 1_000,
    "skus_excluded": 1_000,
    "levels": 50,
    "weekdays": 7,
    "hours": 8,
}
"""How many entries a field of a scope may have."""

Findings = Iterator[tuple[str, str]]


def check_terms(terms: Terms) -> None:
    """Refuse terms that contradict themselves or leave something open, every field that is wrong at once."""
    found = [FieldError(pointer, message) for check in _CHECKS for pointer, message in check(terms)]
    if found:
        raise ValidationFailed(f"{found[0].pointer}: {found[0].message}", errors=tuple(found))


def valid_dates(validity: Validity, issued_on: date) -> tuple[date, date | None]:
    """The first and the last day of a coupon issued on that day; no last day where it never expires."""
    if validity.days is None:
        return validity.from_on or issued_on, validity.until_on
    first = issued_on + timedelta(days=validity.after_days)
    return first, first + timedelta(days=validity.days - 1)


def _value(terms: Terms) -> Findings:
    kind = terms.kind
    least_face = {CouponKind.CASH: 1, CouponKind.SHIPPING: 0}.get(kind)
    if least_face is None:
        if terms.face_fen:
            yield "/face_fen", f"a {kind} coupon has no face"
    elif not least_face <= terms.face_fen <= MAX_AMOUNT:
        yield "/face_fen", f"must be {least_face} to {MAX_AMOUNT}"
    if kind is CouponKind.PERCENT:
        if not 1 <= terms.rate_bp <= BP:
            yield "/rate_bp", f"must be 1 to {BP}"
        if terms.cap_fen is not None and not 1 <= terms.cap_fen <= MAX_AMOUNT:
            yield "/cap_fen", f"must be 1 to {MAX_AMOUNT}"
    else:
        if terms.rate_bp:
            yield "/rate_bp", f"a {kind} coupon has no rate"
        if terms.cap_fen is not None:
            yield "/cap_fen", f"a {kind} coupon has no cap"
    yield from _pieces(terms)


def _pieces(terms: Terms) -> Findings:
    if terms.kind not in {CouponKind.EXCHANGE, CouponKind.SERVICE}:
        if terms.pieces != 1:
            yield "/pieces", f"a {terms.kind} coupon does not count pieces"
        return
    if not 1 <= terms.pieces <= MAX_PIECES:
        yield "/pieces", f"must be 1 to {MAX_PIECES}"
    if not (terms.scope.skus or terms.scope.categories or terms.scope.brands):
        yield "/scope/skus", f"a {terms.kind} coupon must say which articles it gives"


def _threshold(terms: Terms) -> Findings:
    if not 0 <= terms.min_spend_fen <= MAX_AMOUNT:
        yield "/min_spend_fen", f"must be 0 to {MAX_AMOUNT}"
    elif terms.kind is CouponKind.CASH and not terms.partial_use and 0 < terms.min_spend_fen < terms.face_fen:
        yield "/face_fen", "is more than the threshold"
    if terms.partial_use and terms.kind is not CouponKind.CASH:
        yield "/partial_use", "only a cash coupon has a balance"


def _validity(terms: Terms) -> Findings:
    validity = terms.validity
    if validity.days is None:
        if validity.after_days:
            yield "/validity/after_days", "needs days"
        if validity.until_on is None:
            yield "/validity/until_on", "has no end: give until_on or days"
        elif validity.from_on is not None and validity.until_on < validity.from_on:
            yield "/validity/until_on", "is before from_on"
        return
    if validity.from_on is not None or validity.until_on is not None:
        yield "/validity/days", "is for coupons without from_on and until_on"
    if not 1 <= validity.days <= MAX_DAYS:
        yield "/validity/days", f"must be 1 to {MAX_DAYS}"
    if not 0 <= validity.after_days <= MAX_DAYS:
        yield "/validity/after_days", f"must be 0 to {MAX_DAYS}"


def _scope(terms: Terms) -> Findings:
    scope = terms.scope
    for name, most in MAX_LENGTHS.items():
        yield from _list(f"/scope/{name}", getattr(scope, name), most)
    for position, sku in enumerate(scope.skus):
        if sku in scope.skus_excluded:
            yield f"/scope/skus/{position}", "is excluded, too"
    for position, weekday in enumerate(scope.weekdays):
        if not 1 <= weekday <= 7:
            yield f"/scope/weekdays/{position}", "must be 1 (Monday) to 7"
    if terms.kind is CouponKind.SHIPPING and scope.channels and Channel.MALL not in scope.channels:
        yield "/scope/channels", "only the mall delivers"
    yield from _hours(scope)


def _hours(scope: Scope) -> Findings:
    for position, hours in enumerate(scope.hours):
        if not 0 <= hours.from_minute < DAY_MINUTES:
            yield f"/scope/hours/{position}/from_minute", f"must be 0 to {DAY_MINUTES - 1}"
        if not 0 <= hours.to_minute <= DAY_MINUTES:
            yield f"/scope/hours/{position}/to_minute", f"must be 0 to {DAY_MINUTES}"
        if hours.from_minute == hours.to_minute:
            yield f"/scope/hours/{position}/to_minute", "leaves no minute"


def _list(pointer: str, items: Sequence[Hashable], most: int) -> Findings:
    if len(items) > most:
        yield pointer, f"has more than {most} entries"
        return
    if len(set(items)) != len(items):
        yield pointer, "names something twice"
    for position, item in enumerate(items):
        if isinstance(item, str) and not 1 <= len(item) <= MAX_CODE:
            yield f"{pointer}/{position}", f"must be 1 to {MAX_CODE} characters"


def _stacking(terms: Terms) -> Findings:
    if terms.stacking is Stacking.ONE_OF_GROUP:
        if not 1 <= len(terms.group) <= MAX_CODE:
            yield "/group", f"must be 1 to {MAX_CODE} characters where one of a group is used"
    elif terms.group:
        yield "/group", f"is not for {terms.stacking} coupons"
    if terms.max_together is None:
        return
    if terms.stacking is Stacking.EXCLUSIVE:
        yield "/max_together", "an exclusive coupon is used alone"
    elif not 1 <= terms.max_together <= MAX_TOGETHER:
        yield "/max_together", f"must be 1 to {MAX_TOGETHER}"


def _refund(terms: Terms) -> Findings:
    if terms.refund is RefundPolicy.SPLIT and not terms.partial_use:
        yield "/refund", "only a coupon with partial_use has a balance to return shares to"


def _cost(terms: Terms) -> Findings:
    if not 1 <= len(terms.cost) <= MAX_SHARES:
        yield "/cost", f"must have 1 to {MAX_SHARES} shares"
        return
    for position, share in enumerate(terms.cost):
        named = share.party in {Party.SUPPLIER, Party.COUNTER}
        if not 1 <= share.share_bp <= BP:
            yield f"/cost/{position}/share_bp", f"must be 1 to {BP}"
        if named and not 1 <= len(share.code) <= MAX_CODE:
            yield f"/cost/{position}/code", f"must be 1 to {MAX_CODE} characters"
        if not named and share.code:
            yield f"/cost/{position}/code", f"is not for {share.party}"
    if len({(share.party, share.code) for share in terms.cost}) != len(terms.cost):
        yield "/cost", "names a party twice"
    if sum(share.share_bp for share in terms.cost) != BP:
        yield "/cost", f"must sum to {BP} basis points"


_CHECKS = (_value, _threshold, _validity, _scope, _stacking, _refund, _cost)
