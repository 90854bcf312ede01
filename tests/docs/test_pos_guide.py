"""The POS guide's examples run as printed."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
from pathlib import Path

import pytest
import pytest_asyncio

from backend.coupons.errors import REFUSALS, CouponRefused, CouponUnavailable
from backend.giftcards.routes import pos as gift_card_routes
from backend.kernel.http import Route, iter_routes
from backend.pos.routes import passes as pass_routes
from tests.support.coupons import give_coupon
from tests.support.gift_cards import sold_card
from tests.support.members import register
from tests.support.passes import buy, line_of, make_pass_product, passes_of, scan
from tests.support.pos import Till
from tests.support.seed import Chain, seed_chain
from tests.support.staff import log_in

GUIDE = (Path(__file__).parents[2] / "docs" / "pos-integration.md").read_text(encoding="utf-8")


def example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(server) -> Chain:
    return await seed_chain(server.base_url)


@pytest.fixture
def till(chain) -> Till:
    return chain.till


async def run(command: list[str], till: Till, **more: str) -> dict:
    environ = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HUIYUAN_BASE": till.base_url,
        "HUIYUAN_TERMINAL": till.terminal_id,
        "HUIYUAN_SECRET": till.secret,
    }
    process = await asyncio.create_subprocess_exec(
        *command, env=environ | more, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, error = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, error.decode()
    answer: dict = json.loads(out)
    return answer


async def test_the_python_example_signs_rightly(till):
    answer = await run([sys.executable, "-c", example("python")], till)

    assert answer["terminal"]["id"] == till.terminal_id


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="curl or openssl is not installed")
async def test_the_shell_example_signs_rightly(client, till):
    phone = await register(client)

    answer = await run(["sh", "-c", example("sh")], till, CODE=phone.code())

    assert answer["payable_fen"] == 250


# ------------------------------------------------------------------------------------------------------------- coupons


def example_json(name: str, **words: str) -> dict:
    """A JSON example of the guide, with words in it replaced."""
    text = example(f"json {name}")
    for word, meaning in words.items():
        text = text.replace(f'"{word}"', f'"{meaning}"')
    parsed: dict = json.loads(text)
    return parsed


def shown(answer: dict, expected: dict) -> dict:
    """As much of an answer as the guide shows."""
    return {name: answer[name] for name in expected}


async def test_the_coupon_is_quoted_sold_and_refunded_as_printed(client, till, chain):
    phone = await register(client)
    coupon_id = await give_coupon(await log_in(client, chain, "admin"), phone)
    day = (await phone.call("GET", f"/v1/member/coupons/{coupon_id}")).json()["expires_on"]
    sale = example_json("sale", CPN=coupon_id) | {"code": phone.code()}
    asked = {"code": sale["code"], "lines": sale["lines"], "tenders": [{"type": "cash"}]}

    quoted = (await till.post(client, "/v1/pos/quotes", asked, key="")).json()
    sold = (await till.post(client, "/v1/pos/sales", sale)).json()
    path, body = f"/v1/pos/sales/{sold['id']}/refunds", {"amount_fen": 12_000, "reason": "不想要了"}
    refunded = (await till.post(client, path, body)).json()

    for answer, name in ((quoted, "quote"), (sold, "sold"), (refunded, "refunded")):
        expected = example_json(name, CPN=coupon_id, DAY=day)
        assert shown(answer, expected) == expected


async def test_the_gift_card_is_checked_and_pays_as_printed(client, till, chain):
    phone = await register(client)
    card = await sold_card(await log_in(client, chain, "admin"), till, client)

    checked = (await till.post(client, "/v1/pos/gift-cards/check", example_json("gift-check") | card.shown)).json()
    sale = example_json("gift-sale", TOKEN=checked["card_token"]) | {"code": phone.code()}
    sold = (await till.post(client, "/v1/pos/sales", sale)).json()

    expected = example_json("gift-checked", TOKEN=checked["card_token"], MASKED=f"**** **** **** {card.number[-4:]}")
    assert shown(checked, expected) == expected
    expected = example_json("gift-sold", CARD=checked["card_id"])
    assert shown(sold, expected) == expected


def test_every_refusal_of_a_gift_card_at_the_till_is_in_the_table():
    routes = [route for route in iter_routes([gift_card_routes.router]) if isinstance(route, Route)]
    codes = {refusal.code for route in routes for refusal in route.errors if refusal.code.startswith("gift_card_")}

    rows = "".join(line for line in GUIDE.splitlines() if re.match(r"\| \d{3} \|", line))

    assert codes | {"gift_card_not_held"} == set(re.findall(r"`(gift_card_\w+)`", rows))


def test_every_refusal_of_a_coupon_is_in_the_table():
    refusals: list[type[CouponRefused]] = [CouponUnavailable, *REFUSALS.values()]
    codes = {refusal.code for refusal in refusals}

    rows = "".join(line for line in GUIDE.splitlines() if re.match(r"\| \d{3} \|", line))

    assert codes == set(re.findall(r"`(coupon_\w+)`", rows)) - {"coupon_id"}


async def test_the_service_card_is_used_as_printed(client, till, chain):
    phone = await register(client)
    product = await make_pass_product(await log_in(client, chain, "admin"))
    token = (await scan(client, till, phone))["scan_token"]
    await buy(client, till, token, line_of(product))
    (card,) = await passes_of(phone)

    used = (await till.post(client, f"/v1/pos/passes/{card['id']}/uses", example_json("pass-use", TOKEN=token))).json()

    expected = example_json("pass-used", PASS=card["id"])
    assert shown(used, expected) == expected


def test_every_refusal_of_a_pass_at_the_till_is_in_the_guide():
    routes = [route for route in iter_routes([pass_routes.router]) if isinstance(route, Route)]
    codes = {refusal.code for route in routes for refusal in route.errors if refusal.code.startswith("pass_")}

    guide = GUIDE.partition("## Service cards")[2].partition("## Gift cards")[0]
    assert len(codes) > 8
    assert codes <= set(re.findall(r"`(pass_\w+)`", guide))
