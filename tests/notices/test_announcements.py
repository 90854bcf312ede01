"""Announcements from draft to receipt: who writes them, whom they reach, and what is refused."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest_asyncio

from backend.kernel import clock, db
from backend.mall.commands.media import drop_unused
from backend.members import queries as members
from tests.support.books import fingerprint
from tests.support.members import register
from tests.support.pictures import picture

ALL = "/v1/admin/announcements"
MINE = "/v1/member/announcements"
BODY = {"title": "国庆营业时间", "summary": "十月一日至三日", "body": "**照常营业**，见 [优惠](#/coupons)"}


async def draft(staff, key: str, **fields):
    made = await staff.post(ALL, BODY | fields, key=key)
    assert made.status_code == 201, made.text
    return made.json()


async def published(staff, key: str, **fields):
    made = await draft(staff, key, **fields)
    shown = await staff.post(f"{ALL}/{made['id']}/publish", {"revision": made["version"]})
    assert shown.status_code == 200, shown.text
    return shown.json()


async def titles(phone) -> list[str]:
    answer = await phone.call("GET", MINE)
    assert answer.status_code == 200, answer.text
    return [item["title"] for item in answer.json()["items"]]


async def set_store(phone, store_id: str | None) -> None:
    await db.fetchval("UPDATE member SET store_id = $2 WHERE id = $1 RETURNING 1", phone.member_id, store_id)


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def no_other_announcement(database) -> None:
    """Nothing that one test announces is shown in the next."""
    await db.fetchval("UPDATE notice_announcement SET state = 'withdrawn' WHERE state = 'published'")


async def test_an_announcement_is_written_published_read_and_withdrawn(admin, phone):
    made = await draft(admin, "a-1")
    assert (made["status"], made["version"], await titles(phone)) == ("draft", 1, [])

    shown = await admin.post(f"{ALL}/{made['id']}/publish", {"revision": 1})
    mine = (await phone.call("GET", MINE)).json()

    assert shown.json()["status"] == "live"
    assert mine["unread"] == 1
    assert [(item["title"], item["read"]) for item in mine["items"]] == [("国庆营业时间", False)]
    page = (await phone.call("GET", f"{MINE}/{made['id']}")).json()
    assert page["blocks"] == [
        {
            "type": "paragraph",
            "spans": [
                {"text": "照常营业", "bold": True},
                {"text": "，见 "},
                {"text": "优惠", "href": "#/coupons"},
            ],
        }
    ]
    assert (await phone.call("GET", MINE)).json()["unread"] == 1

    for _ in range(2):
        assert (await phone.call("POST", f"{MINE}/{made['id']}/read")).status_code == 204

    mine = (await phone.call("GET", MINE)).json()
    assert (mine["unread"], mine["items"][0]["read"]) == (0, True)
    for _ in range(2):
        gone = await admin.post(f"{ALL}/{made['id']}/withdraw")
        assert gone.json()["status"] == "withdrawn"
    assert await titles(phone) == []
    assert (await phone.call("GET", f"{MINE}/{made['id']}")).status_code == 404
    assert (await phone.call("POST", f"{MINE}/{made['id']}/read")).status_code == 404
    said = (await admin.get(f"{ALL}/{made['id']}/changes")).json()["items"]
    assert [item["action"] for item in said] == ["withdraw", "publish", "create"]


async def test_a_receipt_is_counted_once_a_member_also_when_said_at_once(admin, client, phone):
    other = await register(client)
    made = await published(admin, "r-1")
    path = f"{MINE}/{made['id']}/read"

    answers = await asyncio.gather(*(phone.call("POST", path) for _ in range(6)), other.call("POST", path))

    assert {answer.status_code for answer in answers} == {204}
    reach = (await admin.get(f"{ALL}/{made['id']}/reach")).json()
    assert reach["readers"] == 2
    assert reach["reach_bp"] == 2 * 10_000 // reach["meant"]
    first = (await admin.get(f"{ALL}/{made['id']}/readers?limit=1")).json()
    second = (await admin.get(f"{ALL}/{made['id']}/readers?limit=1&cursor={first['next_cursor']}")).json()
    assert {item["member_id"] for item in first["items"] + second["items"]} == {phone.member["id"], other.member["id"]}
    assert first["items"][0]["name_masked"] == "王**"
    assert second["next_cursor"] is None
    (row,) = [item for item in (await admin.get(ALL)).json()["items"] if item["id"] == made["id"]]
    assert row["readers"] == 2


async def test_an_announcement_reaches_its_level_and_store_only(admin, client, phone):
    other = await register(client)
    await set_store(phone, "S1")
    await set_store(other, "S2")
    level = phone.member["level"]["code"]
    await db.fetchval(
        "INSERT INTO member_level (code, name, discount_bp, points_multiplier_bp, growth_from_fen)"
        " VALUES ('high', '高', 0, 10000, 99999999) RETURNING 1"
    )
    members.forget_levels()

    await published(admin, "x-1", title="都看", audience={})
    await published(admin, "x-2", title="一店", audience={"store_ids": ["S1"]})
    await published(admin, "x-3", title="本级", audience={"levels": [level]})
    await published(admin, "x-4", title="别级", audience={"levels": ["high"]})
    await published(admin, "x-5", title="本级二店", audience={"levels": [level], "store_ids": ["S2"]})
    await published(admin, "x-6", title="点名", audience={"member_nos": [phone.member["member_no"]]})

    assert await titles(phone) == ["点名", "本级", "一店", "都看"]
    assert await titles(other) == ["本级二店", "本级", "都看"]
    assert (await phone.call("GET", MINE)).json()["unread"] == 4
    assert (await other.call("GET", MINE)).json()["unread"] == 3


async def test_the_pinned_stand_first_and_pages_go_on_where_the_last_ended(admin, phone):
    for number in range(5):
        await published(admin, f"p-{number}", title=f"第{number}", pinned=number == 1)
    await published(admin, "p-x", title="他人", audience={"member_nos": ["199999999999"]})

    seen: list[list[str]] = []
    path: str | None = f"{MINE}?limit=2"
    while path:
        page = (await phone.call("GET", path)).json()
        seen.append([item["title"] for item in page["items"]])
        path = f"{MINE}?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else None

    assert seen == [["第1", "第4"], ["第3", "第2"], ["第0"]]
    row = next(i for i in (await admin.get(ALL)).json()["items"] if i["title"] == "第0")
    assert (await admin.post(f"{ALL}/{row['id']}/pin", {"pinned": True})).json()["pinned"] is True
    assert (await titles(phone))[:2] == ["第1", "第0"]
    assert (await phone.call("GET", f"{MINE}?cursor=x")).json()["code"] == "validation_failed"


async def test_it_is_shown_in_its_time_only(admin, phone):
    now = clock.now()
    try:
        clock.freeze(now)
        made = await published(
            admin,
            "t-1",
            starts_at=(now + timedelta(minutes=5)).isoformat(),
            ends_at=(now + timedelta(minutes=9)).isoformat(),
        )
        assert (made["status"], await titles(phone)) == ("scheduled", [])

        clock.freeze(now + timedelta(minutes=5))
        assert await titles(phone) == ["国庆营业时间"]

        clock.freeze(now + timedelta(minutes=9))
        assert await titles(phone) == []
        assert (await admin.get(f"{ALL}/{made['id']}")).json()["status"] == "over"
    finally:
        clock.reset()


async def test_one_whose_time_has_not_come_becomes_a_draft_again(admin, phone):
    later = (clock.now() + timedelta(days=1)).isoformat()
    made = await published(admin, "e-1", starts_at=later)

    back = (await admin.post(f"{ALL}/{made['id']}/withdraw")).json()
    changed = await admin.call("PUT", f"{ALL}/{made['id']}", BODY | {"title": "改", "version": back["version"]})

    assert back["status"] == "draft"
    assert (changed.status_code, changed.json()["title"]) == (200, "改")


async def test_a_stores_staff_announce_to_their_own_store_only(admin, manager, client, phone, settings):
    other = await register(client)
    await set_store(phone, "S1")
    await set_store(other, "S2")

    made = await published(manager, "m-1", title="本店")
    head = await published(admin, "m-2", title="总部", audience={"levels": [phone.member["level"]["code"]]})

    assert (made["store_id"], made["audience"]) == ("S1", {"store_ids": ["S1"]})
    assert await titles(phone) == ["总部", "本店"]
    assert await titles(other) == ["总部"]
    foreign = await manager.post(ALL, BODY | {"audience": {"store_ids": ["S2"]}}, key="m-3")
    assert (foreign.status_code, foreign.json()["errors"][0]["pointer"]) == (422, "/audience/store_ids/0")
    before = await fingerprint(settings)
    for method, path in (
        ("GET", ""), ("GET", "/reach"), ("GET", "/readers"), ("GET", "/changes"), ("POST", "/withdraw"),
    ):  # fmt: skip
        assert (await manager.call(method, f"{ALL}/{head['id']}{path}")).status_code == 404
    assert (await manager.post(f"{ALL}/{head['id']}/pin", {"pinned": True})).status_code == 404
    assert await fingerprint(settings) == before
    assert [item["id"] for item in (await manager.get(ALL)).json()["items"]] == [made["id"]]


async def test_a_retry_finds_the_first_draft(admin):
    first = await admin.post(ALL, BODY, key="k-1")
    again = await admin.post(ALL, BODY, key="k-1")
    other = await admin.post(ALL, BODY | {"title": "另"}, key="k-1")

    assert first.json()["id"] == again.json()["id"]
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


async def test_what_is_refused_changes_nothing(admin, settings):
    made = await draft(admin, "f-1")
    shown = await published(admin, "f-2")
    put = f"{ALL}/{made['id']}"
    past = (clock.now() - timedelta(days=1)).isoformat()
    over = await draft(admin, "f-3", ends_at=past)
    before = await fingerprint(settings)

    cases = [
        (await admin.post(ALL, BODY | {"cover": "0" * 64}, key="f-4"), 422, "validation_failed"),
        (await admin.post(ALL, BODY | {"body": "[x](javascript:1)"}, key="f-5"), 422, "validation_failed"),
        (await admin.post(ALL, BODY | {"body": f"![x](media:{'0' * 64})"}, key="f-6"), 422, "validation_failed"),
        (await admin.post(ALL, BODY | {"title": ""}, key="f-7"), 422, "validation_failed"),
        (await admin.post(ALL, BODY | {"audience": {"levels": ["none"]}}, key="f-8"), 422, "validation_failed"),
        (await admin.post(ALL, BODY | {"starts_at": past, "ends_at": past}, key="f-9"), 422, "validation_failed"),
        (await admin.post(ALL, BODY), 400, "idempotency_key_required"),
        (await admin.call("PUT", put, BODY | {"version": 9}), 409, "announcement_changed"),
        (await admin.post(f"{put}/publish", {"revision": 9}), 409, "announcement_changed"),
        (await admin.post(f"{put}/withdraw"), 409, "announcement_conflict"),
        (await admin.post(f"{ALL}/{over['id']}/publish", {"revision": 1}), 409, "announcement_conflict"),
        (await admin.call("PUT", f"{ALL}/{shown['id']}", BODY | {"version": 1}), 409, "announcement_conflict"),
        (await admin.get(f"{ALL}/N0"), 404, "not_found"),
        (await admin.get(f"{ALL}?cursor=x"), 422, "validation_failed"),
        (await admin.get(f"{ALL}/{shown['id']}/readers?cursor=x"), 422, "validation_failed"),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer, _, _ in cases] == [case[1:] for case in cases]
    assert await fingerprint(settings) == before


async def test_its_cover_and_pictures_are_kept_as_long_as_it_is_there(admin, phone):
    media = []
    for color in ("#102030", "#405060", "#708090"):
        sent = await admin.client.post(
            "/v1/admin/mall/media",
            content=picture(color=color),
            headers={"authorization": f"Bearer {admin.access_token}", "content-type": "image/png"},
        )
        media.append(sent.json()["id"])
    made = await published(admin, "c-1", cover=media[0], body=f"看图\n\n![图](media:{media[1]})")
    shown = (await phone.call("GET", MINE)).json()["items"][0]
    assert shown["cover_url"] == f"/v1/media/{media[0]}"

    await db.fetchval("UPDATE mall_media SET at = at - interval '9 days' RETURNING 1")
    await drop_unused()

    left = {row[0] for row in await db.fetch("SELECT id FROM mall_media WHERE id = ANY($1)", media)}
    assert left == {media[0], media[1]}
    await admin.post(f"{ALL}/{made['id']}/withdraw")
