"""Erasing a member: what stands in the way, what is lost, what is stripped, and what the books keep."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from backend.groups.commands import batches
from backend.kernel import clock, db, outbox
from backend.kernel.config import Settings
from backend.privacy import queries
from backend.privacy.commands import erasing, exports
from tests.groups.test_allotments import group_of
from tests.groups.test_batches import path as batches_of
from tests.groups.test_batches import send
from tests.groups.test_batches import table as table_of
from tests.support import cases, coupons, delivery, merging, suggestions, surveys, value
from tests.support.books import connected, fingerprint
from tests.support.chat import Customer, work
from tests.support.members import Phone, register
from tests.support.staff import StaffSession
from tests.support.value import findings

WHY = {"id": "why", "kind": "text", "title": "说说", "required": False}
OWN = "/v1/member/privacy/erasure"
WEEK = timedelta(days=7)
PIN = "135791"


async def set_pin(phone: Phone) -> None:
    assert (await phone.call("PUT", "/v1/member/pin", {"pin": PIN})).status_code == 204


async def ask(phone: Phone, **more: Any) -> dict[str, Any]:
    """A wish to be erased, with proof."""
    await set_pin(phone)
    answer = await phone.call("POST", OWN, {"pin": PIN} | more)
    assert answer.status_code == 202, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def let_it_happen(erasure_id: str, *, rounds: int = 3, apart: timedelta = timedelta(hours=1)) -> None:
    """A week goes by, and then so many rounds; the clock goes back at the end."""
    try:
        clock.shift(WEEK)
        for _ in range(rounds):
            await erasing.run(erasure_id)
            await outbox.drain()
            clock.shift(apart + timedelta(seconds=1))
    finally:
        clock.reset()


async def stakes(phone: Phone) -> dict[str, int]:
    """What is at stake, by code."""
    answer = await phone.call("GET", OWN)
    assert answer.status_code == 200, answer.text
    return {item["code"]: item["amount"] for item in answer.json()["at_stake"]}


async def everywhere(settings: Settings, *words: str) -> list[tuple[str, str]]:
    """Which tables hold one of these texts in any row, in clear."""
    found = []
    async with connected(settings, "huiyuan_owner") as owner:
        tables = await owner.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition AND relname NOT LIKE 'procrastinate%'"
        )
        for table in tables:
            name = table["relname"]
            there = f"EXISTS (SELECT FROM {name} t WHERE t::text LIKE '%' || w || '%')"
            sql = f"SELECT w FROM unnest($1::text[]) w WHERE {there}"
            found += [(name, row["w"]) for row in await owner.fetch(sql, words)]
    return found


async def staff_write(admin: StaffSession, second: StaffSession, phone: Phone) -> None:
    """Staff name a member wherever they write about one."""
    member = f"/v1/admin/members/{phone.member_id}"
    paper = {"items": [{"purpose": "third_party", "granted": True, "version": 1}], "note": "司徒的授权书"}
    assert (await admin.call("PUT", f"{member}/consents", paper)).status_code == 200
    grant = await admin.post(f"{member}/level-grants", {"level": "gold", "reason": "司徒是老客"}, key="g1")
    assert grant.status_code == 201, grant.text
    ended = await admin.post(f"{member}/level-grants/{grant.json()['id']}/end", {"reason": "司徒不是了"})
    assert ended.status_code in (200, 204), ended.text
    for what in ("freeze", "unfreeze"):
        assert (await admin.post(f"{member}/{what}", {"reason": "司徒要求"})).status_code == 200
    (held,) = (await admin.get(f"{member}/coupons")).json()["items"]
    voided = await admin.post(f"/v1/admin/coupons/issued/{held['id']}/void", {"reason": "司徒退券"}, key="v1")
    assert voided.status_code in (200, 204), voided.text
    wish = {"member_id": str(phone.member_id), "reason": "司徒到店要求", "give_up": True}
    asked = (await admin.post("/v1/admin/privacy/erasures", wish, key="e-words")).json()["approval_id"]
    note = {"note": "司徒没有来"}
    assert (await second.post(f"/v1/admin/approvals/{asked}/reject", note)).status_code == 200


async def allot(client: Any, admin: StaffSession, phone: Phone, note: str) -> None:
    """A group's owner allots to a member by a table that says something of them."""
    owner = await register(client)
    group_id, _ = await group_of(admin, owner, phone)
    await value.give(owner.member_id, points=50)
    made = await send(admin, batches_of(group_id), table_of((phone.member["member_no"], "积分", 10, note)))
    assert made.status_code == 202, made.text
    await batches.run(made.json()["id"])


async def test_a_member_who_left_is_a_number(client, chain, admin, second, settings, levels, books):
    """Everything that a member wrote or staff wrote of them stands nowhere any more; amounts and numbers do."""
    who = "privacy-leaver"
    phone = await register(client, name="司徒不见了", phone="13912355555", who=who)
    await value.give(phone.member_id, principal=5_000, points=300)
    await delivery.add_address(phone, name="司徒收件", street="无名路 77 号")
    await cases.complain(phone, "我叫司徒不见了，牛奶坏了", key="gone")
    box = await suggestions.make_box(admin, await suggestions.own_id(admin))
    await suggestions.suggest(phone, box, "司徒建议早点开门")
    survey = await surveys.make_survey(admin, surveys.TASTE, WHY)
    said: list[dict[str, Any]] = [{"question": "taste", "choices": ["good"]}, {"question": "why", "text": "司徒觉得好"}]
    sent = await surveys.send(phone, survey, said)
    assert sent.status_code == 201, sent.text
    customer = Customer(client, phone.openid)
    await customer.write("司徒在客服说话")
    await work(settings)
    await coupons.give_coupon(admin, phone)
    await staff_write(admin, second, phone)
    await allot(client, admin, phone, "司徒的奖励")
    await coupons.give_coupon(admin, phone)
    sale = await chain.till.sell(client, phone.code(), fen=1_500)
    assert sale.status_code == 201, sale.text
    await outbox.drain()
    words = ("司徒", "13912355555", phone.openid, "无名路")
    assert {table for table, _ in await everywhere(settings, *words)} >= {
        "member",
        "auth_wechat_identity",
        "feedback_step",
        "suggestion_message",
        "survey_answer",
        "conversation_message",
        "approval",
        "coupon_change",
        "lifecycle_change",
        "lifecycle_grant",
        "privacy_consent_change",
        "group_allotment",
        "group_allot_row",
    }

    wish = await ask(phone, give_up=True)
    assert {item["code"] for item in wish["given_up"]} >= {"stored", "points", "coupons"}
    await let_it_happen(wish["id"])

    assert await everywhere(settings, *words) == []
    found = await queries.find_erasure(wish["id"])
    assert (found.state, found.problem) == ("done", None)
    row = await db.fetchrow("SELECT * FROM member WHERE id = $1", phone.member_id)
    assert (row["status"], row["name"], row["phone_sealed"], row["birthday"]) == ("erased", "已注销", "", None)
    assert await db.fetchval("SELECT sum(balance) FROM ledger_account WHERE member_id = $1", phone.member_id) == 0
    kept = await db.fetchrow("SELECT body FROM ledger_document WHERE id = $1", sale.json()["id"])
    assert kept is not None


async def test_what_is_stripped_was_sealed_too(client, chain, settings):
    """Sealed columns are emptied or their rows deleted: nothing is left that the key would open."""
    phone = await register(client)
    await delivery.add_address(phone)
    await phone.call("PUT", "/v1/member/profile", {})
    wish = await ask(phone)
    await let_it_happen(wish["id"])

    for table, column in (("orders_address", "sealed"), ("message_email", "sealed"), ("auth_device", "secret_sealed")):
        sql = f"SELECT count(*) FROM {table} WHERE member_id = $1 AND {column} IS NOT NULL"
        assert await db.fetchval(sql, phone.member_id) == 0
    assert await db.fetchval("SELECT count(*) FROM auth_session WHERE id IS NULL") == 0


async def test_it_is_done_within_minutes_and_what_comes_late_is_erased_too(client, chain, settings, monkeypatch):
    """Also what a release of before did not erase. Until it is found again, the audit names it."""
    phone = await register(client, name="东方迟到")
    wish = await ask(phone)
    try:
        clock.shift(WEEK)
        await erasing.run(wish["id"])
        assert (await queries.find_erasure(wish["id"])).state == "erasing", "events of the member's are on their way"
    finally:
        clock.reset()
    await let_it_happen(wish["id"], rounds=2, apart=timedelta(minutes=1))
    assert (await queries.find_erasure(wish["id"])).state == "done"
    assert await erasing.look_again() == 0
    assert await findings(settings) == []

    async def comes_late() -> None:
        await db.pool().execute(
            "INSERT INTO message_letter (member_id, id, template, version, once, purpose, title, body, given, at,"
            " send_at) VALUES ($1, 'L-late', 'x', 0, 'late', 'service', '东方迟到', '您好', '{}', now(), now())"
            " ON CONFLICT (member_id, id) DO UPDATE SET title = '东方迟到'",
            phone.member_id,
        )

    await comes_late()
    (found,) = await findings(settings)
    assert (found.member_id, found.what) == (phone.member_id, "message_letter has something left")
    assert await erasing.look_again() == 1
    assert (await everywhere(settings, "东方"), await findings(settings)) == ([], [])

    await comes_late()
    twin = "INSERT INTO privacy_erasure SELECT (jsonb_populate_record(e, $2::jsonb)).* FROM privacy_erasure e"
    twin += " WHERE id = $1"
    await db.pool().execute(twin, wish["id"], '{"id": "E-broken", "member_id": 1, "ended_at": "2099-01-01"}')
    strip = erasing._strip

    async def raises(tx, holding, member_id):
        if member_id == 1:
            raise ValueError
        return await strip(tx, holding, member_id)

    with monkeypatch.context() as broken:
        broken.setattr(erasing, "_strip", raises)
        assert await erasing.look_again() == 1, "one that raises stops no other"
    await db.pool().execute("DELETE FROM privacy_erasure WHERE id = 'E-broken'")

    await comes_late()
    old = "UPDATE privacy_erasure SET ended_at = now() - interval '1 year', rules = $2 WHERE id = $1"
    await db.pool().execute(old, wish["id"], erasing.rules_now())
    assert await erasing.look_again() == 0, "it was erased long ago, by the rules of now"
    await db.pool().execute(old, wish["id"], None)
    assert await erasing.look_again() == 1
    assert await everywhere(settings, "东方") == []


async def test_what_staff_wrote_of_somebody_who_is_here_is_never_rewritten(client, chain, admin, second):
    """The database lets the words go with their member, and not before."""
    phone = await register(client)
    paper = {"items": [{"purpose": "third_party", "granted": True, "version": 1}], "note": "档案"}
    await admin.call("PUT", f"/v1/admin/members/{phone.member_id}/consents", paper)
    wish = {"member_id": str(phone.member_id), "reason": "到店要求"}
    asked = (await admin.post("/v1/admin/privacy/erasures", wish, key="stays")).json()["approval_id"]
    await admin.post(f"/v1/admin/approvals/{asked}/withdraw")

    for sql, named in (
        ("UPDATE privacy_consent_change SET note = '' WHERE member_id = $1", phone.member_id),
        ("UPDATE approval SET reason = '', note = '' WHERE id = $1", asked),
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await db.pool().execute(sql, named)


async def test_nobody_is_logged_in_and_the_phone_number_is_free(client, chain, settings, books):
    phone = await register(client, phone="13912366666", who="privacy-again")
    wish = await ask(phone)
    await let_it_happen(wish["id"], rounds=1)

    assert (await phone.call("GET", "/v1/member/profile")).status_code == 401
    code = await chain.till.sell(client, phone.code(), fen=100)
    assert (code.status_code, code.json()["code"]) == (422, "code_invalid")
    login = await client.post("/v1/member/login", json={"js_code": "demo-privacy-again"})
    assert login.json()["registration"] == "none"

    anew = await register(client, phone="13912366666", who="privacy-again")

    assert anew.member_id != phone.member_id
    assert await queries.was_here(anew.member_id, clock.now().date())
    assert not await queries.was_here((await register(client)).member_id, clock.now().date())


async def test_who_comes_back_has_no_second_welcome(client, chain, admin, settings):
    template = await coupons.make_template(admin, claim_by="nobody", triggers=[{"on": "registration"}], per_member=1)
    first = await register(client, phone="13912377777", who="privacy-welcome")
    await outbox.drain()
    assert await _due(first, template["id"]) == 1
    wish = await ask(first, give_up=True)
    await let_it_happen(wish["id"])

    again = await register(client, phone="13912377777", who="privacy-other-wechat")
    other = await register(client)
    await outbox.drain()

    assert (await _due(again, template["id"]), await _due(other, template["id"])) == (0, 1)


async def _due(phone: Phone, template_id: str) -> int:
    sql = "SELECT count(*) FROM coupon_due WHERE member_id = $1 AND template_id = $2"
    return int(await db.fetchval(sql, phone.member_id, template_id))


async def test_refusals_move_nothing(client, chain, phone, settings):
    await value.give(phone.member_id, principal=1_000)
    await set_pin(phone)
    before = await fingerprint(settings)

    unproven = await phone.call("POST", OWN, {"give_up": True})
    wrong = await phone.call("POST", OWN, {"phone_code": "phone-13900000000", "give_up": True})
    valued = await phone.call("POST", OWN, {"pin": PIN})
    nothing = await phone.call("POST", f"{OWN}/withdraw")

    assert (unproven.status_code, unproven.json()["code"]) == (409, "proof_required")
    assert wrong.json()["errors"][0]["pointer"] == "/phone_code"
    assert (valued.status_code, valued.json()["code"]) == (409, "erasure_value_left")
    assert [(item["code"], item["amount"]) for item in valued.json()["at_stake"]] == [("stored", 1_000)]
    assert nothing.status_code == 404
    assert await fingerprint(settings) == before
    mistaken = await phone.call("POST", OWN, {"pin": "000000", "give_up": True})
    assert (mistaken.status_code, mistaken.json()["code"]) == (422, "pin_invalid")


async def test_what_is_under_way_stands_in_the_way(client, chain, phone):
    begun = await phone.call("POST", "/v1/member/recharges", {"amount_fen": 10_000}, key="r1")
    assert begun.status_code == 201, begun.text
    await set_pin(phone)

    answer = await phone.call("POST", OWN, {"pin": PIN, "give_up": True})

    assert (answer.status_code, answer.json()["code"]) == (409, "erasure_blocked")
    assert [item["code"] for item in answer.json()["at_stake"]] == ["recharge"]
    assert (await stakes(phone))["recharge"] == 1


async def test_it_cools_off_is_shown_and_can_be_taken_back(client, chain, phone):
    wish = await ask(phone)
    again = await phone.call("POST", OWN, {"pin": PIN})
    assert again.json()["id"] == wish["id"]

    shown = (await phone.call("GET", OWN)).json()
    assert (shown["erasure"]["state"], shown["cooling_days"]) == ("cooling", 7)
    opening = (await phone.call("GET", "/v1/member/privacy/consents")).json()
    assert opening["erasure_due_at"] == wish["due_at"]
    await erasing.run(wish["id"])
    assert (await phone.call("GET", "/v1/member/profile")).status_code == 200

    assert (await phone.call("POST", f"{OWN}/withdraw")).status_code == 204
    await let_it_happen(wish["id"], rounds=1)
    assert (await queries.find_erasure(wish["id"])).state == "withdrawn"
    assert (await phone.call("GET", OWN)).json()["erasure"] is None
    assert (await phone.call("GET", "/v1/member/profile")).status_code == 200


async def test_more_value_than_was_given_up_lets_the_wish_lapse(client, chain, phone, books):
    await value.give(phone.member_id, principal=1_000)
    wish = await ask(phone, give_up=True)
    await value.give(phone.member_id, principal=1)

    await let_it_happen(wish["id"], rounds=1)

    found = await queries.find_erasure(wish["id"])
    assert (found.state, found.problem) == ("lapsed", "value_grew")
    assert (await phone.wallet())["stored"]["total_fen"] == 1_001


async def test_what_came_to_stand_in_the_way_is_waited_for(client, chain, phone):
    wish = await ask(phone)
    await phone.call("POST", "/v1/member/recharges", {"amount_fen": 10_000}, key="r1")
    try:
        clock.shift(WEEK)
        for _ in range(erasing.MOST_TRIES):
            assert (await queries.find_erasure(wish["id"])).state == "cooling"
            await db.pool().execute(
                "UPDATE privacy_erasure SET due_at = $2 WHERE id = $1", wish["id"], clock.now() - timedelta(seconds=1)
            )
            await erasing.run(wish["id"])
    finally:
        clock.reset()
    found = await queries.find_erasure(wish["id"])
    assert (found.state, found.problem) == ("lapsed", "recharge")


async def test_twice_at_once_and_killed_anywhere_it_is_done_once(client, chain, settings, monkeypatch, books):
    phone = await register(client, name="端木断电")
    await value.give(phone.member_id, principal=700)
    await cases.complain(phone, "端木说的话", key="k")
    wish = await ask(phone, give_up=True)
    strip, steps = erasing._strip, 0

    class Killed(Exception):
        pass

    async def dies_now_and_then(tx, holding, member_id):
        nonlocal steps
        changed = await strip(tx, holding, member_id)
        steps += 1
        if steps % 5 == 0:
            raise Killed
        return changed

    monkeypatch.setattr(erasing, "_strip", dies_now_and_then)
    try:
        clock.shift(WEEK)
        for _ in range(200):
            await asyncio.gather(erasing.run(wish["id"]), erasing.run(wish["id"]), return_exceptions=True)
            await outbox.drain()
            found = await queries.find_erasure(wish["id"])
            if found.state == "done":
                break
            if found.due_at > clock.now():
                clock.shift(found.due_at - clock.now() + timedelta(seconds=1) + WEEK)
    finally:
        clock.reset()

    assert (await queries.find_erasure(wish["id"])).state == "done"
    assert await everywhere(settings, "端木") == []
    gone = await db.fetchval(
        "SELECT count(*) FROM ledger_transfer WHERE member_id = $1 AND kind = 'given_up'", phone.member_id
    )
    assert gone == 1


async def test_in_a_race_with_a_sale_one_of_them_is_whole(client, chain, settings, books):
    """Either the sale was first, and less is given up; or the member is gone, and the sale is refused."""
    for _ in range(6):
        phone = await register(client)
        await value.give(phone.member_id, principal=2_000)
        wish = await ask(phone, give_up=True)
        await db.pool().execute(
            "UPDATE privacy_erasure SET due_at = $2 WHERE id = $1", wish["id"], clock.now() - timedelta(seconds=1)
        )

        _, sale = await asyncio.gather(erasing.run(wish["id"]), chain.till.sell(client, phone.code(), fen=1_000))

        given_up = await db.fetchval(
            "SELECT -sum(amount) FROM ledger_entry e JOIN ledger_transfer t USING (member_id, seq)"
            " WHERE member_id = $1 AND t.kind = 'given_up' AND e.kind = 'stored'",
            phone.member_id,
        )
        assert given_up == (1_000 if sale.status_code == 201 else 2_000), sale.text
        assert await db.fetchval("SELECT status FROM member WHERE id = $1", phone.member_id) == "erased"


async def test_who_was_merged_into_a_member_goes_with_them(client, chain, admin, second, settings, books):
    """What lies under the number of before is in the archive, and is erased: history too."""
    source = await register(client, name="欧阳旧号", phone="13912388888")
    await cases.complain(source, "欧阳说过的话", key="old")
    phone = await register(client, name="欧阳新号")
    await value.give(source.member_id, principal=300)
    await merging.merge(admin, second, source, phone)

    asked = (await phone.call("POST", "/v1/member/privacy/exports")).json()["id"]
    await exports.make(asked)
    answer = await phone.call("GET", f"/v1/member/privacy/exports/{asked}/archive")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        profiles = json.loads(archive.read("数据/会员资料/资料.json"))
        said = archive.read("数据/反馈/反馈的经过.json").decode()
    assert {profile["name"] for profile in profiles} == {"欧阳旧号", "欧阳新号"}
    assert "欧阳说过的话" in said

    wish = await ask(phone, give_up=True)
    assert [(item["code"], item["amount"]) for item in wish["given_up"]] == [("stored", 300)]
    await let_it_happen(wish["id"])

    assert (await queries.find_erasure(wish["id"])).state == "done"
    assert await everywhere(settings, "欧阳") == []
    assert (await register(client, phone="13912388888")).member_id not in (source.member_id, phone.member_id)


async def test_staff_need_a_second_person(client, chain, phone, admin, second):
    body = {"member_id": str(phone.member_id), "reason": "会员到店要求注销"}
    asked = await admin.post("/v1/admin/privacy/erasures", body, key="e1")
    assert asked.status_code == 202, asked.text
    approval = asked.json()["approval_id"]
    own = await admin.post(f"/v1/admin/approvals/{approval}/approve", {})
    assert (own.status_code, own.json()["code"]) == (409, "approval_own")
    assert (await phone.call("GET", OWN)).json()["erasure"] is None

    done = await second.post(f"/v1/admin/approvals/{approval}/approve", {})
    assert done.status_code == 200, done.text

    shown = (await phone.call("GET", OWN)).json()["erasure"]
    assert shown["state"] == "cooling"
    (item,) = [
        one
        for one in (await admin.get("/v1/admin/privacy/erasures?state=cooling")).json()["items"]
        if one["member_id"] == str(phone.member_id)
    ]
    assert item["by_staff"] != item["approved_by"]
    back = await admin.post(f"/v1/admin/privacy/erasures/{item['id']}/withdraw", {"reason": "会员来电撤回"})
    assert (back.status_code, back.json()["state"]) == (200, "withdrawn")
