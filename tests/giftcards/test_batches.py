"""Products and batches: what may be offered, what is made, and that the file goes out once."""

from __future__ import annotations

import pytest

from backend.giftcards import numbers, queries
from backend.giftcards.commands import batches
from backend.kernel import db
from tests.support.books import fingerprint
from tests.support.gift_cards import BATCHES, CARDS, PRODUCTS, activate, make_product, print_cards, read_file


async def changes(admin, product_id: str) -> list[str]:
    items = (await admin.get(f"{PRODUCTS}/{product_id}/changes")).json()["items"]
    return [item["action"] for item in reversed(items)]


async def test_a_product_has_a_fixed_face_or_a_range(admin):
    fixed = await make_product(admin, face_fen=20_000, validity_months=36)
    ranged = await make_product(admin, min_fen=100, max_fen=500_000, holder="named")

    assert (fixed["min_fen"], fixed["max_fen"], fixed["validity_months"]) == (20_000, 20_000, 36)
    assert (ranged["min_fen"], ranged["max_fen"], ranged["holder"]) == (100, 500_000, "named")
    assert (await admin.get(f"{PRODUCTS}/{fixed['id']}")).json() == fixed
    first = (await admin.get(f"{PRODUCTS}?limit=1")).json()
    second = (await admin.get(f"{PRODUCTS}?limit=1&cursor={first['next_cursor']}")).json()
    assert [first["items"][0]["id"], second["items"][0]["id"]] == [ranged["id"], fixed["id"]]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/face_fen"),
        ({"min_fen": 100}, "/face_fen"),
        ({"face_fen": 100, "max_fen": 200}, "/face_fen"),
        ({"min_fen": 200, "max_fen": 100}, "/max_fen"),
        ({"face_fen": 100_001}, "/max_fen"),
        ({"face_fen": 100_001, "holder": "bearer"}, "/max_fen"),
        ({"face_fen": 500_001, "holder": "named"}, "/max_fen"),
        ({"face_fen": 100, "holder": "named", "validity_months": 36}, "/validity_months"),
        ({"face_fen": 100, "validity_months": 35}, "/validity_months"),
    ],
)
async def test_a_product_that_may_not_be_sold_is_refused(admin, settings, body, pointer):
    before = await fingerprint(settings)

    refused = await admin.post(PRODUCTS, {"title": "卡"} | body)

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert await fingerprint(settings) == before


async def test_the_file_goes_out_once_and_nothing_in_the_tables_says_what_is_on_the_cards(admin, settings):
    product = await make_product(admin)
    batch = (await admin.post(f"{PRODUCTS}/{product['id']}/batches", {"total": 3, "note": "=1+1"})).json()

    file = await admin.post(f"{BATCHES}/{batch['id']}/export")
    again = await admin.post(f"{BATCHES}/{batch['id']}/export")

    cards = read_file(file.content)
    assert (batch["state"], batch["made"]) == ("ready", 3)
    assert "'=1+1" in file.content.decode("utf-8-sig")
    assert len({card.number for card in cards}) == 3
    assert all(numbers.read_number(card.number) and len(card.pin) == 6 for card in cards)
    assert (again.status_code, again.json()["code"]) == (409, "gift_batch_conflict")
    assert (await admin.get(f"{BATCHES}/{batch['id']}")).json()["state"] == "exported"
    rows = await db.fetch("SELECT c::text AS card FROM giftcard c WHERE batch_id = $1", batch["id"])
    kept = " ".join(row["card"] for row in rows) + str(await db.fetchval("SELECT b::text FROM giftcard_batch b"))
    assert not [card for card in cards if card.number in kept or card.number[:-4] in kept]
    found = await queries.find_by_number(cards[0].number)
    assert found is not None
    assert found.last4 == cards[0].number[-4:]
    assert await changes(admin, product["id"]) == ["create", "batch", "export"]


async def test_a_large_batch_is_made_by_the_job_and_taken_up_where_it_was_cut_short(admin, monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 4)
    product = await make_product(admin)
    batch = (await admin.post(f"{PRODUCTS}/{product['id']}/batches", {"total": 10})).json()
    early = await admin.post(f"{BATCHES}/{batch['id']}/export")

    await batches.make_cards(batch["id"])
    await batches.make_cards(batch["id"])

    assert (batch["made"], batch["state"]) == (4, "making")
    assert (early.status_code, early.json()["code"]) == (409, "gift_batch_conflict")
    made = (await admin.get(f"{BATCHES}/{batch['id']}")).json()
    assert (made["made"], made["state"]) == (10, "ready")
    assert await db.fetchval("SELECT count(*) FROM giftcard WHERE batch_id = $1", batch["id"]) == 10
    assert (await admin.get(f"{PRODUCTS}/{product['id']}/batches")).json()["items"] == [made]


async def test_a_number_that_another_card_has_is_passed_over(admin, monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 4)
    product = await make_product(admin)
    made = numbers.make_number
    # Serial 1 of this batch gives the number of serial 0.
    monkeypatch.setattr(numbers, "make_number", lambda secret, serial: made(secret, 0 if serial == 1 else serial))

    batch = (await admin.post(f"{PRODUCTS}/{product['id']}/batches", {"total": 4})).json()
    await batches.make_cards(batch["id"])
    file = await admin.post(f"{BATCHES}/{batch['id']}/export")

    assert batch["made"] == 3
    assert len({card.number for card in read_file(file.content)}) == 4
    serials = await db.fetch("SELECT serial FROM giftcard WHERE batch_id = $1 ORDER BY 1", batch["id"])
    assert [row["serial"] for row in serials] == [0, 2, 3, 4]


async def test_voiding_a_batch_closes_what_was_not_sold_and_nothing_else(admin, client, till):
    product = await make_product(admin)
    sold, unsold = await print_cards(admin, product["id"], 2)
    assert (await activate(till, client, sold, 500)).status_code == 201
    (batch,) = (await admin.get(f"{PRODUCTS}/{product['id']}/batches")).json()["items"]

    answers = [await admin.post(f"{BATCHES}/{batch['id']}/void") for _ in range(2)]

    refused = await activate(till, client, unsold, 500)
    assert [answer.json()["state"] for answer in answers] == ["void", "void"]
    assert (refused.status_code, refused.json()["code"]) == (409, "gift_card_closed")
    states = {card["state"] for card in (await admin.get(f"{CARDS}?batch_id={batch['id']}")).json()["items"]}
    assert states == {"active", "closed"}
    assert (await changes(admin, product["id"]))[-1] == "void_batch"


async def test_an_ended_product_is_made_and_sold_no_more(admin, client, till):
    product = await make_product(admin)
    (card,) = await print_cards(admin, product["id"])

    ended = [await admin.post(f"{PRODUCTS}/{product['id']}/end") for _ in range(2)]

    assert [answer.json()["state"] for answer in ended] == ["ended", "ended"]
    for refused in (
        await activate(till, client, card, 500),
        await admin.post(f"{PRODUCTS}/{product['id']}/batches", {"total": 1}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "gift_card_product_ended")
    assert await changes(admin, product["id"]) == ["create", "batch", "export", "end"]
    assert (await admin.post(f"{PRODUCTS}/P000/end")).status_code == 404
