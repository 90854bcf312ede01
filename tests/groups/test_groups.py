"""Groups and key accounts: what people have while they belong, and what they spend together."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest

from backend.groups import rules
from backend.groups.commands import spending
from backend.groups.types import Group, GroupRule, GroupState, KeyAccount
from backend.kernel import clock as kernel_clock
from backend.kernel import db, outbox
from tests.support.books import fingerprint
from tests.support.coupons import log_in_again
from tests.support.levels import (
    GOLD,
    SILVER,
    buy,
    give_back,
    level_of,
    levels,  # noqa: F401 - a fixture
    no_other_rules,  # noqa: F401 - a fixture
    put_rules,
)
from tests.support.members import register
from tests.support.races import codes_of, outcomes
from tests.support.staff import log_in

pytestmark = pytest.mark.usefixtures("levels", "no_other_rules")

GROUPS = "/v1/admin/groups"


async def make_group(admin, **fields) -> dict:
    body = {"number": uuid.uuid4().hex[:12], "name": "远航科技", "contact": "行政部"} | fields
    made = await admin.post(GROUPS, body)
    assert made.status_code == 201, made.text
    return made.json()


async def add(admin, group, phone, role="member"):
    number = (await phone.call("GET", "/v1/member/profile")).json()["member_no"]
    return await admin.post(f"{GROUPS}/{group['id']}/members", {"member_no": number, "role": role})


async def payable(client, till, phone, fen=10_000) -> int:
    (code,) = await codes_of(phone, 1)
    body = {"code": code, "order_no": uuid.uuid4().hex[:12], "lines": [{"sku": "x", "qty": 1, "unit_price_fen": fen}]}
    answer = await till.post(client, "/v1/pos/quotes", body)
    assert answer.status_code == 200, answer.text
    return answer.json()["payable_fen"]


async def test_who_belongs_has_the_level_and_discount_and_who_leaves_has_their_own(client, chain, admin, phone, books):
    group = await make_group(admin, level="gold", discount_bp=800)
    before = await payable(client, chain.till, phone)
    person = (await add(admin, group, phone)).json()
    inside, price = await level_of(phone), await payable(client, chain.till, phone)
    mine = (await phone.call("GET", "/v1/member/group")).json()["group"]
    shown = (await phone.call("GET", "/v1/member/level")).json()
    left = await phone.call("POST", "/v1/member/group/leave")
    again = await admin.post(f"{GROUPS}/{group['id']}/members/{person['id']}/remove")

    assert (before, inside, price) == (10_000, "gold", 9_200)
    assert (mine["name"], mine["role"], mine["level_name"], mine["people"]) == ("远航科技", "member", "金卡", [])
    assert (shown["own_level"]["code"], shown["lent"]) == ("basic", True)
    assert (left.status_code, again.status_code) == (204, 404)
    assert (await level_of(phone), await payable(client, chain.till, phone)) == ("basic", 10_000)
    assert (await phone.call("GET", "/v1/member/group")).json() == {"group": None}


async def test_the_own_level_goes_on_beneath_what_is_lent(client, chain, admin, phone, books):
    await put_rules(admin, silver=SILVER, gold=GOLD)
    group = await make_group(admin, level="gold")
    await add(admin, group, phone)
    await buy(client, chain.till, phone, 20_000)
    inside = (await phone.call("GET", "/v1/member/level")).json()

    await admin.post(f"{GROUPS}/{group['id']}/close")

    assert (inside["level"]["code"], inside["own_level"]["code"]) == ("gold", "silver")
    assert await level_of(phone) == "silver"
    await admin.post(f"{GROUPS}/{group['id']}/reopen")
    assert await level_of(phone) == "gold"


async def test_changed_terms_hold_for_all_people_at_once_and_stale_ones_are_refused(client, admin, books):
    group = await make_group(admin)
    phones = [await register(client) for _ in range(3)]
    for one in phones:
        assert (await add(admin, group, one)).status_code == 201
    terms = {name: group[name] for name in ("number", "name", "contact", "member_limit")}

    changed = await admin.call("PUT", f"{GROUPS}/{group['id']}", terms | {"version": 1, "level": "silver"})
    stale = await admin.call("PUT", f"{GROUPS}/{group['id']}", terms | {"version": 1, "level": "gold"})
    narrow = await admin.call("PUT", f"{GROUPS}/{group['id']}", terms | {"version": 2, "member_limit": 2})

    assert changed.json()["lends_level"] == "silver"
    assert (stale.status_code, stale.json()["code"]) == (409, "group_conflict")
    assert (narrow.status_code, narrow.json()["errors"][0]["pointer"]) == (422, "/member_limit")
    assert [await level_of(one) for one in phones] == ["silver"] * 3
    actions = [one["action"] for one in (await admin.get(f"{GROUPS}/{group['id']}/changes")).json()["items"]]
    assert actions == ["change", "add", "add", "add", "create"]


async def test_an_invitation_is_good_for_as_many_as_it_says_also_at_once(client, admin, phone, clock, books):
    group = await make_group(admin, member_limit=4)
    await add(admin, group, phone, "owner")
    others = [await register(client) for _ in range(4)]
    code = (await phone.call("POST", "/v1/member/group/invitations", {"uses": 2})).json()["code"]

    answers = await asyncio.gather(*(one.call("POST", "/v1/member/group/join", {"code": code}) for one in others))
    mine = (await phone.call("GET", "/v1/member/group")).json()["group"]

    assert outcomes(answers) == {200: 2, "group_invitation_invalid": 2}
    assert (mine["members"], len(mine["people"])) == (3, 3)
    code = (await phone.call("POST", "/v1/member/group/invitations", {"uses": 9, "days": 1})).json()["code"]
    late = [one for one, answer in zip(others, answers, strict=True) if answer.status_code != 200]
    full = await asyncio.gather(*(one.call("POST", "/v1/member/group/join", {"code": code}) for one in late))
    assert outcomes(full) == {200: 1, "group_full": 1}
    clock.shift(timedelta(days=2))
    await log_in_again(late[0])
    over = await late[0].call("POST", "/v1/member/group/join", {"code": code})
    assert over.json()["code"] == "group_invitation_invalid"


async def test_who_may_do_what_in_a_group_and_refusals_move_nothing(client, admin, phone, settings, books):
    group, other = await make_group(admin), await make_group(admin)
    manager, plain, stranger = [await register(client) for _ in range(3)]
    ids = {
        name: (await add(admin, group, one, role)).json()["id"]
        for name, one, role in (("owner", phone, "owner"), ("manager", manager, "manager"), ("member", plain, "member"))
    }
    base = "/v1/member/group"
    before = await fingerprint(settings)

    answers = await asyncio.gather(
        plain.call("POST", f"{base}/invitations", {}),
        plain.call("POST", f"{base}/members/{ids['manager']}/remove"),
        manager.call("POST", f"{base}/members/{ids['owner']}/remove"),
        manager.call("PUT", f"{base}/members/{ids['member']}/role", {"role": "manager"}),
        phone.call("POST", f"{base}/leave"),
        phone.call("POST", f"{base}/members/GMNONE/remove"),
        stranger.call("POST", f"{base}/invitations", {}),
        stranger.call("POST", f"{base}/join", {"code": "0" * 16}),
        add(admin, other, plain),
        add(admin, group, stranger, "owner"),
        admin.post(GROUPS, {"number": group["number"], "name": "另一个"}),
        admin.post(GROUPS, {"number": "Q1", "name": "x", "rules": [{"level": "none", "spend_fen": 1}]}),
        admin.post(f"{GROUPS}/{group['id']}/members", {"member_no": "1" * 12}),
    )

    assert [answer.json().get("code") for answer in answers] == [
        *("forbidden", "forbidden", "forbidden", "forbidden", "group_owner", "not_found", "not_found"),
        *("group_invitation_invalid", "group_member_taken", "group_owner", "already_exists"),
        *("validation_failed", "validation_failed"),
    ]
    assert answers[11].json()["errors"][0]["pointer"] == "/rules/0/level"
    assert await fingerprint(settings) == before
    handed = await phone.call("PUT", f"{base}/members/{ids['manager']}/role", {"role": "owner"})
    assert handed.status_code == 204
    assert (await phone.call("GET", base)).json()["group"]["role"] == "manager"
    assert (await manager.call("GET", base)).json()["group"]["role"] == "owner"


async def test_what_is_spent_together_reaches_a_level_and_stands_in_the_statement(client, chain, admin, phone, books):
    rule = {"level": "gold", "spend_fen": 30_000}
    group = await make_group(admin, rules=[rule])
    other, outsider = await register(client), await register(client)
    await buy(client, chain.till, other, 5_000)  # before
    for one in (phone, other):
        await add(admin, group, one)
    await buy(client, chain.till, phone, 20_000)
    await spending.settle_levels()
    below = await level_of(other)
    sale = await buy(client, chain.till, other, 9_000)
    await give_back(client, chain.till, sale, 1_000)
    await buy(client, chain.till, other, 2_040)  # silver by growth: 2 % off
    await buy(client, chain.till, outsider, 50_000)
    await spending.settle_levels()

    today = kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")
    path = f"{GROUPS}/{group['id']}/statement"
    found = (await admin.get(f"{path}?from={today}&to={today}")).json()
    table = await admin.get(f"{path}/file?from={today}&to={today}")

    assert below == "basic"
    assert (await level_of(phone), await level_of(other)) == ("gold", "gold")
    assert [(one["purchases"], one["spent_fen"], one["back_fen"], one["net_fen"]) for one in found["items"]] == [
        (1, 20_000, 0, 20_000),
        (2, 11_000, 1_000, 10_000),
    ]
    assert found["total"]["net_fen"] == 30_000
    assert table.text.splitlines()[-1] == ",合计,3,31000,1000,30000"
    shown = (await admin.get(f"{GROUPS}/{group['id']}")).json()
    assert (shown["earned_level"], shown["spent_fen"], shown["members"]) == ("gold", 30_000, 2)


async def test_a_key_account_has_a_least_discount_and_a_level_that_is_held(client, chain, admin, phone, books):
    await put_rules(admin, silver=SILVER, gold=GOLD)
    staff_id = (await db.fetchval("SELECT id FROM auth_staff WHERE username = 'admin'"),)[0]
    path = f"/v1/admin/members/{phone.member_id}/key-account"
    body = {"staff_id": str(staff_id), "discount_bp": 1_200, "level_locked": True, "note": "集团客户"}

    made = await admin.call("PUT", path, body)
    await buy(client, chain.till, phone, 50_000)
    locked, price = await level_of(phone), await payable(client, chain.till, phone)
    listed = (await admin.get("/v1/admin/key-accounts")).json()["items"]
    ended = await admin.post(f"{path}/end")
    await outbox.drain()

    assert made.status_code == 200, made.text
    assert (locked, price) == ("basic", 8_800)
    assert [one["member_id"] for one in listed] == [str(phone.member_id)]
    assert (ended.status_code, (await admin.post(f"{path}/end")).status_code) == (204, 404)
    assert await level_of(phone) == "silver"  # 12 % off: ¥440
    nobody = await admin.call("PUT", path, body | {"staff_id": "12345"})
    assert (nobody.status_code, nobody.json()["errors"][0]["pointer"]) == (422, "/staff_id")


async def test_another_stores_group_and_member_are_not_found(client, chain, admin, phone):
    group = await make_group(admin, store_id="S1")
    await db.pool().execute("UPDATE member SET store_id = 'S1' WHERE id = $1", phone.member_id)
    other = await log_in(client, chain, "manager-S2")

    answers = [await other.get(f"{GROUPS}/{group['id']}{more}") for more in ("", "/members", "/changes")] + [
        await other.get(f"/v1/admin/members/{phone.member_id}/key-account")
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert (await other.get(GROUPS)).json()["items"] == []


def _group(**fields) -> Group:
    base: dict[str, Any] = {**dict.fromkeys(("id", "number", "name", "contact", "note"), "")}
    base |= {"store_id": None, "level": None}
    base |= {"discount_bp": None, "member_limit": 9, "months": 12, "rules": (), "earned_level": None}
    base |= {"earned_until": None, "version": 1, "created_at": kernel_clock.now(), "state": GroupState.OPEN}
    return Group(**(base | fields))


def test_what_a_group_lends_is_the_better_of_agreed_and_earned_and_nothing_when_closed():
    ranks = {"basic": 0, "silver": 1, "gold": 2}
    key = KeyAccount(member_id=1, staff_id=1, discount_bp=300, level_locked=False, note="", since=kernel_clock.now())

    assert rules.lends(_group(level="silver", earned_level="gold"), ranks) == "gold"
    assert rules.lends(_group(level="gold", state=GroupState.CLOSED), ranks) is None
    assert rules.discount_of(_group(discount_bp=200), key) == 300
    assert rules.discount_of(_group(discount_bp=900, state=GroupState.CLOSED), None) is None


def test_a_group_rises_at_once_and_falls_when_its_time_is_over():
    ranks, today = {"basic": 0, "silver": 1, "gold": 2}, kernel_clock.local_date(kernel_clock.now(), "UTC")
    until = today + timedelta(days=364)
    terms = (GroupRule("silver", 100), GroupRule("gold", 500))
    held = _group(rules=terms, earned_level="gold", earned_until=today)
    over = _group(rules=terms, earned_level="gold", earned_until=today - timedelta(days=1))

    assert rules.earns(_group(rules=terms), 100, ranks, today, until) == ("silver", until)
    assert rules.earns(held, 100, ranks, today, until) == ("gold", today)
    assert rules.earns(over, 100, ranks, today, until) == ("silver", until)
    assert rules.earns(over, 99, ranks, today, until) == (None, None)


async def test_what_was_bought_offline_counts_for_whoever_the_buyer_belonged_to_then(
    client, chain, admin, phone, books
):
    group = await make_group(admin)
    await add(admin, group, phone)
    number = (await phone.call("GET", "/v1/member/profile")).json()["member_no"]
    for fen, ago in ((700, timedelta(days=2)), (500, timedelta())):
        body = {
            "member_no": number,
            "order_no": uuid.uuid4().hex[:12],
            "total_fen": fen,
            "lines": [{"sku": "X", "qty": 1, "unit_price_fen": fen}],
            "occurred_at": (kernel_clock.now() - ago).isoformat(),
        }
        assert (await chain.till.post(client, "/v1/pos/accruals", body)).status_code == 201
    await outbox.drain()

    assert (await admin.get(f"{GROUPS}/{group['id']}")).json()["spent_fen"] == 500
