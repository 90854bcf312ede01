"""Registrations by the chain's policy: at once, by rule, or after staff looked; a claim becomes who was there."""

from __future__ import annotations

import asyncio
import importlib
import uuid

import pytest
import pytest_asyncio

from backend.kernel import clock, db, outbox
from backend.members import service as members
from backend.members.types import NewMember, Status
from backend.registration.holdings import HOLDING
from backend.registration.queries import applications as queries
from tests.support.books import fingerprint
from tests.support.members import random_phone
from tests.support.value import give

POLICY = "/v1/admin/registration/policy"
QUEUE = "/v1/admin/registrations"
WAITING = importlib.import_module("backend.registration.migrations.0005_waiting").WAITING
RULES = [
    {"title": "虚拟号段", "when": {"phone_prefixes": ["170"]}, "outcome": "reject", "reason": "请使用本人手机号"},
    {"title": "一店", "when": {"store_ids": ["S1"]}, "outcome": "approve"},
]


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def no_other_policy(request):
    """The policy of a test is gone when it is over."""
    yield
    if "chain" in request.fixturenames:
        await db.pool().execute("DELETE FROM registration_policy")
        queries.forget_policy()


async def policy(staff, mode, rules=(), **more):
    version = (await staff.get(POLICY)).json()["version"]
    made = await staff.call("PUT", POLICY, {"version": version, "mode": mode, "rules": list(rules)} | more)
    assert made.status_code == 200, made.text
    return made.json()


class Guest:
    """Somebody logged in by WeChat."""

    def __init__(self, client, token):
        self.client, self.headers = client, {"Authorization": f"Bearer {token}"}

    async def register(self, phone=None, name="王小明", **more):
        body = {"phone_code": f"phone-{phone or random_phone()}", "name": name, "consents": ["terms", "privacy"]}
        return await self.client.post("/v1/member/register", json=body | more, headers=self.headers)

    async def get(self, path):
        return (await self.client.get(path, headers=self.headers)).json()


async def guest(client):
    login = await client.post("/v1/member/login", json={"js_code": f"demo-{uuid.uuid4().hex[:12]}"})
    return Guest(client, login.json()["access_token"])


async def known(phone, name="李建国", store_id="S1", status=Status.ACTIVE):
    async with db.transaction() as tx:
        made = await members.create_member(tx, NewMember(phone=phone, name=name, status=status, store_id=store_id))
    assert made is not None
    return made


async def number_of(member_id):
    return await db.fetchval("SELECT member_no FROM member WHERE id = $1", member_id)


async def test_rules_decide_by_themselves_and_say_why(client, chain, admin, settings):
    await policy(admin, "rules", RULES)
    bad, good, other = [await guest(client) for _ in range(3)]
    phone = f"170{random_phone()[3:]}"

    refused = await bad.register(phone)
    at_once = await good.register(store_id="S1")
    waits = await other.register(store_id="S2")
    own = await bad.get("/v1/member/registration")
    await policy(admin, "automatic")
    again = await bad.register(phone, name="王大明")

    assert (refused.status_code, refused.json().get("code"), refused.json().get("reason")) == (
        409,
        "registration_rejected",
        "请使用本人手机号",
    )
    assert (own["state"], own["reason"]) == ("rejected", "请使用本人手机号")
    assert (at_once.json()["status"], waits.json()["status"]) == ("active", "pending")
    assert (again.status_code, again.json()["name"], again.json()["status"]) == (201, "王大明", "active")
    assert (await bad.get("/v1/member/registration"))["state"] == "active"
    listed = (await admin.get(f"{QUEUE}?limit=4")).json()
    assert [one["state"] for one in listed["items"]] == ["approved", "pending", "approved", "rejected"]
    assert [one["rule"] for one in listed["items"]] == [None, None, "一店", "虚拟号段"]


async def test_staff_decide_what_waits_one_or_many_and_the_applicant_reads_why(client, chain, admin, manager):
    await policy(admin, "queue")
    guests = [await guest(client) for _ in range(4)]
    for one in guests:
        assert (await one.register(store_id="S1")).json()["status"] == "pending"
    waiting = (await manager.get(f"{QUEUE}?state=pending&limit=4")).json()
    ids = [one["id"] for one in reversed(waiting["items"])]

    silent = await manager.post(f"{QUEUE}/{ids[0]}/reject", {})
    refused = await manager.post(f"{QUEUE}/{ids[0]}/reject", {"reason": "资料不全"})
    repeated = await manager.post(f"{QUEUE}/{ids[0]}/reject", {"reason": "资料不全"})
    late = await manager.post(f"{QUEUE}/{ids[0]}/approve", {})
    race = await asyncio.gather(*(manager.post(f"{QUEUE}/{ids[1]}/approve", {}) for _ in range(3)))
    many = await manager.post(f"{QUEUE}/decide", {"application_ids": [*ids[1:], "RA0"], "approve": True})
    await outbox.drain()

    assert waiting["pending"] == 4
    assert silent.json()["errors"][0]["pointer"] == "/reason"
    assert (refused.json()["state"], repeated.status_code, late.json()["code"]) == (
        "rejected",
        200,
        "application_decided",
    )
    assert [one.status_code for one in race] == [200] * 3
    assert many.json()["results"] == dict.fromkeys(ids[1:], "approved") | {"RA0": "not_found"}
    assert (await guests[0].get("/v1/member/registration"))["reason"] == "资料不全"
    assert (await guests[2].get("/v1/member/profile"))["status"] == "active"
    registered = "SELECT count(*) FROM message_letter WHERE template = 'membership.approved'"
    assert await db.fetchval(registered) == 3


async def test_who_waits_is_not_merged_and_who_is_erased_waits_no_more(client, chain, admin):
    await policy(admin, "queue")
    somebody = await guest(client)
    waiting = (await somebody.register()).json()
    kept = await known(random_phone())
    numbers = {"source_no": waiting["member_no"], "target_no": str(await number_of(kept))}
    listed = (await admin.get(f"{QUEUE}?state=pending")).json()["pending"]

    merged = await admin.post("/v1/admin/merges", numbers | {"reason": "x"}, key=uuid.uuid4().hex)
    async with db.transaction() as tx:
        await HOLDING.erase(tx, int(waiting["id"]), clock.now())

    assert (merged.json()["code"], merged.json()["obstacles"][0]["code"]) == ("merge_blocked", "application")
    assert (await admin.get(f"{QUEUE}?state=pending")).json()["pending"] == listed - 1


async def test_who_waited_before_there_were_applications_stands_in_the_queue_once(client, chain, admin):
    member_id = await known(random_phone(), status=Status.PENDING)
    await db.pool().execute("UPDATE member SET valid_until = '2026-01-01' WHERE id = $1", member_id)

    for _ in range(2):
        await db.pool().execute(WAITING)
    (listed,) = [
        one for one in (await admin.get(f"{QUEUE}?state=pending")).json()["items"] if one["member_id"] == str(member_id)
    ]
    approved = await admin.post(f"{QUEUE}/{listed['id']}/approve", {})

    assert (listed["channel"], listed["store_id"]) == ("phone", "S1")
    assert approved.json()["state"] == "approved"
    status = await db.fetchval("SELECT status FROM member WHERE id = $1", member_id)
    assert status == "expired"  # let in, and their days are over


async def test_a_store_sees_and_decides_its_own_only(client, chain, admin, manager, settings):
    await policy(admin, "queue")
    await (await guest(client)).register(store_id="S2")
    (theirs,) = (await admin.get(f"{QUEUE}?state=pending&store_id=S2&limit=1")).json()["items"]
    before = await fingerprint(settings)

    answers = [
        await manager.get(f"{QUEUE}/{theirs['id']}"),
        await manager.post(f"{QUEUE}/{theirs['id']}/approve", {}),
        await manager.post(f"{QUEUE}/{theirs['id']}/reject", {"reason": "x"}),
        await manager.get(f"{QUEUE}?store_id=S2"),
        await manager.call("PUT", POLICY, {"version": 1, "mode": "automatic"}),
    ]
    many = await manager.post(f"{QUEUE}/decide", {"application_ids": [theirs["id"]], "approve": True})

    assert [one.status_code for one in answers] == [404, 404, 404, 422, 403]
    assert many.json()["results"] == {theirs["id"]: "not_found"}
    changed = {name for name, value in (await fingerprint(settings)).items() if before.get(name) != value}
    assert changed <= {"auth_audit"}


async def test_what_a_registration_would_get_is_worked_out_without_one(client, chain, admin, settings):
    await policy(admin, "rules", RULES)
    draft = {"version": 0, "mode": "rules", "rules": [{"title": "夜间", "when": {"hour_from": 22}, "outcome": "queue"}]}

    said = (await admin.post("/v1/admin/registration/simulate", {"phone": "13800138000", "store_id": "S1"})).json()
    by_draft = await admin.post(
        "/v1/admin/registration/simulate",
        {"phone": "13800138000", "hour": 23, "policy": draft | {"otherwise": "approve"}},
    )

    assert said == {
        "outcome": "approve",
        "rule": "一店",
        "reason": None,
        "before": [{"rule": "虚拟号段", "unmet": ["phone_prefixes"]}],
    }
    assert (by_draft.json()["outcome"], by_draft.json()["rule"]) == ("queue", "夜间")


async def test_two_who_change_the_policy_at_once_are_told(chain, admin):
    first = await policy(admin, "queue")
    bodies = [{"version": first["version"], "mode": mode} for mode in ("automatic", "queue")]

    answers = await asyncio.gather(*(admin.call("PUT", POLICY, body) for body in bodies))

    assert sorted(one.status_code for one in answers) == [200, 409]
    assert {one.json().get("code") for one in answers if one.status_code == 409} == {"policy_changed"}
    unknown = [{"title": "x", "when": {"store_ids": ["S9"]}, "outcome": "approve"}]
    body = {"version": first["version"] + 1, "mode": "rules", "rules": unknown}
    refused = await admin.call("PUT", POLICY, body)
    assert refused.json()["errors"][0]["pointer"] == "/rules/0/when/store_ids/0"


async def test_whoever_proves_the_phone_becomes_the_member_that_was_there_with_all_of_it(client, chain, admin, books):
    await policy(admin, "queue")  # who is a member already is not asked again
    phone = random_phone()
    member_id = await known(phone)
    await give(member_id, principal=5_000, points=70)
    one, two = await guest(client), await guest(client)

    answers = await asyncio.gather(one.register(phone, name="李建"), two.register(phone, name="李建"))

    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    winner = one if answers[0] is won else two
    wallet = await winner.get("/v1/member/wallet")
    own = await winner.get("/v1/member/registration")
    assert (won.status_code, won.json()["id"], won.json()["name"]) == (201, str(member_id), "李建国")
    assert (lost.status_code, lost.json()["code"]) == (409, "phone_taken")
    assert (wallet["stored"]["total_fen"], wallet["points"]["available"]) == (5_000, 70)
    assert (own["state"], own["claimed"], own["name_kept"]) == ("active", True, "李建国")
    (shown,) = (await admin.get(f"{QUEUE}?conflict=true&limit=1")).json()["items"]
    assert (shown["claimed"], shown["name"], shown["name_given"]) == (True, "李建国", "李建")
    kinds = await db.fetch("SELECT purpose FROM privacy_consent WHERE member_id = $1 ORDER BY purpose", member_id)
    assert [row["purpose"] for row in kinds] == ["privacy", "terms"]


@pytest.mark.parametrize("status", [Status.FROZEN, Status.EXPIRED])
async def test_a_claim_lets_nobody_in_who_is_shut_out(client, chain, status):
    phone = random_phone()
    await known(phone, status=status)
    somebody = await guest(client)

    made = await somebody.register(phone)

    assert (made.status_code, made.json()["status"]) == (201, status.value)
    assert (await somebody.get("/v1/member/wallet"))["code"] == f"member_{status.value}"
