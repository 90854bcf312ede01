"""A service card from the till that sells it to its last use."""

from __future__ import annotations

from datetime import timedelta

from backend.auth import service as auth
from backend.kernel import db, outbox
from backend.ledger import service as ledger
from backend.members import queries as members
from tests.support.books import fingerprint
from tests.support.coupons import CASH, by_coupons, give_coupon
from tests.support.members import register
from tests.support.passes import (
    PARKING,
    WASHES,
    booked,
    buy,
    held,
    line_of,
    make_pass_product,
    passes_of,
    scan,
    undo,
    use,
)
from tests.support.races import codes_of
from tests.support.value import findings, give


async def test_a_card_is_sold_used_undone_and_used_up(client, chain, admin, phone, settings):
    product = await make_pass_product(admin)
    till = chain.till
    token = (await scan(client, till, phone))["scan_token"]

    sale = await buy(client, till, token, line_of(product))
    (card,) = await passes_of(phone)
    first = await use(client, till, token, card["id"])
    second = await use(client, till, token, card["id"])
    undone = await undo(client, till, first.json()["id"])
    rest = await use(client, till, token, card["id"], qty=2)

    assert sale["status"] == "completed"
    assert (card["title"], card["kind"], card["uses"], card["uses_left"]) == ("洗车三次卡", "counted", 3, 3)
    assert first.status_code == 201, first.text
    assert {key: first.json()[key] for key in ("pass_id", "status", "qty", "uses_left", "title")} == {
        "pass_id": card["id"],
        "status": "used",
        "qty": 1,
        "uses_left": 2,
        "title": "洗车三次卡",
    }
    assert (second.json()["uses_left"], undone.json()["status"], undone.json()["uses_left"]) == (1, "undone", 2)
    assert (rest.status_code, rest.json()["uses_left"]) == (201, 0)
    assert await passes_of(phone) == []
    assert await booked(card["id"]) == {
        ("house.services_issued", product["id"]): -3,
        ("house.services_used", product["id"]): 3,
        ("house.service_income", "S1"): 10_000,
    }
    assert await findings(settings) == []
    await outbox.drain()
    (ended,) = await passes_of(phone, "ended")
    assert (ended["id"], ended["state"], ended["uses_left"]) == (card["id"], "used_up", 0)
    detail = (await phone.call("GET", f"/v1/member/passes/{card['id']}")).json()
    assert [(made["qty"], made["undone"], made["store"]["name"]) for made in detail["uses_made"]] == [
        (2, False, "南京路店"),
        (1, False, "南京路店"),
        (1, True, "南京路店"),
    ]


async def test_an_unused_card_goes_back_with_its_line(client, chain, admin, phone, settings):
    product = await make_pass_product(admin)
    till = chain.till
    token = (await scan(client, till, phone))["scan_token"]
    await give(phone.member_id, principal=30_000)
    line = line_of(product, fen=9_999, qty=3, discount_fen=1)
    sale = await buy(client, till, token, line, tenders=[{"type": "stored", "amount_fen": 20_000}, {"type": "cash"}])
    cards = await passes_of(phone)
    await use(client, till, token, cards[1]["id"])
    path = f"/v1/pos/sales/{sale['id']}/refunds"

    by_amount = await till.post(client, path, {"amount_fen": 100, "reason": "x"})
    too_many = await till.post(client, path, {"lines": [{"line_no": 1, "qty": 3}], "reason": "x"})
    two = await till.post(client, path, {"lines": [{"line_no": 1, "qty": 2}], "reason": "x"})
    third = await till.post(client, path, {"lines": [{"line_no": 1, "qty": 1}], "reason": "x"})

    assert (by_amount.status_code, by_amount.json()["code"]) == (409, "pass_refund_by_line")
    assert (too_many.status_code, too_many.json()["code"]) == (409, "pass_used")
    assert two.status_code == 201, two.text
    assert sorted(two.json()["passes_ended"]) == sorted([cards[0]["id"], cards[2]["id"]])
    assert two.json()["refund_fen"] == 29_996 * 2 // 3
    assert (third.status_code, third.json()["code"]) == (409, "pass_used")
    assert [card["id"] for card in await passes_of(phone)] == [cards[1]["id"]]
    assert [await held(card["id"]) for card in cards] == [(0, 0), (2, 6_666), (0, 0)]
    assert await findings(settings) == []


async def test_refuses_what_the_terms_do_not_give_and_nothing_moves(client, chain, admin, phone, settings):
    terms = WASHES | {"stores": ["S2"], "services": ["普洗", "精洗"], "days": 1}
    product = await make_pass_product(admin, terms)
    token = (await scan(client, chain.till, phone))["scan_token"]
    await buy(client, chain.till, token, line_of(product))
    (card,) = await passes_of(phone)
    (code,) = await codes_of(phone, 1)
    other = chain.tills["S2"][0]
    there = (await other.post(client, "/v1/pos/scan", {"code": code})).json()["scan_token"]
    stranger = await register(client)
    theirs = (await scan(client, other, stranger))["scan_token"]
    before = await fingerprint(settings)

    answers = [
        await use(client, chain.till, token, card["id"], service="普洗"),
        await use(client, other, there, card["id"], service="打蜡"),
        await use(client, other, there, card["id"]),
        await use(client, other, there, card["id"], service="普洗", qty=4),
        await use(client, other, token, card["id"], service="普洗"),
        await use(client, other, theirs, card["id"], service="普洗"),
        await use(client, other, there, "P" + "0" * 26, service="普洗"),
        await use(client, other, there, card["id"], service="普洗", qty=0),
        await undo(client, other, "U" + "0" * 26),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (409, "pass_other_store"),
        (409, "pass_other_service"),
        (422, "validation_failed"),
        (409, "pass_too_few_uses"),
        (422, "code_invalid"),
        (404, "not_found"),
        (404, "not_found"),
        (422, "validation_failed"),
        (404, "not_found"),
    ]
    assert await fingerprint(settings) == before
    used = await use(client, other, there, card["id"], service="精洗")
    assert (used.status_code, used.json()["service"]) == (201, "精洗")
    assert await findings(settings) == []


async def test_a_timed_pass_is_used_so_often_a_day(client, chain, admin, phone, settings):
    product = await make_pass_product(admin, PARKING)
    token = (await scan(client, chain.till, phone))["scan_token"]
    await buy(client, chain.till, token, line_of(product))
    (card,) = await passes_of(phone)

    first = await use(client, chain.till, token, card["id"])
    second = await use(client, chain.till, token, card["id"])
    third = await use(client, chain.till, token, card["id"])
    undone = await undo(client, chain.till, second.json()["id"])
    again = await use(client, chain.till, token, card["id"])

    assert [answer.status_code for answer in (first, second, undone, again)] == [201, 201, 200, 201]
    assert (first.json()["uses_left"], undone.json()["uses_left"]) == (None, None)
    assert (third.status_code, third.json()["code"]) == (409, "pass_day_limit")
    assert await held(card["id"]) == (1, 10_000)
    assert await findings(settings) == []


async def test_a_use_is_undone_in_its_store_and_in_time_only(client, chain, admin, phone, clock, settings):
    product = await make_pass_product(admin)
    token = (await scan(client, chain.till, phone))["scan_token"]
    await buy(client, chain.till, token, line_of(product))
    (card,) = await passes_of(phone)
    used = (await use(client, chain.till, token, card["id"])).json()

    elsewhere = await undo(client, chain.tills["S2"][0], used["id"])
    clock.shift(timedelta(hours=settings.pass_undo_hours, seconds=1))
    late = await undo(client, chain.till, used["id"])

    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "not_found")
    assert (late.status_code, late.json()["code"]) == (409, "pass_undo_too_late")
    assert await held(card["id"]) == (2, 6_667)


async def test_a_retry_gets_its_first_answer_also_when_the_scan_has_died(client, chain, admin, phone, clock, settings):
    product = await make_pass_product(admin)
    token = (await scan(client, chain.till, phone))["scan_token"]
    await buy(client, chain.till, token, line_of(product))
    (card,) = await passes_of(phone)
    first = await use(client, chain.till, token, card["id"], key="lost")
    undone = await undo(client, chain.till, first.json()["id"], key="lost-too")
    await use(client, chain.till, token, card["id"])
    clock.shift(timedelta(minutes=6))

    retries = [
        await use(client, chain.till, token, card["id"], key="lost"),
        await undo(client, chain.till, first.json()["id"], key="lost-too"),
    ]
    other = await use(client, chain.till, token, card["id"], key="lost", qty=2)
    fresh = await use(client, chain.till, token, card["id"])

    assert [retry.json() for retry in retries] == [first.json(), undone.json()]
    assert all(retry.headers["idempotency-replayed"] == "true" for retry in retries)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert (fresh.status_code, fresh.json()["code"]) == (422, "code_expired")
    assert await held(card["id"]) == (2, 6_667)


async def test_a_waiting_sale_gives_the_card_when_the_member_approves(client, chain, admin, phone, settings):
    product = await make_pass_product(admin)
    await give(phone.member_id, principal=100_000)
    token = (await scan(client, chain.till, phone))["scan_token"]
    line = line_of(product, fen=15_000, qty=2)

    sale = await buy(client, chain.till, token, line, tenders=[{"type": "stored"}])
    waiting = await passes_of(phone)
    decided = await phone.call("POST", f"/v1/member/confirmations/{sale['id']}", {"decision": "approve"})

    assert (sale["status"], waiting) == ("awaiting_confirmation", [])
    assert decided.status_code == 200, decided.text
    cards = await passes_of(phone)
    assert [await held(card["id"]) for card in cards] == [(3, 15_000)] * 2
    assert await findings(settings) == []


async def test_what_coupons_took_off_was_not_paid_for_the_card(client, chain, admin, phone, settings):
    product = await make_pass_product(admin)
    coupon_id = await give_coupon(admin, phone, CASH | {"face_fen": 2_000})
    token = (await scan(client, chain.till, phone))["scan_token"]

    lines = [{"sku": "x", "qty": 1, "unit_price_fen": 10_000}, line_of(product, discount_fen=1)]
    await buy(client, chain.till, token, *lines, tenders=by_coupons(coupon_id))

    (card,) = await passes_of(phone)
    assert await held(card["id"]) == (3, 8_999)
    assert await findings(settings) == []


async def test_a_sale_sells_twenty_cards_at_most(client, chain, admin, phone, settings):
    product = await make_pass_product(admin)
    token = (await scan(client, chain.till, phone))["scan_token"]
    before = await fingerprint(settings)

    answer = await chain.till.sell(client, None, scan_token=token, lines=[line_of(product, qty=21)])

    assert (answer.status_code, answer.json()["code"]) == (422, "pass_too_many")
    assert await fingerprint(settings) == before


async def test_whose_code_was_guessed_at_shows_a_new_one_first(client, chain, admin, phone, settings):
    product = await make_pass_product(admin)
    token = (await scan(client, chain.till, phone))["scan_token"]
    await buy(client, chain.till, token, line_of(product))
    (card,) = await passes_of(phone)
    (code,) = await codes_of(phone, 1)
    async with db.transaction() as tx:
        await auth.mark_handle_suspect(tx, code[2:11])
    suspect = (await chain.tills["S1"][1].post(client, "/v1/pos/scan", {"code": code})).json()["scan_token"]

    answer = await use(client, chain.tills["S1"][1], suspect, card["id"])

    assert (answer.status_code, answer.json()["code"]) == (409, "pass_needs_phone")
    assert await held(card["id"]) == (3, 10_000)


async def test_a_sale_asks_the_books_no_more_than_before(client, chain, admin, phone, monkeypatch):
    """Whose code, which card and what is held in one read, then the posting; one that sells a card likewise.

    Levels, articles and products are kept in mind for seconds and read anew at any time: they do not count.
    """
    product = await make_pass_product(admin)
    codes = await codes_of(phone, 2)
    asked: list[str] = []
    for name in ("fetch", "fetchrow", "fetchval"):
        monkeypatch.setattr(db, name, noting(getattr(db, name), asked))
    monkeypatch.setattr(ledger, "post", noting(ledger.post, asked))

    ordinary = await chain.till.sell(client, codes[0], tenders=[{"type": "cash"}])
    for_ordinary = asked.copy()
    asked.clear()
    selling = await chain.till.sell(client, codes[1], lines=[line_of(product)], tenders=[{"type": "cash"}])

    assert (ordinary.status_code, selling.status_code) == (201, 201)
    for sent in (for_ordinary, asked):
        assert [what for what in sent if "ledger_" in what or "pass_card" in what] == [
            members.CARDHOLDERS,
            "ledger_post",
        ]


def noting(call, asked: list[str]):
    """The same call, which also notes the statement that it sends."""

    async def noted(what, *args):
        asked.append(what if isinstance(what, str) else "ledger_post")
        return await call(what, *args)

    return noted
