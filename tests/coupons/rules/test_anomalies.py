"""Which tills stand out, at the borders of what counts as odd."""

from __future__ import annotations

import pytest

from backend.coupons.rules.anomalies import Oddity, Seller, find


def till(
    name: str,
    sales: int,
    coupon_sales: int,
    soon: int = 0,
    *,
    store: str = "S1",
    tried: tuple[int, int, int] = (0, 0, 0),
) -> Seller:
    return Seller(store, name, "", None, sales, coupon_sales, soon, *tried)


@pytest.mark.parametrize(("coupon_sales", "soon", "odd"), [(15, 3, True), (16, 3, False), (2, 2, False), (3, 3, True)])
def test_quick_refunds_count_from_three_and_a_fifth(coupon_sales, soon, odd):
    found = find([till("T1", 100, coupon_sales, soon)])

    assert [item.reasons for item in found] == ([(Oddity.REFUNDED_SOON,)] if odd else [])


@pytest.mark.parametrize(("coupon_sales", "odd"), [(23, False), (24, True)])
def test_a_rate_is_high_from_twice_the_median(coupon_sales, odd):
    found = find([till("T1", 100, 11), till("T2", 100, 12), till("T3", 100, coupon_sales)])

    assert [(item.seller.terminal_id, item.median_bp) for item in found] == ([("T3", 1_200)] if odd else [])


def test_few_sales_are_no_rate_and_no_neighbour():
    assert find([till("T1", 19, 19), till("T2", 100, 50)]) == []
    assert find([till("T1", 100, 0), till("T2", 20, 9)]) == []


def test_a_till_is_compared_in_its_own_store():
    assert find([till("T1", 100, 10), till("T2", 100, 90, store="S2")]) == []


def test_those_with_most_quick_refunds_come_first():
    found = find([till("T1", 100, 10, 5), till("T2", 100, 10, 9), till("T3", 100, 40, 9)])

    assert [item.seller.terminal_id for item in found] == ["T3", "T2", "T1"]
    assert found[0].reasons == (Oddity.REFUNDED_SOON, Oddity.HIGH_RATE)


@pytest.mark.parametrize(("rate", "odd"), [(23, False), (24, True)])
def test_a_till_that_is_alone_is_compared_with_the_chain(rate, odd):
    others = [till(f"T{number}", 100, 12, store=f"S{number}") for number in range(4)]

    found = find([*others, till("T9", 100, rate, store="S9")])

    assert [(item.reasons, item.median_bp, item.chain_median_bp) for item in found] == (
        [((Oddity.HIGH_RATE_IN_CHAIN,), None, 1_200)] if odd else []
    )


def test_four_tills_are_no_chain():
    assert find([till(f"T{number}", 100, 10 + 20 * number, store=f"S{number}") for number in range(4)]) == []


@pytest.mark.parametrize(
    ("coupon_sales", "tried", "reasons"),
    [
        (0, (9, 2, 9), []),
        (0, (9, 3, 3), [Oddity.TRIED_AGAIN]),
        (0, (10, 1, 10), [Oddity.TRIED_AGAIN]),
        (0, (19, 0, 1), []),
        (0, (20, 0, 1), [Oddity.MANY_REFUSED]),
        (20, (20, 0, 1), []),
        (19, (20, 3, 5), [Oddity.TRIED_AGAIN, Oddity.MANY_REFUSED]),
    ],
)
def test_what_a_till_is_refused_counts_also_where_it_sells_nothing(coupon_sales, tried, reasons):
    found = find([till("T1", coupon_sales and 1_000, coupon_sales, tried=tried)])

    assert [list(item.reasons) for item in found] == ([reasons] if reasons else [])
    assert all(item.seller.rate_bp == coupon_sales * 10 for item in found)


def test_a_till_that_names_no_cashier_stands_out_among_cashiers_after_all_others():
    known = Seller("S1", "", "mark", "周", 100, 30, 9)
    nobody = [till("T1", 100, 1), till("T2", 1, 0)]

    found = find([*nobody, known], by_cashier=True)

    assert [(item.seller.terminal_id, item.reasons) for item in found] == [
        ("", (Oddity.REFUNDED_SOON, Oddity.HIGH_RATE)),
        ("T1", (Oddity.NO_CASHIER,)),
        ("T2", (Oddity.NO_CASHIER,)),
    ]
    assert find(nobody) == []
