"""What coupons say."""

from __future__ import annotations

from datetime import date

import pytest

from backend.coupons import wording
from backend.coupons.types import CouponKind, Terms, Validity


def terms(kind: CouponKind, **more) -> Terms:
    return Terms(kind=kind, validity=Validity(days=7), **more)


@pytest.mark.parametrize(
    ("promised", "said"),
    [
        (terms(CouponKind.CASH, face_fen=2_000, min_spend_fen=10_000), "满100元减20元"),
        (terms(CouponKind.CASH, face_fen=550), "立减5.5元"),
        (terms(CouponKind.CASH, face_fen=10_000, partial_use=True), "100元分次抵扣"),
        (terms(CouponKind.CASH, face_fen=10_000, partial_use=True, min_spend_fen=1), "满0.01元可用，100元分次抵扣"),
        (terms(CouponKind.PERCENT, rate_bp=1_000, cap_fen=3_000), "9折，最多减30元"),
        (terms(CouponKind.PERCENT, rate_bp=1_250, min_spend_fen=5_000), "满50元8.75折"),
        (terms(CouponKind.SHIPPING), "免运费"),
        (terms(CouponKind.SHIPPING, face_fen=600), "减6元运费"),
        (terms(CouponKind.EXCHANGE), "免费兑换1件"),
        (terms(CouponKind.SERVICE, pieces=3), "免费服务3次"),
    ],
)
def test_the_promise_in_a_few_characters(promised, said):
    assert wording.headline(promised) == said


@pytest.mark.parametrize(
    ("validity", "said"),
    [
        (Validity(days=7), "领取后7天内有效"),
        (Validity(days=7, after_days=2), "领取2天后生效，7天内有效"),
        (Validity(until_on=date(2026, 12, 31)), "2026-12-31前有效"),
        (Validity(from_on=date(2026, 12, 1), until_on=date(2026, 12, 31)), "2026-12-01起，2026-12-31前有效"),
        (Validity(), "长期有效"),
    ],
)
def test_from_when_to_when(validity, said):
    assert wording.validity(validity) == said


def test_names_are_said_where_they_are_known():
    from backend.coupons.types import Scope

    promised = terms(CouponKind.CASH, face_fen=100, scope=Scope(categories=("tea", "x")))

    assert "适用品类：茶饮、x" in wording.describe(promised, "", {"tea": "茶饮"})
