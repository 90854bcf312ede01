"""Rules at the till: what a sale earns, what its quote says, what refunds take back, and what waits for the phone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.kernel import clock as time
from backend.kernel import db
from backend.ledger import queries as ledger
from backend.ledger.errors import GuardRefused
from backend.points import queries
from backend.points.plans import CAP
from backend.pos.commands import confirmations
from tests.support.books import fingerprint
from tests.support.value import give

RULES = "/v1/admin/points-rules"
SPRING = {"kind": "base", "title": "饮料三倍", "terms": {"condition": {"categories": ["drinks"]}, "rate_bp": 30_000}}
DOUBLE = {"kind": "promotion", "title": "双倍日", "terms": {"times_bp": 20_000}}
LINES = [{"sku": "6901", "qty": 1, "unit_price_fen": 1_000}, {"sku": "x", "qty": 2, "unit_price_fen": 500}]
CASH = [{"type": "cash"}]

pytestmark = pytest.mark.usefixtures("books")


async def make(admin, body, *, active=True):
    made = await admin.post(RULES, body)
    assert made.status_code == 201, made.text
    rule = made.json()
    if active:
        rule = (await admin.post(f"{RULES}/{rule['id']}/activate")).json()
        assert rule["state"] == "active"
    return rule


async def sell(client, chain, phone, lines=None, **more):
    answer = await chain.till.sell(client, phone.code(), lines=lines or LINES, tenders=CASH, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def refund(client, chain, sale, *lines):
    body = {"reason": "test", "lines": [{"line_no": number, "qty": qty} for number, qty in lines]}
    answer = await chain.till.post(client, f"/v1/pos/sales/{sale['id']}/refunds", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def document(phone, sale):
    found = await ledger.find_document(phone.member_id, sale["id"])
    assert found is not None
    return found


async def test_a_sale_earns_by_the_best_rule_and_its_document_says_by_which(client, chain, admin, phone):
    base, double = await make(admin, SPRING), await make(admin, DOUBLE)

    quote = (await chain.till.post(client, "/v1/pos/quotes", {"code": phone.code(), "lines": LINES})).json()
    sale = await sell(client, chain, phone)

    assert sale["points_earned"] == quote["points_earned"] == 80
    assert [(line["points"], line["base"]["title"], line["base"]["points"]) for line in quote["earned"]] == [
        (60, "饮料三倍", 30),
        (20, "基础积分", 10),
    ]
    assert quote["earned"][0]["promotions"] == [{"id": double["id"], "version": 1, "title": "双倍日", "points": 30}]
    extras = [{"rule": f"{double['id']}/1", "points": 30}], [{"rule": f"{double['id']}/1", "points": 10}]
    assert (await document(phone, sale)).body["earned_by"] == [
        {"line_no": 1, "points": 60, "rule": f"{base['id']}/1", "extras": extras[0]},
        {"line_no": 2, "points": 20, "extras": extras[1]},
    ]


async def test_a_sale_without_rules_keeps_nothing_of_them(client, chain, phone):
    sale = await sell(client, chain, phone)

    assert sale["points_earned"] == 20
    assert "earned_by" not in (await document(phone, sale)).body


async def test_a_refund_takes_back_what_its_lines_earned(client, chain, admin, phone):
    await make(admin, SPRING)
    sale = await sell(client, chain, phone)

    first = await refund(client, chain, sale, (1, 1))
    second = await refund(client, chain, sale, (2, 1))
    third = await refund(client, chain, sale, (2, 1))

    assert sale["points_earned"] == 40
    assert [part["points_clawed_back"] for part in (first, second, third)] == [30, 5, 5]
    assert (await phone.wallet())["points"]["available"] == 0


async def test_of_too_many_versions_the_living_ones_are_kept_in_mind(chain, admin, monkeypatch):
    first = await make(admin, SPRING)
    second = await make(admin, SPRING | {"title": "又一条"})
    for rate_bp in (40_000, 50_000, 60_000):
        await admin.call("PUT", f"{RULES}/{first['id']}", SPRING | {"terms": {"rate_bp": rate_bp}})
    monkeypatch.setattr(queries, "MOST_VERSIONS", 2)
    monkeypatch.setattr(queries, "_last", None)
    queries.forget_rules()

    known = await queries.rules()

    monkeypatch.setattr(queries, "_last", None)
    assert [(rule.id, rule.version) for rule in known if rule.until_at is None][-2:] == [
        (first["id"], 4),
        (second["id"], 1),
    ]


async def test_a_change_is_a_new_version_and_what_was_sold_before_keeps_its_own(client, chain, admin, phone, clock):
    rule = await make(admin, SPRING)
    before = await sell(client, chain, phone)
    clock.shift(timedelta(seconds=15))

    changed = await admin.call("PUT", f"{RULES}/{rule['id']}", SPRING | {"terms": {"rate_bp": 50_000}})
    after = await sell(client, chain, phone)
    clock.shift(timedelta(seconds=15))
    await admin.post(f"{RULES}/{rule['id']}/pause")
    paused = await sell(client, chain, phone)

    assert changed.json()["version"] == 2
    assert [sale["points_earned"] for sale in (before, after, paused)] == [40, 100, 20]
    assert (await document(phone, before)).body["earned_by"][0]["rule"] == f"{rule['id']}/1"
    versions = (await admin.get(f"{RULES}/{rule['id']}/versions")).json()["items"]
    assert [(one["version"], one["until_at"] is None) for one in versions] == [(2, False), (1, False)]
    actions = [one["action"] for one in (await admin.get(f"{RULES}/{rule['id']}/changes")).json()["items"]]
    assert actions == ["pause", "change", "activate", "create"]


async def test_the_most_of_a_day_holds_over_several_sales(client, chain, admin, phone, clock):
    await make(admin, DOUBLE | {"terms": {"times_bp": 20_000, "day_cap": 30}})

    earned = []
    for _ in range(3):
        earned.append((await sell(client, chain, phone))["points_earned"])
        clock.shift(timedelta(seconds=15))

    assert earned == [40, 30, 20]


async def test_an_offline_sale_is_judged_by_the_rules_of_its_time(client, chain, admin, phone, clock):
    rule = await make(admin, DOUBLE)
    clock.shift(timedelta(minutes=1))
    happened = time.now()
    clock.shift(timedelta(minutes=1))
    await admin.post(f"{RULES}/{rule['id']}/end")
    clock.shift(timedelta(days=3))

    def accrual(number, at):
        body = {"member_no": phone.member["member_no"], "order_no": number, "total_fen": 2_000, "lines": LINES}
        return chain.till.post(client, "/v1/pos/accruals", body | {"occurred_at": at.isoformat()})

    then, now = await accrual("A-1", happened), await accrual("A-2", time.now())

    assert (then.json()["points_earned"], now.json()["points_earned"]) == (40, 20)


async def test_a_sale_that_waits_earns_by_the_rules_of_when_it_was_rung_up(client, chain, admin, phone, monkeypatch):
    """However often another sale of the day takes of a promotion's most meanwhile, as far as a sale is planned."""
    real, tries = confirmations._post, []

    async def in_between(*args, **more):
        tries.append(more)
        if len(tries) < 3:
            raise GuardRefused(CAP, "points:x")
        return await real(*args, **more)

    monkeypatch.setattr(confirmations, "_post", in_between)
    await give(phone.member_id, principal=10_000)
    rule = await make(admin, DOUBLE | {"terms": {"times_bp": 20_000, "day_cap": 1_000}})
    answer = await chain.till.sell(client, phone.code(), lines=LINES, code_entry="typed")
    sale = answer.json()
    await admin.post(f"{RULES}/{rule['id']}/end")

    done = await phone.call("POST", f"/v1/member/confirmations/{sale['id']}", {"decision": "approve"})

    assert (sale["status"], done.json().get("status")) == ("awaiting_confirmation", "completed")
    assert [one["capped"] for one in tries] == [False, True, True]
    found = await document(phone, sale)
    assert found.progress["points_earned"] == 40
    assert [line["points"] for line in found.progress["earned_by"]] == [20, 20]
    mark = f"points:{rule['id']}:{time.local_date(time.now(), 'Asia/Shanghai')}"
    assert await ledger.guard_values(phone.member_id, [mark]) == {mark: 20}
    assert (await refund(client, chain, sale, (1, 1)))["points_clawed_back"] == 20
    assert CAP == "points_cap"


async def test_a_birthday_counts_in_the_stores_day(client, chain, admin, phone, clock):
    await make(admin, DOUBLE | {"terms": {"times_bp": 20_000, "condition": {"birthday": "day"}}})
    on = time.local_date(time.now(), "Asia/Shanghai")
    await phone.call("POST", "/v1/member/profile", {"birthday": on.replace(year=1992).isoformat()})

    today = await sell(client, chain, phone)
    clock.shift(timedelta(days=1))
    tomorrow = await sell(client, chain, phone)

    assert (today["points_earned"], tomorrow["points_earned"]) == (40, 20)


async def test_what_a_rule_would_give_is_said_before_it_lives(client, chain, admin, phone):
    draft = await make(admin, SPRING, active=False)
    body = {"lines": LINES, "store_id": "S1", "draft": draft["id"]}

    by_level = (await admin.post(f"{RULES}/simulate", body)).json()
    by_member = (await admin.post(f"{RULES}/simulate", body | {"member_id": str(phone.member_id)})).json()

    assert by_level == by_member
    assert (by_level["payable_fen"], by_level["points"]) == (2_000, 40)
    assert [line["base"]["title"] for line in by_level["lines"]] == ["饮料三倍", "基础积分"]
    assert (await sell(client, chain, phone))["points_earned"] == 20


async def test_refusals_name_their_field_and_change_nothing(client, chain, admin, settings):
    living = await make(admin, DOUBLE)
    await admin.post(f"{RULES}/{living['id']}/end")
    bad = {
        "/terms/rate_bp": {"kind": "base", "title": "x", "terms": {}},
        "/terms": {"kind": "base", "title": "x", "terms": {"rate_bp": 1, "plus": 1}},
        "/terms/times_bp": {"kind": "promotion", "title": "x", "terms": {}},
        "/terms/condition/stores/0": DOUBLE | {"terms": {"plus": 1, "condition": {"stores": ["S9"]}}},
        "/terms/condition/levels/0": DOUBLE | {"terms": {"plus": 1, "condition": {"levels": ["none"]}}},
        "/terms/condition/hours/0/end": DOUBLE
        | {"terms": {"plus": 1, "condition": {"hours": [{"start": 60, "end": 60}]}}},
        "/terms/condition/last_on": DOUBLE
        | {"terms": {"plus": 1, "condition": {"first_on": "2026-12-02", "last_on": "2026-12-01"}}},
        "/terms/condition/dates/0": DOUBLE | {"terms": {"plus": 1, "condition": {"dates": ["1026-12-02"]}}},
    }
    before = await fingerprint(settings)

    answers = {pointer: await admin.post(RULES, body) for pointer, body in bad.items()}
    over = await admin.post(f"{RULES}/{living['id']}/activate")
    changed = await admin.call("PUT", f"{RULES}/{living['id']}", DOUBLE)
    unknown = await admin.post(f"{RULES}/simulate", {"lines": LINES, "store_id": "S9"})

    assert {pointer: answer.status_code for pointer, answer in answers.items()} == dict.fromkeys(bad, 422)
    for pointer, answer in answers.items():
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert [over.json()["code"], changed.json()["code"]] == ["points_rule_conflict"] * 2
    assert unknown.json()["errors"][0]["pointer"] == "/store_id"
    assert await fingerprint(settings) == before


async def test_history_of_rules_is_never_rewritten(chain, admin):
    import asyncpg

    await make(admin, DOUBLE, active=False)

    with pytest.raises(asyncpg.RestrictViolationError):
        async with db.transaction() as tx:
            await db.raw(tx).execute("DELETE FROM points_change")


async def test_a_living_rule_costs_a_sale_no_further_read(client, chain, admin, phone, clock, monkeypatch):
    await make(admin, SPRING)
    await sell(client, chain, phone)  # the rule is in mind from now on
    clock.shift(timedelta(seconds=15))
    reads: list[str] = []
    read = db._read

    async def noted(method, sql, args):
        reads.append(sql)
        return await read(method, sql, args)

    monkeypatch.setattr(db, "_read", noted)
    sale = await sell(client, chain, phone)

    assert sale["points_earned"] == 40
    assert reads
    # One number is looked at every two seconds, whoever sells what; nothing is read of the member's day.
    assert {sql for sql in reads if "FROM points_" in sql} <= {"SELECT value FROM points_epoch"}
    assert not [sql for sql in reads if "ledger_guard" in sql]
