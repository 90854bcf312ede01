"""What members agree to, per purpose: given and taken back, in which version of a text, by whom and where."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from backend.audience import queries as audience
from backend.audience.types import Audience
from backend.kernel import clock, db, ids
from tests.support import merging
from tests.support.books import fingerprint
from tests.support.members import Phone, register

OWN = "/v1/member/privacy/consents"


def by_purpose(answer) -> dict[str, dict]:
    assert answer.status_code == 200, answer.text
    return {item["purpose"]: item for item in answer.json()["items"]}


async def say(phone: Phone, purpose: str, granted: bool, version: int = 1):
    return await phone.call("PUT", OWN, {"items": [{"purpose": purpose, "granted": granted, "version": version}]})


async def test_what_registering_agreed_to_stands_and_nothing_else_does(phone):
    found = by_purpose(await phone.call("GET", OWN))

    assert {code for code, item in found.items() if item["granted"]} == {"terms", "privacy", "profiling"}
    assert (found["profiling"]["agreed_version"], found["profiling"]["at"]) == (None, None)
    assert {code for code, item in found.items() if item["asks"]} == set()
    assert found["terms"]["agreed_version"] == 1
    assert (found["terms"]["required"], found["profiling"]["required"]) == (True, False)
    assert found["marketing_sms"]["body"]


async def test_a_word_holds_at_once_and_every_word_is_kept(phone, admin):
    assert by_purpose(await say(phone, "profiling", True))["profiling"]["granted"]
    assert by_purpose(await say(phone, "profiling", True))["profiling"]["granted"]
    assert not by_purpose(await say(phone, "profiling", False))["profiling"]["granted"]

    path = f"/v1/admin/members/{phone.member_id}/consents/changes"
    first = (await admin.get(f"{path}?limit=1")).json()
    rest = (await admin.get(f"{path}?limit=10&cursor={first['next_cursor']}")).json()
    said = [(item["purpose"], item["granted"], item["place"], item["by"]) for item in first["items"] + rest["items"]]
    assert said[:2] == [("profiling", False, "phone", "member"), ("profiling", True, "phone", "member")]
    assert sorted(said[2:]) == [("privacy", True, "phone", "member"), ("terms", True, "phone", "member")]
    assert rest["next_cursor"] is None


async def test_who_says_no_is_not_chosen_by_what_they_bought(phone):
    """Neither for letters nor for care, from that moment on; other choices go on."""
    today = clock.local_date(clock.now(), "Asia/Shanghai")
    await db.pool().execute(
        "INSERT INTO audience_bought (member_id, sku, pieces, times, last_on) VALUES ($1, 'X-9', 1, 1, $2)",
        phone.member_id,
        today,
    )
    bought, any_of = Audience(bought_skus=("X-9",)), Audience()

    async def chosen() -> tuple[bool, list[int], bool]:
        after = await audience.list_last_bought(today, ("X-9",), after=0, limit=10)
        return await audience.includes(bought, phone.member_id), after, await audience.includes(any_of, phone.member_id)

    assert await chosen() == (True, [phone.member_id], True)
    await say(phone, "profiling", False)
    assert await chosen() == (False, [], True)
    await say(phone, "profiling", True)
    assert await chosen() == (True, [phone.member_id], True)


async def test_who_said_no_under_one_of_two_numbers_has_said_no(client, phone, admin, second):
    source = await register(client)
    await say(source, "profiling", False)
    await say(source, "third_party", True)

    await merging.merge(admin, second, source, phone)

    found = by_purpose(await phone.call("GET", OWN))
    assert (found["profiling"]["granted"], found["third_party"]["granted"]) == (False, False)
    assert await db.fetchval("SELECT unprofiled FROM member WHERE id = $1", phone.member_id)
    changes = (await admin.get(f"/v1/admin/members/{phone.member_id}/consents/changes")).json()["items"]
    assert [(item["granted"], item["place"]) for item in changes if item["purpose"] == "profiling"] == [
        (False, "merge")
    ]


async def test_what_a_server_of_the_release_before_wrote_counts(phone):
    """While both releases serve: whoever joins there is not asked again here, and the later word holds."""
    old = "INSERT INTO member_consent (id, member_id, kind, version, agreed_at) VALUES ($1, $2, 'terms', '1', $3)"
    await db.pool().execute("DELETE FROM privacy_consent WHERE member_id = $1", phone.member_id)
    joined = by_purpose(await phone.call("GET", OWN))
    assert (joined["terms"]["asks"], joined["privacy"]["asks"]) == (True, True)

    await db.pool().execute(old, ids.new_bigint(), phone.member_id, clock.now())
    found = by_purpose(await phone.call("GET", OWN))
    assert (found["terms"]["granted"], found["terms"]["asks"], found["privacy"]["asks"]) == (True, False, True)

    before = "INSERT INTO privacy_consent (member_id, purpose, granted, version, at) VALUES ($1, 'terms', false, 1, $2)"
    await db.pool().execute(before, phone.member_id, clock.now() - timedelta(days=1))
    assert not by_purpose(await phone.call("GET", OWN))["terms"]["asks"]


async def test_letters_have_one_truth(phone, admin):
    """What is agreed to here is what ``messages`` goes by, and what is said there is seen here."""
    await say(phone, "marketing_sms", True)
    letters = (await phone.call("GET", "/v1/member/messages/consents")).json()["items"]
    granted = {(item["purpose"], item["channel"]) for item in letters if item["granted"] and item["at"]}
    assert granted == {("marketing", "sms")}

    word = {"items": [{"purpose": "marketing", "channel": "sms", "granted": False}]}
    assert (await phone.call("PUT", "/v1/member/messages/consents", word)).status_code == 200
    assert not by_purpose(await phone.call("GET", OWN))["marketing_sms"]["granted"]

    changes = (await admin.get(f"/v1/admin/members/{phone.member_id}/consents/changes")).json()["items"]
    said = [(item["granted"], item["version"]) for item in changes if item["purpose"] == "marketing_sms"]
    assert said == [(False, 1), (True, 1)]


async def test_staff_write_down_what_was_said_on_paper(phone, admin, office):
    path = f"/v1/admin/members/{phone.member_id}/consents"
    word = {"items": [{"purpose": "third_party", "granted": True, "version": 1}], "note": "档案 12 号"}

    assert by_purpose(await admin.call("PUT", path, word))["third_party"]["granted"]

    (change,) = [
        item for item in (await admin.get(f"{path}/changes")).json()["items"] if item["purpose"] == "third_party"
    ]
    assert change["place"] == "staff"
    assert change["by"].startswith("staff:")
    assert change["note"] == "档案 12 号"


async def test_a_new_text_of_a_required_purpose_asks_again(client, chain, phone, admin):
    path = "/v1/admin/privacy/purposes/terms"
    text = {"title": "会员服务协议", "body": "新的条款", "version": 1, "required": True, "sort": 10}
    assert (await admin.call("PUT", path, text)).json()["version"] == 2
    stale = await admin.call("PUT", path, text | {"body": "又一条款"})
    assert (stale.status_code, stale.json()["code"]) == (409, "purpose_changed")

    shown = by_purpose(await phone.call("GET", OWN))["terms"]
    assert (shown["asks"], shown["body"], shown["agreed_version"]) == (True, "新的条款", 1)
    old = await say(phone, "terms", True, 1)
    assert (old.status_code, old.json()["code"]) == (409, "consent_outdated")
    assert not by_purpose(await say(phone, "terms", True, 2))["terms"]["asks"]

    newcomer = await register(client)
    assert by_purpose(await newcomer.call("GET", OWN))["terms"]["agreed_version"] == 2
    texts = (await admin.get(f"{path}/texts")).json()["items"]
    assert [item["version"] for item in texts] == [2, 1]


async def test_refusals_change_nothing(settings, phone, admin):
    before = await fingerprint(settings)

    required = await say(phone, "privacy", False)
    unknown = await say(phone, "nonsense", True)
    untold = await phone.call("PUT", OWN, {"items": [{"purpose": "profiling", "granted": True}]})
    nobody = await admin.call(
        "PUT", "/v1/admin/members/123/consents", {"items": [{"purpose": "profiling", "granted": False}]}
    )
    letters = {"title": "短信", "body": "x", "version": 1, "required": True}
    duty = await admin.call("PUT", "/v1/admin/privacy/purposes/marketing_sms", letters)
    optional = {"title": "隐私", "body": "x", "version": 1, "required": False}
    rested = await admin.call("PUT", "/v1/admin/privacy/purposes/privacy", optional)
    named = await admin.call("PUT", "/v1/admin/privacy/purposes/Not-One", optional)

    assert (required.status_code, required.json()["code"]) == (409, "consent_required")
    assert unknown.json()["errors"][0]["pointer"] == "/items/0/purpose"
    assert (untold.status_code, untold.json()["code"]) == (409, "consent_outdated")
    assert nobody.status_code == 404
    assert duty.json()["errors"][0]["pointer"] == "/required"
    assert rested.json()["errors"][0]["pointer"] == "/required"
    assert named.json()["errors"][0]["pointer"] == "/path/purpose"
    assert await fingerprint(settings) == before


async def test_what_was_said_and_the_words_it_was_said_to_are_never_rewritten(phone):
    for statement in (
        "UPDATE privacy_text SET body = 'x'",
        "DELETE FROM privacy_text",
        "UPDATE privacy_consent_change SET granted = NOT granted",
        "DELETE FROM privacy_consent_change",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await db.pool().execute(statement)


async def test_texts_are_read_before_registering(client):
    found = (await client.get("/v1/privacy/purposes")).json()["items"]

    assert [item["code"] for item in found][:2] == ["terms", "privacy"]
