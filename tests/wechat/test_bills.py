"""WeChat's daily bill as text: read exactly, and refused where it is not what it says."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.wechat import bills
from backend.wechat.bills import BillUnreadable
from backend.wechat.types import BillKind

HEAD = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,"
    "代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,"
    "申请退款金额,费率备注"
)
SUMS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"


def payment(
    yuan: str = "10.00", fee: str = "0.06000", name: str = "储值", at: str = "2026-11-26 09:30:05", number: str = "R1"
) -> str:
    values = (
        *(
            at,
            "wx1",
            "1900",
            "0",
            "",
            "4200001",
            number,
            "openid",
            "JSAPI",
            "SUCCESS",
            "OTHERS",
            "CNY",
            yuan,
            "0.00",
            "0",
        ),
        *("0", "0.00", "0.00", "", "", name, "", fee, "0.60%", yuan, "0.00", ""),
    )
    return ",".join(f"`{value}" for value in values)


def refund(yuan: str = "4.00", fee: str = "-0.02000", state: str = "SUCCESS", refund_id: str = "50300") -> str:
    values = (
        *("2026-11-26 23:59:59", "wx1", "1900", "0", "", "4200001", "R1", "openid", "JSAPI", "REFUND", "OTHERS", "CNY"),
        *("0.00", "0.00", refund_id, "F1", yuan, "0.00", "ORIGINAL", state, "储值", "", fee, "0.60%", "0.00", yuan, ""),
    )
    return ",".join(f"`{value}" for value in values)


def text(*lines: str, sums: str, end: str = "\r\n") -> bytes:
    return end.join((HEAD, *lines, SUMS, sums, "")).encode()


BOTH = "`2,`10.00,`4.00,`0.00,`0.04000,`10.00,`4.00"


def test_payments_and_refunds_are_read_with_exact_amounts_and_beijing_times():
    bill = bills.parse(text(payment(), refund(), sums=BOTH))

    paid, back = bill.lines
    assert (paid.kind, paid.number, paid.out_trade_no, paid.amount_fen, paid.fee) == (
        "payment",
        "R1",
        "R1",
        1_000,
        6_000,
    )
    assert paid.at == datetime(2026, 11, 26, 1, 30, 5, tzinfo=UTC)
    assert (back.kind, back.number, back.out_trade_no, back.refund_id) == ("refund", "F1", "R1", "50300")
    assert (back.amount_fen, back.fee, back.failed) == (400, -2_000, False)


def test_a_name_with_commas_and_a_byte_order_mark_change_nothing():
    bill = bills.parse(b"\xef\xbb\xbf" + text(payment(name="茶, 100% 春"), refund(), sums=BOTH, end="\n"))

    assert [line.amount_fen for line in bill.lines] == [1_000, 400]


def test_a_column_more_is_no_harm_and_one_less_is_refused():
    more = text(payment() + ",`new", refund() + ",`new", sums=BOTH).replace(
        "费率备注".encode(), "费率备注,新列".encode()
    )
    less = text(payment(), refund(), sums=BOTH).replace("商户退款单号".encode(), "别的".encode())

    assert len(bills.parse(more).lines) == 2
    with pytest.raises(BillUnreadable, match="line 1 lacks a column"):
        bills.parse(less)


@pytest.mark.parametrize(
    ("lines", "sums"),
    [
        ((payment(), refund()), BOTH.replace("`2,", "`3,")),
        ((payment(), refund()), BOTH.replace("`10.00,`4.00", "`10.01,`4.00")),
        ((payment(), refund(fee="-0.03000")), BOTH),
        ((payment(yuan="10.001"), refund()), BOTH),
        ((payment(yuan="1e1"), refund()), BOTH),
        ((payment(yuan="１０.00"), refund()), BOTH),
        ((payment(at="2026-02-30 00:00:00"), refund()), BOTH),
        ((payment()[:-5], refund()), BOTH),
        (("oops", refund()), BOTH),
    ],
)
def test_what_does_not_add_up_or_is_no_value_is_refused(lines, sums):
    with pytest.raises(BillUnreadable):
        bills.parse(text(*lines, sums=sums))


@pytest.mark.parametrize(
    ("lines", "sums"),
    [
        ((payment(), payment()), "`2,`20.00,`0.00,`0.00,`0.12000,`20.00,`0.00"),
        ((payment("-10.00", "0.06000"), payment("20.00", "0.06000", number="R2")), "`2,`10,`0,`0,`0.12,`10.00,`0.00"),
        ((payment(at="0001-01-01 00:00:00"), refund()), BOTH),
        ((payment(), refund(refund_id="5\0")), BOTH),
        ((payment(), refund(refund_id="5" * 65)), BOTH),
        ((payment(fee="99999999999.00000"),) * 1, "`1,`10.00,`0.00,`0.00,`99999999999.00000,`10.00,`0.00"),
    ],
    ids=["twice", "negative", "before Christ", "NUL", "a long number", "more than there is"],
)
def test_what_no_table_could_hold_or_would_count_twice_is_refused(lines, sums):
    with pytest.raises(BillUnreadable):
        bills.parse(text(*lines, sums=sums))


def test_the_bill_of_another_day_is_refused_and_one_of_refunds_is_any_days():
    bill = bills.parse(text(payment(), refund(), sums=BOTH))
    bills.check_day(bill, date(2026, 11, 26))

    with pytest.raises(BillUnreadable, match="another day"):
        bills.check_day(bill, date(2026, 11, 27))
    bills.check_day(msgspec.structs.replace(bill, lines=bill.lines[1:]), date(2026, 11, 27))


def test_a_refund_that_failed_is_told():
    (line,) = bills.parse(text(refund(state="FAIL"), sums="`1,`0.00,`4.00,`0.00,`-0.02000,`0.00,`4.00")).lines

    assert line.failed


def test_a_packed_bill_is_unpacked_within_its_bound_and_whole():
    packed = gzip.compress(b"x" * 1_000_000)

    assert bills.unpack(packed) == b"x" * 1_000_000
    with pytest.raises(BillUnreadable, match="too large"):
        bills.unpack(packed, most_bytes=999_999)
    for wrong in (packed[:-9], b"no gzip", b""):
        with pytest.raises(BillUnreadable):
            bills.unpack(wrong)


@given(st.binary(max_size=300))
def test_garbage_is_refused_and_nothing_else(raw: bytes):
    for told in (raw, HEAD.encode() + b"\n" + raw):
        try:
            bill = bills.parse(told)
        except BillUnreadable:
            continue
        assert bill.lines == ()


@given(st.lists(st.tuples(st.integers(0, 10**10), st.integers(-(10**9), 10**9)), max_size=20))
def test_whatever_the_amounts_they_come_back_exactly(amounts: list[tuple[int, int]]):
    def yuan(fen: int) -> str:
        return f"{fen // 100}.{fen % 100:02d}"

    def fee(value: int) -> str:
        return f"{'-' if value < 0 else ''}{abs(value) // 10**5}.{abs(value) % 10**5:05d}"

    total = yuan(sum(fen for fen, _ in amounts))
    sums = f"`{len(amounts)},`{total},`0.00,`0.00,`{fee(sum(cost for _, cost in amounts))},`{total},`0.00"
    told = text(*(payment(yuan(fen), fee(cost), number=f"R{n}") for n, (fen, cost) in enumerate(amounts)), sums=sums)

    bill = bills.parse(told)

    assert [(line.amount_fen, line.fee) for line in bill.lines] == amounts
    assert {line.kind for line in bill.lines} <= {BillKind.PAYMENT}
