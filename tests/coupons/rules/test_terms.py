"""Terms: what contradicts itself is refused with the field that is wrong; validity has both its days."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from hypothesis import given

from backend.coupons.rules.terms import check_terms, valid_dates
from backend.coupons.types import (
    Channel,
    CostShare,
    CouponKind,
    Hours,
    Party,
    RefundPolicy,
    Scope,
    Stacking,
    Validity,
)
from backend.kernel.errors import ValidationFailed
from tests.coupons.rules.build import any_terms, terms

FOOD = Scope(categories=("food",))
HEAD_OFFICE = CostShare(Party.HEAD_OFFICE, 10_000)

GOOD = [
    terms(),
    terms(min_spend_fen=2000),
    terms(min_spend_fen=500, partial_use=True),
    terms(partial_use=True, refund=RefundPolicy.SPLIT),
    terms(CouponKind.PERCENT, rate_bp=10_000, cap_fen=1),
    terms(CouponKind.EXCHANGE, scope=FOOD, pieces=100),
    terms(CouponKind.SERVICE, scope=Scope(skus=("wash",))),
    terms(CouponKind.SHIPPING),
    terms(CouponKind.SHIPPING, face_fen=600, scope=Scope(channels=(Channel.MALL, Channel.POS))),
    terms(stacking=Stacking.ONE_OF_GROUP, group="g", max_together=20),
    terms(stacking=Stacking.EXCLUSIVE),
    terms(validity=Validity(days=1)),
    terms(validity=Validity(from_on=date(2026, 1, 1), until_on=date(2026, 1, 1))),
    terms(scope=Scope(hours=(Hours(22 * 60, 2 * 60), Hours(0, 1440)), weekdays=(1, 7))),
    terms(
        cost=(
            CostShare(Party.SUPPLIER, 3333, "S1"),
            CostShare(Party.SUPPLIER, 3333, "S2"),
            CostShare(Party.STORE, 3334),
        )
    ),
]

BAD = [
    (terms(face_fen=0), "/face_fen"),
    (terms(face_fen=10**11 + 1), "/face_fen"),
    (terms(CouponKind.SHIPPING, face_fen=-1), "/face_fen"),
    (terms(CouponKind.PERCENT, rate_bp=500, face_fen=1), "/face_fen"),
    (terms(CouponKind.PERCENT), "/rate_bp"),
    (terms(CouponKind.PERCENT, rate_bp=10_001), "/rate_bp"),
    (terms(CouponKind.PERCENT, rate_bp=500, cap_fen=0), "/cap_fen"),
    (terms(rate_bp=500), "/rate_bp"),
    (terms(cap_fen=500), "/cap_fen"),
    (terms(pieces=2), "/pieces"),
    (terms(CouponKind.EXCHANGE, scope=FOOD, pieces=0), "/pieces"),
    (terms(CouponKind.EXCHANGE, scope=FOOD, pieces=101), "/pieces"),
    (terms(CouponKind.SERVICE), "/scope/skus"),
    (terms(min_spend_fen=-1), "/min_spend_fen"),
    (terms(min_spend_fen=1999), "/face_fen"),
    (terms(CouponKind.PERCENT, rate_bp=500, partial_use=True), "/partial_use"),
    (terms(validity=Validity()), "/validity/until_on"),
    (terms(validity=Validity(from_on=date(2026, 1, 1))), "/validity/until_on"),
    (terms(validity=Validity(from_on=date(2026, 1, 2), until_on=date(2026, 1, 1))), "/validity/until_on"),
    (terms(validity=Validity(until_on=date(2026, 1, 1), after_days=1)), "/validity/after_days"),
    (terms(validity=Validity(until_on=date(2026, 1, 1), days=1)), "/validity/days"),
    (terms(validity=Validity(days=0)), "/validity/days"),
    (terms(validity=Validity(days=3661)), "/validity/days"),
    (terms(validity=Validity(days=1, after_days=-1)), "/validity/after_days"),
    (terms(scope=Scope(weekdays=(1, 8))), "/scope/weekdays/1"),
    (terms(scope=Scope(weekdays=(1, 1))), "/scope/weekdays"),
    (terms(scope=Scope(hours=(Hours(1440, 60),))), "/scope/hours/0/from_minute"),
    (terms(scope=Scope(hours=(Hours(0, 60), Hours(60, 1441)))), "/scope/hours/1/to_minute"),
    (terms(scope=Scope(hours=(Hours(60, 60),))), "/scope/hours/0/to_minute"),
    (terms(scope=Scope(hours=tuple(Hours(0, 60 + n) for n in range(9)))), "/scope/hours"),
    (terms(scope=Scope(skus=tuple(f"{n}" for n in range(1001)))), "/scope/skus"),
    (terms(scope=Scope(skus=("a", ""))), "/scope/skus/1"),
    (terms(scope=Scope(brands=("b" * 65,))), "/scope/brands/0"),
    (terms(scope=Scope(skus=("a", "b"), skus_excluded=("b",))), "/scope/skus/1"),
    (terms(CouponKind.SHIPPING, scope=Scope(channels=(Channel.POS,))), "/scope/channels"),
    (terms(stacking=Stacking.ONE_OF_GROUP), "/group"),
    (terms(group="g"), "/group"),
    (terms(stacking=Stacking.EXCLUSIVE, max_together=2), "/max_together"),
    (terms(max_together=0), "/max_together"),
    (terms(max_together=21), "/max_together"),
    (terms(refund=RefundPolicy.SPLIT), "/refund"),
    (terms(cost=()), "/cost"),
    (terms(cost=(CostShare(Party.HEAD_OFFICE, 9999),)), "/cost"),
    (terms(cost=(CostShare(Party.STORE, 5000), CostShare(Party.STORE, 5000))), "/cost"),
    (terms(cost=(CostShare(Party.STORE, 0), HEAD_OFFICE)), "/cost/0/share_bp"),
    (terms(cost=(CostShare(Party.SUPPLIER, 10_000),)), "/cost/0/code"),
    (terms(cost=(CostShare(Party.STORE, 10_000, "S1"),)), "/cost/0/code"),
]


@pytest.mark.parametrize("its_terms", GOOD)
def test_terms_that_make_sense_pass(its_terms):
    check_terms(its_terms)


@pytest.mark.parametrize(("its_terms", "pointer"), BAD, ids=lambda value: value if isinstance(value, str) else "")
def test_terms_that_do_not_are_refused_with_the_field(its_terms, pointer):
    with pytest.raises(ValidationFailed) as refused:
        check_terms(its_terms)

    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(ValidationFailed) as refused:
        check_terms(terms(CouponKind.PERCENT, face_fen=1, validity=Validity(), group="g"))

    pointers = [error.pointer for error in refused.value.errors]
    assert pointers == ["/face_fen", "/rate_bp", "/validity/until_on", "/group"]


@given(any_terms())
def test_terms_survive_the_wire(its_terms):
    assert msgspec.json.decode(msgspec.json.encode(its_terms), type=type(its_terms)) == its_terms


@pytest.mark.parametrize(
    ("validity", "first", "last"),
    [
        (Validity(days=1), date(2026, 11, 27), date(2026, 11, 27)),
        (Validity(after_days=1, days=7), date(2026, 11, 28), date(2026, 12, 4)),
        (Validity(until_on=date(2026, 12, 31)), date(2026, 11, 27), date(2026, 12, 31)),
        (Validity(date(2026, 12, 1), date(2026, 12, 31)), date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_validity_counts_both_its_days(validity, first, last):
    assert valid_dates(validity, date(2026, 11, 27)) == (first, last)
