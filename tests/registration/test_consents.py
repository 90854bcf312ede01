"""What members who are made by others agreed to is written down: where, to which text, by whom; or why not."""

from __future__ import annotations

from backend.kernel import db
from tests.registration.test_applications import guest
from tests.registration.test_imports import imported
from tests.support.books import fingerprint
from tests.support.members import random_phone

AGREED = [{"purpose": "terms", "version": 1}, {"purpose": "privacy", "version": 1}]
LETTERS = {"purpose": "marketing_sms", "version": 1}


async def said(admin, member_id: object) -> dict[str, tuple]:
    """A member's words: whether, to which version, where, by whom of the staff, and the note."""
    items = (await admin.get(f"/v1/admin/members/{member_id}/consents/changes")).json()["items"]
    return {
        one["purpose"]: (one["granted"], one["version"], one["place"], one["by"].split(":")[0], one["note"])
        for one in items
    }


async def test_a_till_and_staff_write_down_what_was_agreed_to_or_why_not(client, chain, admin, manager):
    phone = random_phone()
    till = {"phone": phone, "name": "郑七", "consents": [*AGREED, LETTERS]}
    paper = {"phone": random_phone(), "name": "王八", "consents": AGREED[:1], "consents_note": "纸质会员表 7 号"}

    at_till = (await chain.till.post(client, "/v1/pos/members", till)).json()["id"]
    by_staff = (await manager.post("/v1/admin/members", paper)).json()["id"]
    lost = (await chain.till.post(client, "/v1/pos/members", till)).json()
    others = [
        await chain.till.post(client, "/v1/pos/members", till | {"consents": consents}) for consents in ([], AGREED)
    ]
    more = await manager.post("/v1/admin/members", paper | {"consents": AGREED})
    unasked = (await manager.post("/v1/admin/members", {"phone": random_phone(), "name": "冯九"})).json()["id"]

    assert lost["id"] == at_till
    assert [one.json()["code"] for one in (*others, more)] == ["phone_taken"] * 3, "another call, and nothing is lost"
    assert await said(admin, at_till) == {
        "terms": (True, 1, "till", "member", ""),
        "privacy": (True, 1, "till", "member", ""),
        "marketing_sms": (True, 1, "till", "till", ""),
    }
    assert await said(admin, by_staff) == {
        "terms": (True, 1, "staff", "staff", "纸质会员表 7 号"),
        "privacy": (False, 1, "staff", "staff", "纸质会员表 7 号"),
    }
    why = "员工登记，待会员在手机上确认"
    assert await said(admin, unasked) == {
        "terms": (False, 1, "staff", "staff", why),
        "privacy": (False, 1, "staff", "staff", why),
    }
    asked = (await admin.get(f"/v1/admin/members/{unasked}/consents")).json()["items"]
    assert {one["purpose"] for one in asked if one["asks"]} == {"terms", "privacy"}
    assert (await (await guest(client)).register(phone, name="郑七")).json()["id"] == at_till


async def test_who_claims_it_agrees_on_the_phone(client, chain, admin, manager):
    phone = random_phone()
    made = (await manager.post("/v1/admin/members", {"phone": phone, "name": "褚十"})).json()["id"]

    assert (await (await guest(client)).register(phone, name="褚十")).json()["id"] == made

    words = await said(admin, made)
    items = (await admin.get(f"/v1/admin/members/{made}/consents")).json()["items"]
    assert {one["purpose"] for one in items if one["asks"]} == set()
    assert {words[purpose][2] for purpose in ("terms", "privacy")} <= {"phone", "staff"}


async def test_a_table_says_row_by_row_what_was_agreed_to(admin, settings, chain):
    one, other, third = random_phone(), random_phone(), random_phone()
    table = f"手机号,姓名,已同意的授权\n{one},卫一,会员服务协议、隐私政策、marketing_sms\n{other},卫二,\n"

    done = await imported(admin, settings, table)
    bad = await imported(admin, settings, f"手机号,姓名,已同意的授权\n{third},卫三,terms 乱写\n")

    assert (done["state"], done["made"]) == ("done", 2)
    rows = await db.fetch(
        "SELECT member_id FROM registration_import_row WHERE import_id = $1 ORDER BY row_no", done["id"]
    )
    agreed, silent = [row["member_id"] for row in rows]
    assert await said(admin, agreed) == {
        "terms": (True, 1, "import", "staff", "old"),
        "privacy": (True, 1, "import", "staff", "old"),
        "marketing_sms": (True, 1, "import", "import", ""),
    }
    assert {word[:3] for word in (await said(admin, silent)).values()} == {(False, 1, "import")}
    assert (bad["state"], [flaw["field"] for flaw in bad["flaws"]]) == ("refused", ["consents"])


async def test_another_text_than_the_one_in_force_makes_nobody(client, chain, manager, settings):
    body = {"phone": random_phone(), "name": "蒋一"}
    before = await fingerprint(settings)

    old = await manager.post("/v1/admin/members", body | {"consents": [{"purpose": "terms", "version": 2}]})
    unknown = await manager.post("/v1/admin/members", body | {"consents": [*AGREED, {"purpose": "nope", "version": 1}]})

    assert (old.status_code, old.json()["code"]) == (409, "consent_outdated")
    assert unknown.json()["errors"][0]["pointer"] == "/consents/2/purpose"
    assert await fingerprint(settings) == before
