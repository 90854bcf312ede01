"""Two members become one: all that lies on the source's books is the target's, all of it once."""

from __future__ import annotations

import uuid
from datetime import date

import pytest

from backend.kernel import db
from backend.ledger import queries as ledger
from backend.members import queries as members
from tests.support.books import fingerprint
from tests.support.members import register
from tests.support.merging import MERGES, approve, ask, merge, numbers
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")


async def lots_of(member_id: int, *kinds: str) -> list[tuple[object, ...]]:
    """Open lots, in the order they are spent."""
    found = await ledger.list_open_lots(member_id, *kinds)
    return [(lot.kind, lot.part, lot.source, lot.remaining, lot.expires_on, lot.matures_on) for lot in found]


async def test_value_goes_over_lot_by_lot_with_source_and_last_day(client, admin, second, phone):
    source = await register(client)
    await give(source.member_id, principal=5_000, bonus=700, bonus_until=date(2027, 5, 1))
    await give(source.member_id, points=300, points_until=date(2027, 3, 31), rebate=120)
    await give(phone.member_id, principal=1_000, points=40)
    kinds = ("stored", "points", "rebate")
    theirs = await lots_of(source.member_id, *kinds)

    await merge(admin, second, source, phone)

    mine = await lots_of(phone.member_id, *kinds)
    assert await lots_of(source.member_id, *kinds) == []
    assert [lot for lot in mine if lot in theirs] == theirs
    balances = await ledger.get_balances(phone.member_id)
    assert (balances["stored"], balances["points"], balances["rebate"]) == (6_700, 340, 120)
    assert {kind: held for kind, held in (await ledger.get_balances(source.member_id)).items() if held} == {}
    first = (await phone.call("GET", "/v1/member/wallet/entries?account=stored&limit=3")).json()
    second_page = await phone.call("GET", f"/v1/member/wallet/entries?account=stored&cursor={first['next_cursor']}")
    lines = [(one["title"], one["amount"], one["balance_after"]) for one in first["items"]]
    assert lines == [("合并会员转入", 5_700, 6_700), ("赠送", 1_000, 1_000), ("合并会员转出", -5_700, 0)]
    assert [one["amount"] for one in second_page.json()["items"]] == [5_700]
    shown = await phone.wallet()
    assert (shown["stored"]["total_fen"], shown["points"]["available"]) == (6_700, 340)


async def test_nothing_moves_before_a_second_person_approves(client, admin, second, phone, settings):
    source = await register(client)
    await give(source.member_id, points=300)
    key = uuid.uuid4().hex

    asked = [await ask(admin, source, phone, key=key) for _ in range(2)]
    before = await fingerprint(settings)
    own = await approve(admin, asked[0])
    held = (await ledger.get_balances(source.member_id))["points"]
    unmoved = await fingerprint(settings)
    done = await approve(second, asked[0])
    again = await approve(second, asked[0])

    assert asked[0].json() == asked[1].json()
    assert (own.json()["code"], held, done.status_code) == ("approval_own", 300, 200)
    assert before["ledger_entry"] == unmoved["ledger_entry"]
    assert again.json()["code"] == "approval_decided"
    assert (await ledger.get_balances(phone.member_id))["points"] == 300
    (shown,) = (await admin.get(f"{MERGES}?member_no={phone.member['member_no']}")).json()["items"]
    assert (shown["source_no"], shown["moved"]["points"], shown["asked_by"]) == (
        source.member["member_no"],
        300,
        "admin",
    )


async def test_number_and_phone_and_login_lead_to_the_target(client, admin, second, phone, chain):
    source = await register(client)
    await source.enrol()

    await merge(admin, second, source, phone)

    assert await members.find_id_by_number(source.member["member_no"]) == phone.member_id
    assert await members.current_id(source.member_id) == phone.member_id
    ended = await source.call("GET", "/v1/member/wallet")
    assert ended.status_code == 401
    sold = await chain.till.sell(client, source.code(), tenders=[{"type": "cash"}])
    assert sold.json()["code"] == "code_invalid"
    login = await client.post("/v1/member/login", json={"js_code": f"demo-{source.openid.removeprefix('openid-')}"})
    source.access_token = login.json()["access_token"]
    assert (await source.call("GET", "/v1/member/profile")).json()["member_no"] == phone.member["member_no"]
    (number,) = await db.fetch("SELECT phone_sealed FROM member WHERE id = $1", source.member_id)
    other = await client.post("/v1/member/login", json={"js_code": f"demo-{uuid.uuid4().hex[:12]}"})
    taken = await client.post(
        "/v1/member/register",
        json={
            "phone_code": f"phone-{members.open_phone(number['phone_sealed'])}",
            "name": "王小明",
            "consents": ["terms", "privacy"],
        },
        headers={"Authorization": f"Bearer {other.json()['access_token']}"},
    )
    assert taken.json()["code"] == "phone_taken"


async def test_the_preview_says_what_each_has_and_moves_nothing(client, admin, phone, settings):
    source = await register(client)
    await give(source.member_id, principal=5_000, bonus=700)
    before = await fingerprint(settings)

    seen = await admin.post(f"{MERGES}/preview", numbers(source, phone))

    assert seen.status_code == 200, seen.text
    shown = seen.json()
    assert (shown["undo"], shown["obstacles"]) == (False, [])
    assert shown["source"]["value"]["principal_fen"] == 5_000
    assert {one["title"]: one["becomes"] for one in shown["held"]}["资料"] == "joined"
    same = await admin.post(f"{MERGES}/preview", numbers(phone, phone))
    none = await admin.post(f"{MERGES}/preview", numbers(source, phone) | {"target_no": "100000000007"})
    assert (same.json()["code"], none.json()["errors"][0]["pointer"]) == ("merge_same", "/target_no")
    after = await fingerprint(settings)
    assert {name for name in before if before[name] != after[name]} <= {"auth_audit", "auth_nonce"}
