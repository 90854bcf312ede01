"""The bill of a day, as a merchant's server asks for it and fetches it."""

from __future__ import annotations

import gzip
import hashlib
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from backend.wechat import bills
from miniapp_mock.simulator import Simulator
from miniapp_mock.simulator.config import BEIJING
from tests.miniapp_mock.merchant import MOUNT, Merchant

DAY = timedelta(days=1)


@pytest.fixture
async def yesterday(simulator: Simulator, merchant: Merchant) -> str:
    """A day on which an order of ¥5.00 was paid and ¥2.00 of it given back, and another of ¥3.00 was not paid."""
    await merchant.order("R202611230001")
    await merchant.pay("R202611230001")
    await merchant.refund("R202611230001", "F202611230001", 200)
    await merchant.order("R202611230002", 300)
    config = simulator.platform.config
    at = config.now() - DAY
    async with simulator.platform.store.transaction() as tx:
        await tx.execute("UPDATE pay_order SET success_at = $1 WHERE success_at IS NOT NULL", at)
        await tx.execute("UPDATE refund SET created_at = $1", at)
    return str(at.astimezone(BEIJING).date())


async def announce(merchant: Merchant, day: str, more: str = "&tar_type=GZIP") -> httpx.Response:
    return await merchant.call("GET", f"/v3/bill/tradebill?bill_date={day}&bill_type=ALL{more}")


async def fetch(merchant: Merchant, url: str) -> httpx.Response:
    target = url.removeprefix(f"{urlsplit(url).scheme}://{urlsplit(url).netloc}")
    headers = {"Authorization": merchant.authorization("GET", target, b"")}
    return await merchant.http.get(target, headers=headers)


async def test_a_bill_is_announced_fetched_and_hashes_to_what_was_announced(merchant: Merchant, yesterday: str):
    ready = (await announce(merchant, yesterday)).json()
    packed = await fetch(merchant, ready["download_url"])
    plain = await fetch(merchant, (await announce(merchant, yesterday, "")).json()["download_url"])

    assert gzip.decompress(packed.content) == plain.content
    assert hashlib.sha1(plain.content).hexdigest() == ready["hash_value"]
    assert "wechatpay-signature" not in packed.headers
    rows = plain.text.splitlines()
    assert [len(rows), rows[1].count(",`"), rows[3].count(",`")] == [5, 26, 0]
    assert rows[4] == "`2,`5.00,`2.00,`0.00,`0.02000,`5.00,`2.00"
    lines = bills.parse(plain.content).lines
    assert [(line.kind, line.number, line.amount_fen, line.fee) for line in lines] == [
        ("payment", "R202611230001", 500, 3_000),
        ("refund", "F202611230001", 200, -1_000),
    ]


async def test_only_days_that_are_over_and_had_something_have_a_bill(
    simulator: Simulator, merchant: Merchant, yesterday: str
):
    today = simulator.platform.config.now().astimezone(BEIJING).date()
    answers = [await announce(merchant, str(day)) for day in (today, today + DAY, today - 93 * DAY, today - 2 * DAY)]
    wrong = await announce(merchant, "yesterday")

    assert [answer.json()["code"] for answer in answers] == ["INVALID_REQUEST"] * 3 + ["NO_STATEMENT_EXIST"]
    assert (wrong.status_code, wrong.json()["code"]) == (400, "PARAM_ERROR")


async def test_a_file_is_given_to_its_merchant_only_and_to_nobody_with_another_token(
    merchant: Merchant, yesterday: str
):
    url = (await announce(merchant, yesterday)).json()["download_url"]
    path = urlsplit(url).path
    unsigned = await merchant.http.get(f"{path}?{urlsplit(url).query}")
    changed = await fetch(merchant, url[:-1] + ("0" if url[-1] != "0" else "1"))
    empty = await fetch(merchant, f"http://x{MOUNT}/v3/billdownload/file?token=")

    assert [answer.status_code for answer in (unsigned, changed, empty)] == [401, 400, 400]


async def test_bills_lie_when_they_are_told_to(merchant: Merchant, yesterday: str):
    lies = {"omit": ["F202611230001"], "amounts": {"R202611230001": 501}, "spoilt": True}
    await merchant.http.put(f"{MOUNT}/bills/tampering", json=lies)
    ready = (await announce(merchant, yesterday)).json()
    text = gzip.decompress((await fetch(merchant, ready["download_url"])).content)

    assert hashlib.sha1(text).hexdigest() != ready["hash_value"]
    assert [(line.number, line.amount_fen) for line in bills.parse(text).lines] == [("R202611230001", 501)]
