"""A till that was offline sends what it took, all at once: each row for itself, and each order number once."""

from __future__ import annotations

import uuid

from backend.kernel import clock as kernel_clock
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, Stale
from backend.points.plans import CAP
from tests.support.races import at_once
from tests.support.value import findings

BATCH = "/v1/pos/accruals/batch"


def row(phone, order_no=None, fen=1_000, **more):
    return {
        "member_no": phone.member["member_no"],
        "order_no": order_no or uuid.uuid4().hex[:16],
        "total_fen": fen,
        "lines": [{"sku": "X-1", "qty": 1, "unit_price_fen": fen}],
        "occurred_at": kernel_clock.now().isoformat(),
    } | more


async def send(client, till, *rows):
    answer = await till.post(client, BATCH, {"items": list(rows)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def results(answer):
    return [item["result"] for item in answer["items"]]


async def points(phone):
    return (await phone.wallet())["points"]["available"]


async def test_each_row_says_what_became_of_it(client, chain, phone, settings):
    good, wrong = row(phone), row(phone, total_fen=999)
    nobody, old = row(phone, member_no="100000000009"), row(phone, occurred_at="2020-01-01T00:00:00Z")

    answer = await send(client, chain.till, good, wrong, nobody, old)

    assert results(answer) == ["posted", "refused", "refused", "refused"]
    assert [item.get("code") for item in answer["items"]] == [
        None,
        "validation_failed",
        "not_found",
        "occurred_out_of_range",
    ]
    assert answer["items"][1]["pointer"] == "/items/1/total_fen"
    assert (answer["posted"], answer["duplicates"], answer["refused"]) == (1, 0, 3)
    assert await points(phone) == 10
    assert await findings(settings) == []


async def test_a_row_that_is_none_keeps_nothing_from_the_others(client, chain, phone, settings):
    shape = [row(phone, fen=-1, total_fen=1), row(phone) | {"surprise": 1}, {"order_no": 7}, [], "x", None]
    rows = [row(phone), *shape, row(phone)]

    answer = await send(client, chain.till, *rows)
    again = await send(client, chain.till, *rows)

    assert results(answer) == ["posted", *["refused"] * 6, "posted"]
    assert results(again) == ["duplicate", *["refused"] * 6, "duplicate"]
    pointers = [item.get("pointer") for item in answer["items"][1:-1]]
    assert pointers[:3] == ["/items/1/lines/0/unit_price_fen", "/items/2/surprise", "/items/3/order_no"]
    assert pointers[3:] == ["/items/4", "/items/5", "/items/6"]
    assert {item["code"] for item in answer["items"][1:-1]} == {"validation_failed"}
    assert answer["items"][1]["order_no"] == rows[1]["order_no"]
    assert await points(phone) == 20


async def test_a_batch_that_is_sent_again_gives_nothing_twice(client, chain, phone):
    rows = [row(phone) for _ in range(5)]
    lost = await at_once(chain.till.post(client, BATCH, {"items": rows}) for _ in range(4))

    again = await send(client, chain.till, *rows)

    assert {answer.status_code for answer in lost} == {200}
    assert sum(answer.json()["posted"] for answer in lost) == 5
    assert results(again) == ["duplicate"] * 5
    assert {item["points_earned"] for item in again["items"]} == {10}
    assert await points(phone) == 50


async def test_two_tills_with_the_same_order_and_one_by_one_before(client, chain, phone):
    first, second = chain.tills["S1"]
    single = row(phone)
    assert (await first.post(client, "/v1/pos/accruals", single)).status_code == 201
    shared = row(phone)

    answers = await at_once(till.post(client, BATCH, {"items": [single, shared]}) for till in (first, second) * 3)

    rows = [item for answer in answers for item in answer.json()["items"]]
    ids = {item["id"] for item in rows if item["order_no"] == shared["order_no"]}
    assert [item["result"] for item in rows].count("posted") == 1
    assert len(ids) == 1
    assert await points(phone) == 20


async def test_the_same_number_with_other_content_is_refused_and_another_store_s_is_another(client, chain, phone):
    one = row(phone)

    answer = await send(client, chain.till, one, one | {"total_fen": 2_000, "lines": [one["lines"][0] | {"qty": 2}]})
    elsewhere = await send(client, chain.tills["S2"][0], one)

    assert results(answer) == ["posted", "refused"]
    assert answer["items"][1]["code"] == "idempotency_conflict"
    assert results(elsewhere) == ["posted"]


async def test_a_batch_has_a_bound(client, chain, phone):
    answer = await chain.till.post(client, BATCH, {"items": [row(phone)] * 201})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/items")


async def test_a_row_that_others_were_always_before_may_be_sent_again(client, chain, phone, monkeypatch):
    """Twice others fill a promotion's day, then they move the books, between the plan and the door."""
    post, met = ledger.post, iter([GuardRefused(CAP, "points:E:1"), GuardRefused(CAP, "points:E:1"), Stale()])

    async def crowded(plan):
        if (refusal := next(met, None)) is not None:
            raise refusal
        return await post(plan)

    monkeypatch.setattr(ledger, "post", crowded)
    one = row(phone)

    first, again = await send(client, chain.till, one), await send(client, chain.till, one)

    assert [(item["code"], item["retry"]) for item in first["items"]] == [("stale", True)]
    assert results(again) == ["posted"]
    assert await points(phone) == 10
