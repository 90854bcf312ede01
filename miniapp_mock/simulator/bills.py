"""Pay v3's bill of a day: asked for, then fetched as a file, packed or not, with the digest of what it holds.

Source: pay.weixin.qq.com, 申请交易账单, 下载账单, and the table of the bill's fields. A day is one of Beijing's. The
real bill is there from ten in the morning after; here as soon as its day is over.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .config import BEIJING
from .platform import Platform
from .wire import PayError, decode, json_response, read_body

FEE_PER_MILLE = 6
KEPT_DAYS = 92
TOKEN_S = 300

HEAD = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,"
    "订单金额,申请退款金额,费率备注"
)
SUM_HEAD = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"

_PAYMENTS = "SELECT * FROM pay_order WHERE success_at >= $1 AND success_at < $2 ORDER BY success_at, out_trade_no"
_REFUNDS = """
SELECT r.*, o.total, o.transaction_id, o.terms AS order_terms FROM refund r JOIN pay_order o USING (out_trade_no)
 WHERE r.created_at >= $1 AND r.created_at < $2 ORDER BY r.created_at, r.out_refund_no
"""


class Tampering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How bills go wrong: lines that are missing, amounts that are others, a file that is not the one announced."""

    omit: list[str] = []
    amounts: dict[str, int] = {}
    spoilt: bool = False


class Bills:
    """The calls of Pay v3 about bills, and how tests make them lie."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._config = platform.config

    def routes(self) -> list[Route]:
        """Their paths; the last is the simulator's own."""
        opened = self._platform.open
        return [
            Route("/v3/bill/tradebill", self._platform.signed(self.announce), methods=["GET"]),
            Route("/v3/billdownload/file", opened(self.download), methods=["GET"]),
            Route("/bills/tampering", opened(self.tamper), methods=["PUT"]),
        ]

    async def announce(self, request: Request, _body: bytes) -> tuple[int, Any]:
        """Where the bill of a day is, and what it hashes to."""
        query = request.query_params
        day = _day(query.get("bill_date", ""))
        if query.get("bill_type", "ALL") != "ALL" or query.get("tar_type", "") not in ("", "GZIP"):
            raise PayError(400, "PARAM_ERROR", "bill_type 或 tar_type 不正确")
        today = self._config.now().astimezone(BEIJING).date()
        if not today - timedelta(days=KEPT_DAYS) <= day < today:
            raise PayError(400, "INVALID_REQUEST", "账单日期必须是三个月内且早于今天的日期")
        text = await self.write(day)
        if text is None:
            raise PayError(400, "NO_STATEMENT_EXIST", "账单文件不存在")
        spoilt = (await self._tampering()).spoilt
        token = self._token(day, query.get("tar_type", ""), int(self._config.now().timestamp()) + TOKEN_S)
        return 200, {
            "hash_type": "SHA1",
            "hash_value": hashlib.sha1(text + b"." * spoilt, usedforsecurity=False).hexdigest(),
            "download_url": f"{self._base(request)}/v3/billdownload/file?{urlencode({'token': token})}",
        }

    async def download(self, request: Request) -> Response:
        """The file, for as long as its address is good; unsigned, as WeChat's is."""
        self._platform.check_signature(request)
        day, form = self._read_token(request.query_params.get("token", ""))
        text = await self.write(day)
        if text is None:
            raise PayError(400, "NO_STATEMENT_EXIST", "账单文件不存在")
        body = gzip.compress(text, mtime=0) if form else text
        return Response(body, media_type="application/gzip" if form else "text/plain; charset=utf-8")

    async def tamper(self, request: Request) -> Response:
        """Have bills lie from now on; ``{}`` ends it."""
        wanted = decode(await read_body(request), Tampering)
        async with self._platform.store.transaction() as tx:
            await tx.execute(
                "INSERT INTO bill_tampering (one, body) VALUES (true, $1)"
                " ON CONFLICT (one) DO UPDATE SET body = EXCLUDED.body",
                msgspec.to_builtins(wanted),
            )
        return json_response(wanted)

    async def _tampering(self) -> Tampering:
        row = await self._platform.store.fetchrow("SELECT body FROM bill_tampering")
        return msgspec.convert(row["body"], Tampering) if row else Tampering()

    async def write(self, day: date) -> bytes | None:
        """The bill of a day as text, None where there was nothing."""
        since = datetime.combine(day, time(), BEIJING)
        lies = await self._tampering()
        async with self._platform.store.transaction() as tx:
            paid = [_payment(row, lies) for row in await tx.fetch(_PAYMENTS, since, since + timedelta(days=1))]
            back = [_refund(row, lies) for row in await tx.fetch(_REFUNDS, since, since + timedelta(days=1))]
        lines = [line for line in (*paid, *back) if line["number"] not in lies.omit]
        return _text(lines, self._config.app_id, self._config.mch_id) if lines else None

    def _token(self, day: date, form: str, until: int) -> str:
        text = f"{day}.{form}.{until}"
        return f"{text}.{hmac.new(self._config.api_v3_key.encode(), text.encode(), 'sha256').hexdigest()}"

    def _read_token(self, token: str) -> tuple[date, str]:
        day, form, until, _ = (token.split(".") + [""] * 4)[:4]
        if until.isdigit() and hmac.compare_digest(token.encode(), self._token(_day(day), form, int(until)).encode()):
            if int(until) >= self._config.now().timestamp():
                return _day(day), form
            raise PayError(400, "INVALID_REQUEST", "下载链接已过期")
        raise PayError(400, "PARAM_ERROR", "token 不正确")

    def _base(self, request: Request) -> str:
        mount: str = request.scope.get("root_path", "")
        return self._config.base_url.rstrip("/") + mount


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PayError(400, "PARAM_ERROR", "bill_date 格式不正确") from None


def _payment(row: Any, lies: Tampering) -> dict[str, Any]:
    fen = lies.amounts.get(row["out_trade_no"], row["total"])
    return {
        "at": row["success_at"],
        "number": row["out_trade_no"],
        "transaction": row["transaction_id"],
        "trade": row["out_trade_no"],
        "terms": row["terms"],
        "paid": fen,
        "back": 0,
        "refund": ("0", "0", "", ""),
        "fee": fen * FEE_PER_MILLE,
        "state": "SUCCESS",
    }


def _refund(row: Any, lies: Tampering) -> dict[str, Any]:
    fen = lies.amounts.get(row["out_refund_no"], row["amount"])
    return {
        "at": row["created_at"],
        "number": row["out_refund_no"],
        "transaction": row["transaction_id"],
        "trade": row["out_trade_no"],
        "terms": row["order_terms"],
        "paid": 0,
        "back": fen,
        "refund": (row["refund_id"], row["out_refund_no"], "ORIGINAL", "SUCCESS"),
        "fee": -fen * FEE_PER_MILLE,
        "state": "REFUND",
    }


def _text(lines: list[dict[str, Any]], app_id: str, mch_id: str) -> bytes:
    rows = [HEAD]
    for line in lines:
        terms, paid, back = line["terms"], line["paid"], line["back"]
        refund_id, refund_no, kind, state = line["refund"]
        rows.append(
            _row(
                (
                    *(f"{line['at'].astimezone(BEIJING):%Y-%m-%d %H:%M:%S}", app_id, mch_id, "0", ""),
                    *(line["transaction"], line["trade"], terms["payer"]["openid"], "JSAPI", line["state"], "OTHERS"),
                    *("CNY", _yuan(paid), "0.00", refund_id, refund_no, _yuan(back), "0.00", kind, state),
                    *(terms["description"], terms.get("attach") or "", _fee(line["fee"]), "0.60%", _yuan(paid)),
                    *(_yuan(back), ""),
                )
            )
        )
    paid, back = sum(line["paid"] for line in lines), sum(line["back"] for line in lines)
    rows.append(SUM_HEAD)
    fee = _fee(sum(_rounded(line["fee"]) for line in lines) * 1000)
    rows.append(_row((str(len(lines)), _yuan(paid), _yuan(back), "0.00", fee, _yuan(paid), _yuan(back))))
    return ("\r\n".join(rows) + "\r\n").encode()


def _row(values: Iterable[str]) -> str:
    return ",".join(f"`{value}" for value in values)


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _rounded(mille: int) -> int:
    """Thousandths of a fen as whole fen, to the nearest."""
    return (abs(mille) + 500) // 1000 * (1 if mille >= 0 else -1)


def _fee(mille: int) -> str:
    fen = _rounded(mille)
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}000"
