"""Levels under rules: reached at once, taken back with their sale, kept or lost at the end of their period."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest

from backend.kernel import clock as kernel_clock
from backend.kernel import db, outbox
from backend.ledger.events import SaleCompleted, SaleRefunded
from backend.lifecycle import handlers, queries, service
from backend.lifecycle.commands import clockwork, runs
from backend.lifecycle.types import Source
from backend.members import queries as members
from tests.support.books import fingerprint
from tests.support.coupons import log_in_again
from tests.support.levels import (
    GOLD,
    RULES,
    SILVER,
    buy,
    give_back,
    history,
    level_of,
    levels,  # noqa: F401 - a fixture
    no_other_rules,  # noqa: F401 - a fixture
    put_rules,
    rows,
)
from tests.support.members import register
from tests.support.races import codes_of
from tests.support.staff import log_in

pytestmark = pytest.mark.usefixtures("levels", "no_other_rules")


async def letters_of(phone) -> list[str]:
    items = (await phone.call("GET", "/v1/member/inbox")).json()["items"]
    return [one["title"] for one in items]


async def settle() -> None:
    """What the clock asks for, on the day that it shows now."""
    await runs.start_due()
    while await runs.go_on():
        pass
    await outbox.drain()


async def test_a_sale_reaches_a_level_and_its_return_takes_it_back(client, chain, admin, phone, books):
    await put_rules(admin, silver=SILVER, gold=GOLD)
    first = await buy(client, chain.till, phone, 12_000)
    silver = (await phone.call("GET", "/v1/member/level")).json()
    second = await buy(client, chain.till, phone, 40_000)
    reached = await level_of(phone)

    await give_back(client, chain.till, first, 12_000)
    other = await level_of(phone)
    await give_back(client, chain.till, second, 5_000)

    today = kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")
    assert (silver["level"]["code"], silver["since"]) == ("silver", today.isoformat())
    assert silver["keep"]["criteria"] == [{"metric": "spend_fen", "wanted": 10_000, "have": 0, "missing": 10_000}]
    (gold,) = silver["next"]
    assert (gold["level"], gold["criteria"][0]["missing"]) == ("gold", 38_000)
    assert (reached, other, await level_of(phone)) == ("gold", "gold", "silver")
    assert await history(phone) == [
        ("promoted", "basic", "silver"),
        ("promoted", "silver", "gold"),
        ("taken_back", "gold", "silver"),
    ]
    assert await letters_of(phone) == ["您的等级变为银卡", "恭喜升级为金卡", "恭喜升级为银卡"]


async def test_who_goes_back_over_two_levels_and_up_one_again_is_told_why(client, chain, admin, phone, books):
    await put_rules(admin, silver=SILVER, gold=GOLD)

    await give_back(client, chain.till, await buy(client, chain.till, phone, 52_000), 30_000)

    (lost, _) = (await phone.call("GET", "/v1/member/inbox")).json()["items"]
    assert await history(phone) == [
        ("promoted", "basic", "gold"),
        ("taken_back", "gold", "basic"),
        ("promoted", "basic", "silver"),
    ]
    assert (lost["title"], "带来升级的消费已退货。" in lost["body"]) == ("您的等级变为银卡", True)


async def test_facts_told_late_twice_and_out_of_order_come_to_the_same(client, chain, admin, phone, books):
    await put_rules(admin, silver=SILVER, gold=GOLD)
    in_order = await register(client)
    await give_back(client, chain.till, await buy(client, chain.till, in_order, 12_000), 4_000)
    (code,) = await codes_of(phone, 1)
    sale_id = (await chain.till.sell(client, code, fen=12_000, tenders=[{"type": "cash"}])).json()["id"]
    body = {"amount_fen": 4_000, "reason": "x"}
    refund_id = (await chain.till.post(client, f"/v1/pos/sales/{sale_id}/refunds", body)).json()["id"]
    refund = SaleRefunded(member_id=phone.member_id, sale_id=sale_id, refund_id=refund_id, refund_fen=4_000)
    sale = SaleCompleted(member_id=phone.member_id, sale_id=sale_id, store_id="S1", payable_fen=12_000)

    for event in (refund, sale, refund, sale):
        async with db.transaction() as tx:
            for handler in (handlers.grow,) if isinstance(event, SaleCompleted) else (handlers.shrink,):
                await handler(event, tx)  # type: ignore[arg-type]
    await outbox.drain()

    assert (await members.get_member(phone.member_id)).growth_fen == 8_000
    assert await level_of(phone) == await level_of(in_order) == "basic"
    assert (
        await history(phone)
        == await history(in_order)
        == [
            ("promoted", "basic", "silver"),
            ("taken_back", "silver", "basic"),
        ]
    )


async def test_a_level_that_is_not_kept_is_lost_after_the_grace_and_its_member_was_warned(
    client, chain, admin, phone, books, clock
):
    await put_rules(admin, silver=SILVER, gold=GOLD)
    await buy(client, chain.till, phone, 50_000)
    until = kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")

    clock.shift(timedelta(days=340))
    await log_in_again(phone)
    await buy(client, chain.till, phone, 31_580)  # 5 % off: ¥300.01
    warned = await clockwork.warn_of_ending()
    again = await clockwork.warn_of_ending()
    clock.shift(timedelta(days=31))
    await settle()
    in_grace = (await members.get_member(phone.member_id)).level.code
    clock.shift(timedelta(days=2))
    await settle()
    await log_in_again(phone)

    assert (warned, again, in_grace) == (1, 0, "gold")
    shown = (await phone.call("GET", "/v1/member/level")).json()
    assert (shown["level"]["code"], shown["since"]) == ("silver", (until + timedelta(days=372)).isoformat())
    assert await history(phone) == [("promoted", "basic", "gold"), ("fell", "gold", "silver")]
    assert (await letters_of(phone))[:2] == ["您的等级变为银卡", "金卡即将到期"]
    letters = (await phone.call("GET", "/v1/member/inbox")).json()["items"]
    assert "再消费 ¥99.99，即可续保" in letters[1]["body"]


async def test_a_level_that_was_given_holds_to_its_day_and_never_lowers(client, chain, admin, phone, books, clock):
    await put_rules(admin, silver=SILVER, gold=GOLD)
    await buy(client, chain.till, phone, 12_000)
    today = kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")
    path, key = f"/v1/admin/members/{phone.member_id}/level-grants", uuid.uuid4().hex
    body = {"level": "gold", "reason": "周年庆贵宾", "until": (today + timedelta(days=10)).isoformat()}

    made = await admin.post(path, body, key=key)
    again = await admin.post(path, body, key=key)
    other = await admin.post(path, body | {"reason": "别的"}, key=key)
    lower = await admin.post(path, body | {"level": "basic"}, key=uuid.uuid4().hex)
    given = (await phone.call("GET", "/v1/member/level")).json()
    for_staff = (await admin.get(f"/v1/admin/members/{phone.member_id}/level")).json()
    clock.shift(timedelta(days=11))
    await settle()

    assert (made.status_code, again.json()["id"], lower.status_code) == (201, made.json()["id"], 201)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert (given["level"]["code"], given["granted"], given["granted_until"]) == ("gold", True, body["until"])
    assert [one["reason"] for one in for_staff["grants"]] == ["周年庆贵宾"] * 2
    assert (await members.get_member(phone.member_id)).level.code == "silver"
    why = [
        (one.why.value, one.level, one.note)
        for one in await queries.list_history(phone.member_id, before=None, limit=9)
    ]
    assert why == [
        ("grant_ended", "silver", None),
        ("granted", "gold", "周年庆贵宾"),
        ("granted", "gold", "周年庆贵宾"),
        ("promoted", "silver", None),
    ]


async def test_a_grant_that_is_taken_back_ends_at_once_and_once(admin, phone, books):
    path = f"/v1/admin/members/{phone.member_id}/level-grants"
    made = (await admin.post(path, {"level": "gold", "reason": "x"}, key=uuid.uuid4().hex)).json()
    given = await level_of(phone)

    answers = await asyncio.gather(*(admin.post(f"{path}/{made['id']}/end", {"reason": "发错了"}) for _ in range(3)))

    assert given == "gold"
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "level_grant_ended"}
    assert await level_of(phone) == "basic"


async def test_a_campaign_gives_a_level_once_for_each_key(phone, books):
    for _ in range(2):
        async with db.transaction() as tx:
            await service.grant(
                tx, phone.member_id, "silver", source=Source.CAMPAIGN, reason="双十一", until=None, key="c/1"
            )

    assert await level_of(phone) == "silver"
    assert len(await queries.list_grants(phone.member_id)) == 1


async def test_an_offline_purchase_counts_from_when_it_was_made_at_what_was_paid(client, chain, admin, phone, books):
    await put_rules(admin, silver=SILVER | {"reach": {"purchases": 2}}, gold=GOLD)
    await buy(client, chain.till, phone, 100)
    at = (kernel_clock.now() - timedelta(days=3)).isoformat()
    number = (await phone.call("GET", "/v1/member/profile")).json()["member_no"]
    body = {
        "member_no": number,
        "order_no": uuid.uuid4().hex[:12],
        "total_fen": 500,
        "lines": [{"sku": "X", "qty": 1, "unit_price_fen": 500, "discount_fen": 80}],
        "occurred_at": at,
    }

    answer = await chain.till.post(client, "/v1/pos/accruals", body)
    await outbox.drain()

    assert answer.status_code == 201, answer.text
    rows = await db.fetch(
        "SELECT kind, spent_fen, at < now() - interval '2 days' AS before FROM lifecycle_purchase"
        " WHERE member_id = $1 ORDER BY at",
        phone.member_id,
    )
    assert [tuple(row) for row in rows] == [("accrual", 420, True), ("sale", 100, False)]
    assert await level_of(phone) == "silver"
    assert (await members.get_member(phone.member_id)).growth_fen == 100


async def test_rules_are_refused_with_row_and_field_and_nothing_moves(admin, settings, client):
    bad: list[tuple[dict[str, object], str]] = [
        ({"level": "nobody"} | SILVER, "level"),
        ({"level": "basic"} | SILVER, "level"),
        ({"level": "gold"}, "level"),
        ({"reach": {}}, "reach"),
        ({"keep": {"points": 3}}, "period"),
        ({"reach": {"spend_fen": 0}}, "reach/spend_fen"),
        (SILVER | {"window": {"kind": "months", "months": 37}}, "window/months"),
        (SILVER | {"period": {"kind": "months", "months": 0}}, "period/months"),
        (SILVER | {"nonsense": 1}, "nonsense"),
    ]
    gold = {"level": "gold"} | GOLD
    before = await fingerprint(settings)

    answers = await asyncio.gather(
        *(admin.call("PUT", RULES, {"version": 0, "rules": [gold, {"level": "silver"} | one]}) for one, _ in bad)
    )
    stale = await admin.call("PUT", RULES, {"version": 7, "rules": []})

    assert [answer.status_code for answer in answers] == [422] * len(bad)
    assert [answer.json()["errors"][0]["pointer"] for answer in answers] == [f"/rules/1/{field}" for _, field in bad]
    assert (stale.status_code, stale.json()["code"]) == (409, "level_rules_changed")
    assert await fingerprint(settings) == before


async def test_two_who_change_the_rules_at_once_do_not_overwrite_each_other(admin):
    answers = await asyncio.gather(
        *(admin.call("PUT", RULES, {"version": 0, "rules": rows({"gold": GOLD})}) for _ in range(4))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


async def test_a_preview_says_who_would_move_and_moves_nobody(client, chain, admin, phone, books):
    await buy(client, chain.till, phone, 9_000)
    before = await history(phone)

    easier = rows({"silver": SILVER | {"reach": {"spend_fen": 9_000}}})

    asked = (await admin.post(f"{RULES}/preview", {"rules": easier})).json()
    while await runs.go_on():
        pass
    run = (await admin.get(f"/v1/admin/level-runs/{asked['id']}")).json()

    assert (run["kind"], run["state"], run["done"]) == ("preview", "done", run["total"])
    assert (run["changed"], run["moves"]) == (1, {"basic": {"silver": 1}})
    assert (await level_of(phone), await history(phone)) == ("basic", before)


async def test_a_run_goes_on_where_it_was_cut_short_and_can_be_cancelled(client, admin, monkeypatch, books):
    phones = [await register(client) for _ in range(5)]
    monkeypatch.setattr(runs, "AT_ONCE", 2)
    first = (await admin.post(f"{RULES}/preview", {"rules": []})).json()
    await runs._step()  # and the process dies
    half = (await admin.get(f"/v1/admin/level-runs/{first['id']}")).json()
    while await runs.go_on():
        pass
    whole = (await admin.get(f"/v1/admin/level-runs/{first['id']}")).json()

    second = (await admin.post(f"{RULES}/preview", {"rules": []})).json()
    await runs._step()
    cancelled = await admin.post(f"/v1/admin/level-runs/{second['id']}/cancel")
    again = await admin.post(f"/v1/admin/level-runs/{second['id']}/cancel")
    left = await runs.go_on()

    broken, fine = [(await admin.post(f"{RULES}/preview", {"rules": []})).json()["id"] for _ in range(2)]
    real = runs._look

    async def raises(tx, run, member_ids):
        if run["id"] == broken:
            raise ValueError
        return await real(tx, run, member_ids)

    monkeypatch.setattr(runs, "_look", raises)
    with pytest.raises(runs.StepRaised):
        await runs.go_on()
    states = [(await admin.get(f"/v1/admin/level-runs/{one}")).json()["state"] for one in (broken, fine)]
    monkeypatch.setattr(runs, "_look", real)
    while await runs.go_on():
        pass

    assert states == ["running", "done"], "one that raises stops no other"
    assert (await admin.get(f"/v1/admin/level-runs/{broken}")).json()["state"] == "done"
    assert len(phones) <= whole["total"] == whole["done"]
    assert (half["done"], half["state"], whole["state"]) == (2, "running", "done")
    assert (cancelled.json()["state"], cancelled.json()["done"]) == ("cancelled", 2)
    assert (again.status_code, again.json()["code"], left) == (409, "level_run_ended", False)


async def test_what_a_store_may_not_see_is_not_found(client, chain, admin, phone):
    other = await log_in(client, chain, "manager-S2")
    path = f"/v1/admin/members/{phone.member_id}"
    await db.pool().execute("UPDATE member SET store_id = 'S1' WHERE id = $1", phone.member_id)

    answers = [
        await other.get(f"{path}/level"),
        await other.get(f"{path}/level-history"),
        await other.post(f"{path}/level-grants", {"level": "gold", "reason": "x"}, key="k"),
        await other.post(f"{path}/level-grants/LG1/end", {"reason": "x"}),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert await level_of(phone) == "basic"


async def test_events_and_looks_at_the_same_moment_tell_one_story(client, chain, admin, phone, books):
    await put_rules(admin, silver=SILVER, gold=GOLD)
    sales = []
    for code in await codes_of(phone, 4):
        answer = await chain.till.sell(client, code, fen=4_000, tenders=[{"type": "cash"}])
        sales.append(answer.json()["id"])

    async def handle(sale_id: str) -> None:
        sale = SaleCompleted(member_id=phone.member_id, sale_id=sale_id, store_id="S1", payable_fen=4_000)
        async with db.transaction() as tx:
            await handlers.grow(sale, tx)

    async def look() -> None:
        async with db.transaction() as tx:
            await service.look(tx, [phone.member_id])

    await asyncio.gather(
        *(asyncio.create_task(handle(one)) for one in (*sales, *sales)),
        *(asyncio.create_task(look()) for _ in range(4)),
    )
    await outbox.drain()

    assert (await members.get_member(phone.member_id)).growth_fen == 16_000
    assert await history(phone) == [("promoted", "basic", "silver")]
    standing = await queries.find_standing(phone.member_id)
    assert standing is not None
    in_order = await db.fetch(
        "SELECT sale_id FROM lifecycle_purchase WHERE member_id = $1 ORDER BY at, sale_id", phone.member_id
    )
    assert standing.sale_id == in_order[2]["sale_id"]
