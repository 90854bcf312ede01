"""The archive of a member: everything that is held, to that member alone, for some days."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import zipfile

from backend.kernel import clock, db
from backend.members.holding import all_holdings
from backend.privacy import lists
from backend.privacy.commands import exports
from tests.support.members import Phone, register

OWN = "/v1/member/privacy/exports"


async def made(phone: Phone) -> str:
    """An archive of that member, ready."""
    asked = await phone.call("POST", OWN)
    assert asked.status_code == 202, asked.text
    export_id: str = asked.json()["id"]
    await exports.make(export_id)
    return export_id


async def fetched(phone: Phone, export_id: str) -> zipfile.ZipFile:
    answer = await phone.call("GET", f"{OWN}/{export_id}/archive")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    return zipfile.ZipFile(io.BytesIO(answer.content))


def sheet(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    text = archive.read(f"数据/{name}.csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


async def test_a_member_gets_all_that_is_held_with_sealed_fields_opened(client, chain, settings):
    phone = await register(client, name="=周小满", phone="13912340001")
    address = {
        "name": "周大满",
        "phone": "13912340002",
        "region": "310104",
        "province": "上海市",
        "city": "上海市",
        "district": "徐汇区",
        "street": "漕溪路 1 号",
    }
    assert (await phone.call("POST", "/v1/member/addresses", address)).status_code == 201

    archive = await fetched(phone, await made(phone))

    assert archive.testzip() is None
    (profile,) = json.loads(archive.read("数据/会员资料/资料.json"))
    assert (profile["name"], profile["phone_sealed"]) == ("=周小满", "13912340001")
    (row,) = sheet(archive, "会员资料/资料")
    assert row["姓名"] == "'=周小满"  # no formula in anybody's spreadsheet
    (home,) = json.loads(archive.read("数据/商城订单/收货地址.json"))
    assert home["sealed"]["street"] == "漕溪路 1 号"
    page = archive.read("概览.html").decode()
    assert "13912340001" in page
    assert "漕溪路 1 号" in page
    assert {row["用途"] for row in sheet(archive, "授权与隐私/授权")} == {"terms", "privacy"}


async def test_it_is_its_member_s_alone_and_ends(client, chain, phone, admin):
    other = await register(client)
    export_id = await made(phone)

    theirs = await other.call("GET", f"{OWN}/{export_id}/archive")
    nobody = await client.get(f"{OWN}/{export_id}/archive")
    assert (theirs.status_code, nobody.status_code) == (404, 401)
    assert (await other.call("GET", OWN)).json()["items"] == []

    await db.pool().execute("UPDATE privacy_export SET until = $2 WHERE id = $1", export_id, clock.now())
    late = await phone.call("GET", f"{OWN}/{export_id}/archive")
    await exports.sweep()
    assert (late.status_code, late.json()["code"]) == (409, "export_gone")
    assert await db.fetchval("SELECT count(*) FROM privacy_piece WHERE export_id = $1", export_id) == 0
    gone = await phone.call("GET", f"{OWN}/{export_id}/archive")
    assert (gone.status_code, gone.json()["code"]) == (409, "export_gone")


async def test_once_a_day_also_when_asked_twice_at_once(phone):
    answers = await asyncio.gather(*(phone.call("POST", OWN) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [202, 429, 429, 429]
    assert {answer.json().get("code") for answer in answers} == {None, "export_daily"}
    (waiting,) = (await phone.call("GET", OWN)).json()["items"]
    early = await phone.call("GET", f"{OWN}/{waiting['id']}/archive")
    assert (early.status_code, early.json()["code"]) == (409, "export_not_ready")


async def test_staff_ask_for_a_member_who_is_there_and_never_see_it(phone, admin):
    body = {"member_id": str(phone.member_id), "reason": "会员到店申请"}
    asked = await admin.post("/v1/admin/privacy/exports", body)
    assert asked.status_code == 202, asked.text
    await exports.make(asked.json()["id"])

    (item,) = [
        one for one in (await admin.get("/v1/admin/privacy/exports")).json()["items"] if one["id"] == asked.json()["id"]
    ]
    assert (item["state"], item["reason"], item["member_no"]) == ("ready", "会员到店申请", phone.member["member_no"])
    assert (await admin.get(f"{OWN}/{item['id']}/archive")).status_code == 401
    assert (await fetched(phone, item["id"])).namelist()
    log = (await admin.get("/v1/admin/audit?limit=20")).json()["items"]
    assert any(item["id"] in entry["things"] for entry in log)


async def test_long_lists_go_page_by_page_and_a_dead_job_goes_on(phone, monkeypatch):
    """Killed behind any page, the job goes on there: no row is lost or doubled."""
    await db.pool().execute(
        "INSERT INTO message_letter (member_id, id, template, version, once, purpose, title, body, given, at, send_at)"
        " SELECT $1, 'L' || n, 'x', 0, n::text, 'service', 'letter ' || n, 'body', '{}', now(), now()"
        "   FROM generate_series(1, 10_000) AS n".replace("10_000", "10000"),
        phone.member_id,
    )
    asked = (await phone.call("POST", OWN)).json()["id"]
    steps, step = 0, exports._step

    class Killed(Exception):
        pass

    async def dies_now_and_then(export_id: str) -> bool:
        nonlocal steps
        steps += 1
        more = await step(export_id)
        if steps % 7 == 0:
            raise Killed
        return more

    monkeypatch.setattr(exports, "_step", dies_now_and_then)
    for _ in range(50):
        try:
            await asyncio.gather(exports.make(asked), exports.make(asked))
            break
        except Killed:
            continue

    archive = await fetched(phone, asked)
    letters = json.loads(archive.read("数据/消息/收到的消息.json"))
    assert len(letters) == 10_000
    assert {letter["title"] for letter in letters} == {f"letter {n}" for n in range(1, 10_001)}
    assert len(sheet(archive, "消息/收到的消息")) == 10_000
    assert steps > 20
    found = (await phone.call("GET", OWN)).json()["items"][0]
    assert (found["lists"], found["lists_all"]) == (len(lists.shown()), len(lists.shown()))
    assert await db.fetchval("SELECT count(*) FROM privacy_part WHERE export_id = $1", asked) == 0


async def test_every_list_can_be_read_and_goes_on_behind_its_key(phone):
    """Each declared list runs against the schema, with a place to go on behind."""
    async with db.transaction() as tx:
        for _holding, table in lists.shown():
            page = await lists.read(tx, table, phone.member_id, None)
            if page.parts:
                records = [json.loads(content) for name, _, content in page.parts if name is None]
                assert records


async def test_nothing_lies_open_in_the_database(client, chain):
    phone = await register(client, name="欧阳看不见", phone="13912349999")
    export_id = await made(phone)

    rows = await db.fetch("SELECT sealed FROM privacy_piece WHERE export_id = $1", export_id)
    assert rows
    assert all("欧阳" not in row["sealed"] and row["sealed"].split(".")[0] for row in rows)


def test_lists_follow_each_other_to_the_end():
    ids = [7, 4]
    every = lists.steps(ids)
    places = [lists.place_of(step) for step in every]
    assert lists.at(None, ids) == every[0]
    assert [lists.following(step, ids) for step in every] == [*places[1:], lists.END]
    assert [lists.at(place, ids) for place in places] == every
    assert lists.at(lists.END, ids) is None
    assert len(places) == len(set(places)) > 100
    assert {holding.name for holding in all_holdings()} > {"ledger", "orders", "privacy"}
