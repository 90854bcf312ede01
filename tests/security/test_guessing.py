"""Codes tried at a till: throttled and told of, whatever process is asked; the member whose code it is pays on."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections import Counter
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio

from backend.auth import service as auth
from backend.kernel import limits, redis
from backend.pos.commands import identify
from tests.support.books import fingerprint
from tests.support.members import make_code
from tests.support.pos import Till
from tests.support.value import findings, give

TRIES = 10_000
AT_ONCE = 16
SCAN = "/v1/pos/scan"


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def nobody_guessed_before(server) -> None:
    await redis.call("FLUSHALL")
    limits.forget()
    identify._blocked_until.clear()


def guess(clock) -> str:
    """A code that is well formed and nobody's."""
    secret = "A" * 43
    return make_code(f"{secrets.randbelow(10**9):09d}", secret, int(clock.now().timestamp()) // 15)


def wrong_code_of(handle: str, clock) -> str:
    """A code of a real handle, made with another secret."""
    return make_code(handle, "B" * 43, int(clock.now().timestamp()) // 15)


async def scan_over_and_over(base_url: str, till: Till, count: int, clock) -> Counter[tuple[int, str, int]]:
    """So many guesses over kept connections; how often each status, code and ``Retry-After`` was the answer.

    Over bare sockets: an HTTP client takes longer to ask than the server to answer.
    """
    answers: Counter[tuple[int, str, int]] = Counter()

    async def ask(tries: int) -> None:
        reader, writer = await asyncio.open_connection(*base_url.removeprefix("http://").split(":"))
        for _ in range(tries):
            body = b'{"code":"%s"}' % guess(clock).encode()
            head = (
                f"POST {SCAN} HTTP/1.1\r\nhost: t\r\nauthorization: {till.authorization('POST', SCAN, body)}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines if line)
            problem = json.loads(await reader.readexactly(int(headers["content-length"])))
            answers[int(status.split()[1]), problem["code"], int(headers.get("retry-after", 0))] += 1
        writer.close()

    await asyncio.gather(*(ask(count // AT_ONCE) for _ in range(AT_ONCE)))
    return answers


async def failures(client: httpx.AsyncClient) -> Counter[str]:
    """Codes refused so far, by reason, as the metrics tell."""
    text = (await client.get("/metrics")).text
    found = re.findall(r'huiyuan_code_failures_total\{reason="(\w+)"\} ([\d.]+)', text)
    return Counter({reason: int(float(count)) for reason, count in found})


async def test_a_till_that_guesses_is_throttled_and_told_of_while_everybody_else_pays(
    client, chain, phone, settings, clock, capsys
):
    clock.freeze(clock.now())
    await give(phone.member_id, principal=10_000)
    guessing, other = chain.tills["S1"][1], chain.till
    before, counted = await fingerprint(settings), await failures(client)

    answers = await scan_over_and_over(guessing.base_url, guessing, TRIES, clock)

    codes: Counter[tuple[int, str]] = Counter()
    for (status, code, _), count in answers.items():
        codes[status, code] += count
    assert codes == {
        (422, "code_invalid"): identify.TERMINAL_MISSES,
        (429, "rate_limited"): TRIES - identify.TERMINAL_MISSES,
    }
    waits = {wait for status, _, wait in answers if status == 429}
    assert all(1 <= wait <= 2 * identify.TERMINAL_WINDOW_S for wait in waits)
    assert await fingerprint(settings) == before
    told = capsys.readouterr()
    assert "pos.terminal_guessing" in told.out + told.err
    assert guessing.terminal_id in told.out + told.err
    seen = await failures(client) - counted
    assert seen["unknown"] > identify.TERMINAL_MISSES
    # Then the till's share of requests is used up, and the rest is not even looked at.
    assert 0 <= settings.rate_terminal_per_minute - seen["unknown"] - seen["throttled"] <= AT_ONCE

    held = await guessing.sell(client, phone.code(), fen=1_000)
    elsewhere = await other.sell(client, phone.code(), fen=1_000)
    clock.shift(timedelta(seconds=max(waits)))
    afterwards = await guessing.sell(client, phone.code(), fen=1_000)

    assert (held.status_code, held.json()["code"]) == (429, "rate_limited")
    assert (elsewhere.status_code, afterwards.status_code) == (201, 201), afterwards.text
    assert (await phone.wallet())["stored"]["total_fen"] == 8_000
    assert await findings(settings) == []


async def spend_tries(client: httpx.AsyncClient, till: Till, clock) -> None:
    for _ in range(identify.TERMINAL_MISSES):
        answer = await till.post(client, SCAN, {"code": guess(clock)}, key="")
        assert answer.json()["code"] == "code_invalid", answer.text


async def test_another_process_throttles_on_what_this_one_saw(client, chain, clock):
    clock.freeze(clock.now().replace(second=1))
    till = chain.tills["S2"][0]
    await spend_tries(client, till, clock)
    limits.forget()
    identify._blocked_until.clear()  # all that a process keeps to itself

    answer = await till.post(client, SCAN, {"code": guess(clock)}, key="")

    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")


@pytest.mark.parametrize("call", ["sales", "quotes", "accruals"])
async def test_no_other_call_is_a_way_to_guess_on(client, chain, settings, clock, call):
    clock.freeze(clock.now().replace(second=1))
    till = chain.tills["S2"][1]
    lines = [{"sku": "a", "qty": 1, "unit_price_fen": 100}]
    more = {"total_fen": 100, "occurred_at": clock.now().isoformat()} if call == "accruals" else {}
    before = await fingerprint(settings)

    answers = [
        await till.post(client, f"/v1/pos/{call}", {"code": guess(clock), "order_no": f"G-{n}", "lines": lines, **more})
        for n in range(identify.TERMINAL_MISSES + 5)
    ]
    scanned = await till.post(client, SCAN, {"code": guess(clock)}, key="")

    codes = Counter(answer.json()["code"] for answer in [*answers, scanned])
    assert codes == {"code_invalid": identify.TERMINAL_MISSES, "rate_limited": 6}, answers[0].text
    assert await fingerprint(settings) == before


async def test_what_is_no_code_at_all_counts_as_no_guess(client, chain, phone):
    """A hand scanner that reads a shampoo must not shut the till."""
    for text in ("6901234567892", "70" + "0" * 18, "0" * 20, "x" * 20) * 10:
        answer = await chain.till.post(client, SCAN, {"code": text}, key="")
        assert answer.json()["code"] in ("code_invalid", "validation_failed"), answer.text

    assert (await chain.till.post(client, SCAN, {"code": phone.code()}, key="")).status_code == 200


async def test_guesses_at_one_handle_from_many_tills_make_its_sales_wait_for_the_phone(client, chain, phone, clock):
    await give(phone.member_id, principal=10_000)
    tills = [till for store in chain.tills.values() for till in store]
    for number in range(auth.HANDLE_MISSES):
        code = wrong_code_of(phone.device["handle"], clock)
        answer = await tills[number % len(tills)].post(client, SCAN, {"code": code}, key="")
        assert answer.json()["code"] == "code_invalid"

    sale = await chain.till.sell(client, phone.code(), fen=100)

    assert (sale.status_code, sale.json()["status"]) == (201, "awaiting_confirmation")
    waiting = (await phone.call("GET", "/v1/member/confirmations")).json()["items"]
    approved = await phone.call("POST", f"/v1/member/confirmations/{waiting[0]['id']}", {"decision": "approve"})
    assert approved.json()["status"] == "completed"
    assert (await phone.wallet())["stored"]["total_fen"] == 9_900
