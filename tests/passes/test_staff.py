"""What staff do to passes: give, give back, make void, look."""

from __future__ import annotations

from backend.kernel import db, events, outbox
from backend.ledger.events import Recharged
from backend.passes.commands import earning
from tests.support.books import fingerprint
from tests.support.members import register
from tests.support.passes import (
    PARKING,
    PRODUCTS,
    WASHES,
    booked,
    buy,
    held,
    line_of,
    make_pass_product,
    passes_of,
    scan,
    use,
)
from tests.support.staff import log_in


async def test_a_pass_whose_sale_is_not_written_down_yet_is_not_ended(client, chain, admin, phone, settings, books):
    """Its money would go back to the sales of no store."""
    product = await make_pass_product(admin, WASHES)
    token = (await scan(client, chain.till, phone))["scan_token"]
    await buy(client, chain.till, token, line_of(product))
    (card,) = await passes_of(phone)
    path = f"/v1/admin/passes/{card['id']}/refund"
    before = await fingerprint(settings)

    early = await admin.post(path, {"reason": "x"}, key="early")
    moved = await fingerprint(settings) != before
    await outbox.drain()
    later = await admin.post(path, {"reason": "x"}, key="early")

    assert (early.status_code, early.json()["code"], early.headers["retry-after"]) == (503, "unavailable", "1")
    assert not moved
    assert later.status_code == 200
    refs = await db.fetch(
        "SELECT e.ref FROM ledger_entry e JOIN ledger_transfer t USING (member_id, seq)"
        " WHERE t.kind = 'pass_end' AND e.kind = 'house.sales' AND e.member_id = $1",
        phone.member_id,
    )
    assert [row["ref"] for row in refs] == ["S1"]


async def sold(client, chain, admin, phone, terms=WASHES, *, uses: int = 0) -> str:
    """A pass that store S1 sold to the member, used so often; its row is written."""
    product = await make_pass_product(admin, terms)
    token = (await scan(client, chain.till, phone))["scan_token"]
    await buy(client, chain.till, token, line_of(product))
    (card,) = await passes_of(phone)
    for _ in range(uses):
        assert (await use(client, chain.till, token, card["id"])).status_code == 201
    await outbox.drain()
    return card["id"]


async def test_a_used_pass_is_given_back_with_what_is_left(client, chain, admin, phone, books):
    pass_id = await sold(client, chain, admin, phone, uses=1)
    manager = await log_in(client, chain, "manager-S1")
    path = f"/v1/admin/passes/{pass_id}/refund"

    first = await manager.post(path, {"reason": "搬家"}, key="once")
    retry = await manager.post(path, {"reason": "搬家"}, key="once")
    other = await manager.post(path, {"reason": "再来"}, key="once")
    second = await manager.post(path, {"reason": "搬家"}, key="twice")

    assert first.status_code == 200, first.text
    told = first.json()
    assert (told["state"], told["uses"], told["value_fen"], told["payout_fen"]) == ("refunded", 2, 6_667, 6_667)
    assert (retry.json(), retry.headers["idempotency-replayed"]) == (told, "true")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert (second.status_code, second.json()["code"]) == (409, "pass_void")
    assert await held(pass_id) == (0, 0)
    await outbox.drain()
    detail = (await manager.get(f"/v1/admin/passes/{pass_id}")).json()
    assert (detail["state"], detail["value_fen"], detail["source"][:5]) == ("refunded", 0, "sale:")
    assert [(change["action"], change["detail"]) for change in detail["changes"]] == [("refunded", {"reason": "搬家"})]
    assert [item["state"] for item in await passes_of(phone, "ended")] == ["refunded"]


async def test_days_that_are_over_are_not_paid_back(client, chain, admin, phone, clock, books):
    """Of 30 days the one of the sale is used up: ¥100.00 × 1/30 = ¥3.33."""
    pass_id = await sold(client, chain, admin, phone, PARKING)

    told = (await admin.post(f"/v1/admin/passes/{pass_id}/refund", {"reason": "x"}, key=pass_id)).json()

    assert (told["value_fen"], told["payout_fen"]) == (9_667, 9_667)
    assert (await booked(pass_id))["house.service_income", "S1"] == 333


async def test_a_void_pass_is_paid_back_to_nobody_and_used_no_more(client, chain, admin, phone, books):
    pass_id = await sold(client, chain, admin, phone, uses=1)
    (use_made,) = (await admin.get(f"/v1/admin/passes/{pass_id}")).json()["uses_made"]

    void = await admin.post(f"/v1/admin/passes/{pass_id}/void", {"reason": "盗用"}, key=pass_id)
    undone = await chain.till.post(client, f"/v1/pos/pass-uses/{use_made['id']}/undo", None)

    assert (void.json()["state"], void.json()["payout_fen"], void.json()["value_fen"]) == ("void", 0, 6_667)
    assert (undone.status_code, undone.json()["code"]) == (409, "pass_void")
    assert (await booked(pass_id))["house.breakage", ""] == 6_667


async def test_a_manager_sees_and_ends_what_their_store_sold_only(client, chain, admin, phone, settings):
    pass_id = await sold(client, chain, admin, phone)
    stranger = await log_in(client, chain, "manager-S2")
    before = await fingerprint(settings)

    answers = [
        await stranger.get(f"/v1/admin/passes/{pass_id}"),
        await stranger.post(f"/v1/admin/passes/{pass_id}/refund", {"reason": "x"}, key="theirs"),
    ]
    void = await stranger.post(f"/v1/admin/passes/{pass_id}/void", {"reason": "x"}, key="theirs")
    listed = (await stranger.get(f"/v1/admin/passes?member_id={phone.member_id}")).json()["items"]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not_found")] * 2
    assert void.status_code == 403
    assert listed == []
    assert await fingerprint(settings) == before


async def test_head_office_gives_one_for_nothing_once_per_key(client, chain, admin, phone, books):
    product = await make_pass_product(admin)
    path, body = f"{PRODUCTS}/{product['id']}/passes", {"member_id": str(phone.member_id), "reason": "补偿"}

    first = await admin.post(path, body, key="gift")
    retry = await admin.post(path, body, key="gift")
    unknown = await admin.post(path, body | {"member_id": "4711"}, key="nobody")

    assert first.status_code == 201, first.text
    given = first.json()
    assert (given["paid_fen"], given["uses_left"], given["member_id"]) == (0, 3, str(phone.member_id))
    assert (retry.json()["id"], retry.headers["idempotency-replayed"]) == (given["id"], "true")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "validation_failed")
    assert [card["id"] for card in await passes_of(phone)] == [given["id"]]
    token = (await scan(client, chain.till, phone))["scan_token"]
    assert (await use(client, chain.till, token, given["id"], qty=3)).status_code == 201
    assert await booked(given["id"]) == {
        ("house.services_issued", product["id"]): -3,
        ("house.services_used", product["id"]): 3,
    }


async def test_passes_are_listed_by_member_and_by_product(client, chain, admin, phone):
    product = await make_pass_product(admin)
    other = await register(client)
    for whom in (phone, other, phone):
        body = {"member_id": str(whom.member_id), "reason": "x"}
        assert (
            await admin.post(f"{PRODUCTS}/{product['id']}/passes", body, key=f"{whom.member_id}-{id(body)}")
        ).status_code == 201
    await outbox.drain()

    of_member = (await admin.get(f"/v1/admin/passes?member_id={phone.member_id}")).json()["items"]
    page = (await admin.get(f"/v1/admin/passes?product_id={product['id']}&limit=2")).json()
    rest = (await admin.get(f"/v1/admin/passes?product_id={product['id']}&limit=2&cursor={page['next_cursor']}")).json()
    neither = await admin.get("/v1/admin/passes")

    assert {item["member_id"] for item in of_member} == {str(phone.member_id)}
    assert len({item["id"] for item in page["items"] + rest["items"]}) == 3
    assert rest["next_cursor"] is None
    assert neither.status_code == 422


async def test_a_recharge_of_enough_earns_one_once(admin, phone, books):
    product = await make_pass_product(admin, WASHES | {"earned_by_recharge_fen": 50_000})

    for recharge_id, fen in (("R1", 49_999), ("R2", 50_000)):
        async with db.transaction() as tx:
            event = Recharged(member_id=phone.member_id, recharge_id=recharge_id, pay_fen=fen, bonus_fen=0, points=0)
            await events.publish(tx, event)
    await outbox.drain()
    jobs = await db.fetch("SELECT args FROM procrastinate_jobs WHERE task_name = $1", earning.JOB)
    for _ in range(2):
        await earning.give_earned(phone.member_id, product["id"], "R2")

    assert len(jobs) == 1
    (card,) = await passes_of(phone)
    assert (card["product_id"], card["uses_left"]) == (product["id"], 3)


async def test_a_pass_gives_its_level_and_takes_it_along_when_it_is_given_back(
    client, chain, admin, phone, levels, settings, books
):
    pass_id = await sold(client, chain, admin, phone, WASHES | {"level": "gold", "level_months": 12})
    level = (await phone.call("GET", "/v1/member/profile")).json()["level"]["code"]
    (given,) = (await admin.get(f"/v1/admin/members/{phone.member_id}/level")).json()["grants"]

    assert (await admin.post(f"/v1/admin/passes/{pass_id}/refund", {"reason": "x"}, key="back")).status_code == 200
    await outbox.drain()
    after = (await phone.call("GET", "/v1/member/profile")).json()["level"]["code"]

    assert (level, after) == ("gold", "silver")  # which the purchase itself had reached
    assert (given["level"], given["source"]) == ("gold", "bought")
    nowhere, open_end = {"level": "none", "level_months": 1}, {"level": "gold"}
    for terms, pointer in ((nowhere, "/terms/level"), (open_end, "/terms/level_months")):
        refused = await admin.post(PRODUCTS, {"sku": "K-LEVEL", "title": "x", "terms": WASHES | terms})
        assert refused.json()["errors"][0]["pointer"].endswith(pointer)
