"""Staff hand an archive to a member who stands there: with proof, with a second person where papers prove it."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from typing import Any

import msgspec

from backend.kernel import clock as clocks
from backend.kernel import config, db, outbox
from backend.privacy import queries
from backend.privacy.commands import exports
from tests.support.books import fingerprint
from tests.support.members import Phone, random_phone, register
from tests.support.staff import StaffSession, log_in, refused

PATH = "/v1/admin/privacy"
PAPER = {"reason": "核对身份证，申请书在 3 号夹"}


async def archive_of(staff: StaffSession, phone: Phone) -> str:
    """An archive that staff asked for, ready."""
    asked = await staff.post(f"{PATH}/exports", {"member_id": str(phone.member_id), "reason": "会员到店索取"})
    assert asked.status_code == 202, asked.text
    export_id: str = asked.json()["id"]
    await exports.make(export_id)
    return export_id


async def hand(staff: StaffSession, export_id: str, key: str, **body: Any):
    return await staff.post(f"{PATH}/exports/{export_id}/hand-outs", PAPER | body, key=key)


async def fetch(staff: StaffSession, handout_id: str):
    return await staff.post(f"{PATH}/hand-outs/{handout_id}/archive")


async def test_who_shows_their_code_gets_it_at_once_from_whoever_asked(client, chain, office, admin, phone, clock):
    manager = await log_in(office, chain, "manager-S1")
    await db.pool().execute("UPDATE member SET store_id = 'S1' WHERE id = $1", phone.member_id)
    export_id, code = await archive_of(manager, phone), phone.code()

    made = await hand(manager, export_id, "h1", code=code)
    again = await hand(manager, export_id, "h1", code=code)

    assert (made.status_code, made.json()["state"], made.json()["proof"]) == (201, "granted", "code")
    assert again.json() == made.json()
    handout_id = made.json()["id"]
    got = await fetch(manager, handout_id)
    assert (got.status_code, got.headers["cache-control"]) == (200, "no-store")
    assert zipfile.ZipFile(io.BytesIO(got.content)).testzip() is None
    refused(await fetch(admin, handout_id), 404, "not_found")
    await db.pool().execute("UPDATE member SET store_id = 'S2' WHERE id = $1", phone.member_id)
    refused(await fetch(manager, handout_id), 404, "not_found")  # the member moved to another store meanwhile
    await db.pool().execute("UPDATE member SET store_id = 'S1' WHERE id = $1", phone.member_id)
    rows = (await admin.get(f"/v1/admin/audit?thing={handout_id}")).json()["items"]
    assert {row["action"].rsplit("/", 1)[1] for row in rows} == {"hand-outs", "archive"}
    await outbox.drain()
    letters = await db.fetch("SELECT template FROM message_letter WHERE member_id = $1", phone.member_id)
    assert "privacy.export_handed_out" in {row["template"] for row in letters}

    clock.shift(timedelta(minutes=30, seconds=1))
    refused(await fetch(await log_in(office, chain, "manager-S1"), handout_id), 409, "handout_not_granted")


async def test_papers_need_a_second_person(client, chain, admin, second, phone):
    export_id = await archive_of(admin, phone)
    made, other = (await hand(admin, export_id, "p1")).json(), (await hand(admin, export_id, "p2")).json()
    unasked = (await hand(admin, export_id, "p3")).json()
    assert (await admin.post(f"/v1/admin/approvals/{unasked['approval_id']}/withdraw", {})).status_code == 200
    assert (made["state"], made["proof"]) == ("waiting", "paper")
    refused(await fetch(admin, made["id"]), 409, "handout_not_granted")
    refused(await admin.post(f"/v1/admin/approvals/{made['approval_id']}/approve", {}), 409, "approval_own")

    assert (await second.post(f"/v1/admin/approvals/{made['approval_id']}/approve", {})).status_code == 200
    assert (await second.post(f"/v1/admin/approvals/{other['approval_id']}/reject", {"note": "无"})).status_code == 200

    refused(await fetch(second, made["id"]), 404, "not_found")
    assert (await fetch(admin, made["id"])).status_code == 200
    refused(await fetch(admin, other["id"]), 409, "handout_not_granted")
    refused(await fetch(admin, unasked["id"]), 409, "handout_not_granted")
    states = {one["id"]: one["state"] for one in (await admin.get(f"{PATH}/hand-outs")).json()["items"]}
    assert [states[one["id"]] for one in (made, other, unasked)] == ["fetched", "refused", "lapsed"]
    seen = (await admin.get(f"/v1/admin/members/{phone.member_id}/archives")).json()
    assert seen["member_no"] == phone.member["member_no"]
    assert [one["id"] for one in seen["exports"]] == [export_id]
    assert [one["id"] for one in seen["hand_outs"]] == [one["id"] for one in (unasked, other, made)]


async def test_the_same_request_at_the_same_moment_is_one(client, chain, admin, monkeypatch):
    """Neither had seen the other when it began to look; the member's lock lets one after the other."""
    phone = await register(client)
    export_id = await archive_of(admin, phone)
    real, looks = queries.find_handout, []

    async def find(handout_id: str):
        looks.append(handout_id)
        return None if len(looks) == 1 else await real(handout_id)

    made = await hand(admin, export_id, "twice")
    monkeypatch.setattr(queries, "find_handout", find)
    again = await hand(admin, export_id, "twice")

    assert (made.status_code, again.status_code) == (201, 201), again.text
    assert again.json() == made.json()
    assert await db.fetchval("SELECT count(*) FROM privacy_handout WHERE member_id = $1", phone.member_id) == 1


async def test_refusals_hand_nothing_out(client, chain, office, admin, settings):
    number, others = random_phone(), random_phone()
    phone, other = await register(client, phone=number), await register(client, phone=others)
    neighbour = await log_in(office, chain, "manager-S2")
    export_id = await archive_of(admin, phone)
    unmade = (await admin.post(f"{PATH}/exports", {"member_id": str(other.member_id), "reason": "索取"})).json()["id"]
    before = await fingerprint(settings)

    stranger = await hand(admin, export_id, "r1", phone_code=f"phone-{others}")
    both = await hand(admin, export_id, "r2", code=phone.code(), phone_code=f"phone-{number}")
    elsewhere = await hand(neighbour, export_id, "r3")
    early = await hand(admin, unmade, "r4")
    unseen = await neighbour.get(f"/v1/admin/members/{phone.member_id}/archives")

    refused(stranger, 422, "member_not_present")
    assert both.json()["errors"][0]["pointer"] == "/code"
    refused(elsewhere, 404, "not_found")
    refused(early, 409, "export_not_ready")
    refused(unseen, 404, "not_found")
    assert await fingerprint(settings) == before


async def test_the_setting_says_who_needs_a_second_person(client, chain, admin):
    number = random_phone()
    phone = await register(client, phone=number)
    export_id = await archive_of(admin, phone)
    config.use(msgspec.structs.replace(config.settings(), privacy_handout_second="always"))
    assert (await hand(admin, export_id, "s1", phone_code=f"phone-{number}")).json()["state"] == "waiting"
    config.use(msgspec.structs.replace(config.settings(), privacy_handout_second="never"))
    made = (await hand(admin, export_id, "s2")).json()
    assert (made["state"], made["approval_id"]) == ("granted", None)
    assert made["until"] > clocks.now().isoformat()
