"""The daily bill of WeChat Pay as text: a heading, a line for each payment and refund, and the sums.

Source: pay.weixin.qq.com, 申请交易账单 (``bill_type=ALL``), 下载账单, 交易账单字段说明. Every value of a line begins
with a backtick, so that spreadsheets take none for a number; amounts are in yuan. WeChat may add columns: they are
found by their heading.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone

from .types import BillKind, BillLine, TradeBill

MOST_BYTES = 128 * 1024 * 1024
"""Of a bill as text: about four hundred thousand lines."""

_BEIJING = timezone(timedelta(hours=8))
_AT, _TRANSACTION, _NUMBER, _STATE = "交易时间", "微信订单号", "商户订单号", "交易状态"
_REFUND_ID, _REFUND_NO, _REFUND_STATE = "微信退款单号", "商户退款单号", "退款状态"
_TOTAL, _REFUND, _FEE = "订单金额", "申请退款金额", "手续费"
_COLUMNS = (_AT, _TRANSACTION, _NUMBER, _STATE, _REFUND_ID, _REFUND_NO, _REFUND_STATE, _TOTAL, _REFUND, _FEE)
_SUMS = ("总交易单数", "订单总金额", "申请退款总金额", "手续费总金额")
_YUAN = re.compile(r"(-?)([0-9]{1,11})(?:\.([0-9]{1,8}))?\Z")
_NUMBERS = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}\Z")
_REFUND_IDS = re.compile(r"[0-9A-Za-z_\-]{0,64}\Z")
_YEARS = range(2000, 2200)
FEE_DIGITS = 5
"""Fees are told in hundred-thousandths of a yuan."""
MOST_SUM = 10**15
"""Of a column, in its unit: what is more is no money, and no column of a database holds it."""


class BillUnreadable(ValueError):
    """The text is no bill as WeChat writes them; the message names the line, never what stands in it."""


def unpack(packed: bytes, most_bytes: int = MOST_BYTES) -> bytes:
    """What a gzip file holds; ``BillUnreadable`` for what is none, is cut short or holds more than may be."""
    inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        text = inflate.decompress(packed, most_bytes)
    except zlib.error:
        raise BillUnreadable("the file is no gzip") from None
    if inflate.unconsumed_tail:
        raise BillUnreadable("the bill is too large")
    if not inflate.eof:
        raise BillUnreadable("the file ends too early")
    return text


def parse(text: bytes) -> TradeBill:
    """The bill's lines, checked against its own sums; ``BillUnreadable`` where anything is not as it should be."""
    try:
        rows = [row.rstrip("\r") for row in text.decode("utf-8-sig").split("\n")]
    except UnicodeDecodeError:
        raise BillUnreadable("the bill is no UTF-8") from None
    while rows and not rows[-1]:
        rows.pop()
    if len(rows) < 3:
        raise BillUnreadable("the bill has no heading and sums")
    columns = _columns(rows[0], _COLUMNS, 1)
    sums = _columns(rows[-2], _SUMS, len(rows) - 1)
    lines = tuple(_line(row, columns, number) for number, row in enumerate(rows[1:-2], start=2))
    _check_sums(lines, _values(rows[-1], len(rows)), sums, len(rows))
    _check_once(lines)
    return TradeBill(lines)


def check_day(bill: TradeBill, day: date) -> None:
    """``BillUnreadable`` for another day's bill: somebody paid, and nobody on that day.

    Only payments say so: the time of a refund's line is not told to be the day's.
    """
    days = {line.at.astimezone(_BEIJING).date() for line in bill.lines if line.kind is BillKind.PAYMENT}
    if days and day not in days:
        raise BillUnreadable("the bill is another day's")


def _columns(row: str, wanted: tuple[str, ...], number: int) -> dict[str, int]:
    names = row.split(",")
    try:
        return {name: names.index(name) for name in wanted} | {"": len(names)}
    except ValueError:
        raise BillUnreadable(f"line {number} lacks a column") from None


def _values(row: str, number: int) -> list[str]:
    if not row.startswith("`"):
        raise BillUnreadable(f"line {number} is no line of a bill")
    return row[1:].split(",`")


def _line(row: str, columns: dict[str, int], number: int) -> BillLine:
    values = _values(row, number)
    if len(values) != columns[""]:
        raise BillUnreadable(f"line {number} has another number of values than the heading")
    value = {name: values[place].strip() for name, place in columns.items() if name}
    refund = value[_STATE] in ("REFUND", "REVOKED")
    try:
        at = datetime.strptime(value[_AT], "%Y-%m-%d %H:%M:%S").replace(tzinfo=_BEIJING)
        line = BillLine(
            kind=BillKind.REFUND if refund else BillKind.PAYMENT,
            out_trade_no=value[_NUMBER],
            transaction_id=value[_TRANSACTION],
            number=value[_REFUND_NO] if refund else value[_NUMBER],
            refund_id=value[_REFUND_ID] if refund else "",
            amount_fen=_fen(value[_REFUND] if refund else value[_TOTAL]),
            fee=_scaled(value[_FEE], FEE_DIGITS),
            at=at,
            failed=refund and value[_REFUND_STATE] == "FAIL",
        )
    except ValueError:
        raise BillUnreadable(f"line {number} has a value that is none") from None
    if line.amount_fen < 0 or at.year not in _YEARS:
        raise BillUnreadable(f"line {number} has a value that cannot be")
    if not _REFUND_IDS.match(line.refund_id):
        raise BillUnreadable(f"line {number} has no number of a refund")
    if not (_NUMBERS.match(line.number) and _NUMBERS.match(line.out_trade_no) and _NUMBERS.match(line.transaction_id)):
        raise BillUnreadable(f"line {number} has no number")
    return line


def _check_sums(lines: tuple[BillLine, ...], values: list[str], sums: dict[str, int], number: int) -> None:
    if len(values) != sums[""]:
        raise BillUnreadable("the sums have another number of values than their heading")
    try:
        told = (
            int(values[sums[_SUMS[0]]]),
            *(_fen(values[sums[name]]) for name in _SUMS[1:3]),
            _scaled(values[sums[_SUMS[3]]], FEE_DIGITS),
        )
    except ValueError:
        raise BillUnreadable(f"line {number} has a sum that is none") from None
    paid = sum(line.amount_fen for line in lines if line.kind is BillKind.PAYMENT)
    back = sum(line.amount_fen for line in lines if line.kind is BillKind.REFUND)
    fee = sum(line.fee for line in lines)
    if told != (len(lines), paid, back, fee):
        raise BillUnreadable("the lines do not add up to the sums")
    if max(paid, back, abs(fee)) > MOST_SUM:
        raise BillUnreadable("the sums are more than there can be")


def _check_once(lines: Iterable[BillLine]) -> None:
    """A number that stands there twice would be counted twice, by whoever adds the bill up."""
    seen: set[tuple[str, str]] = set()
    for line in lines:
        if (line.kind, line.number) in seen:
            raise BillUnreadable("a number stands there twice")
        seen.add((line.kind, line.number))


def _fen(yuan: str) -> int:
    return _scaled(yuan, 2)


def _scaled(text: str, digits: int) -> int:
    """Yuan as an integer of so many digits after the point; exact, so what has more of them is refused."""
    found = _YUAN.match(text)
    if found is None:
        raise ValueError
    sign, whole, part = found[1], found[2], found[3] or ""
    kept, rest = part[:digits].ljust(digits, "0"), part[digits:]
    if rest.strip("0"):
        raise ValueError
    value = int(whole + kept)
    return -value if sign else value
