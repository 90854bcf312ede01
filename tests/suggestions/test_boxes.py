"""Boxes and signed suggestions: who names, who reads, who answers, and what is refused."""

from __future__ import annotations

import asyncio
import io
import xml.etree.ElementTree as ET
from datetime import date

import openpyxl
import pytest

from backend.kernel import clock, config, db
from backend.suggestions import queries
from backend.suggestions.figures import LEAST_RATED, average, whole_months
from tests.support.books import fingerprint
from tests.support.members import register
from tests.support.pictures import uploaded
from tests.support.suggestions import BOXES, INBOX, make_box, suggest, whisper

pytestmark = pytest.mark.usefixtures("books")

MINE = "/v1/member/suggestions"
DAYS = "from=2026-01-01&to=2028-12-31"


async def test_a_signed_suggestion_is_answered_rated_and_closed(admin, reader, phone):
    box = await make_box(admin, reader.id)
    shown = (await phone.call("GET", "/v1/member/suggestion-boxes")).json()["items"]
    picture = await uploaded(phone, "#102030")
    path = f"/v1/member/suggestion-boxes/{box['id']}/suggestions"

    body = {"text": " 早点开门 ", "pictures": [picture]}
    made = await phone.call("POST", path, body, key="first")
    again = await phone.call("POST", path, body, key="first")
    other = await phone.call("POST", path, {"text": "晚点关门"}, key="first")
    waiting = (await reader.session.get(f"{INBOX}?box_id={box['id']}&state=open")).json()["items"]
    seen = (await reader.session.get(f"{INBOX}/{made.json()['id']}")).json()
    answer = {"text": "七点开门", "version": seen["version"]}
    answered = await reader.session.post(f"{INBOX}/{seen['id']}/answers", answer)
    twice = await reader.session.post(f"{INBOX}/{seen['id']}/answers", answer)
    stale = await reader.session.post(f"{INBOX}/{seen['id']}/answers", answer | {"text": "八点"})
    rated = await phone.call("PUT", f"{MINE}/{seen['id']}/rating", {"rating": 5, "text": "谢谢"})
    added = await phone.call("POST", f"{MINE}/{seen['id']}/messages", {"text": "好"}, key="second")
    version = (await reader.session.get(f"{INBOX}/{seen['id']}")).json()["version"]
    closed = await reader.session.post(f"{INBOX}/{seen['id']}/close", {"version": version})
    mine = (await phone.call("GET", MINE)).json()

    assert [item["id"] for item in shown] == [box["id"]]
    assert (made.status_code, again.status_code) == (201, 201)
    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (made.json()["id"], "true")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert [(item["excerpt"], item["anonymous"]) for item in waiting] == [("早点开门", False)]
    assert seen["writer"] == {
        "member_id": str(phone.member_id),
        "member_no": phone.member["member_no"],
        "name_masked": "王**",
        "level": phone.member["level"]["name"],
    }
    assert seen["messages"][0]["text"] == "早点开门"
    assert (await phone.client.get(seen["messages"][0]["pictures"][0]["url"])).status_code == 200
    assert (answered.status_code, answered.json()["state"]) == (201, "answered")
    assert answered.json()["messages"][1]["staff"] == "reader"
    assert (twice.status_code, len(twice.json()["messages"])) == (201, 2)
    assert (stale.status_code, stale.json()["code"]) == (409, "suggestion_conflict")
    assert (rated.json()["rating"], rated.json()["rating_text"]) == (5, "谢谢")
    assert rated.json()["messages"][1]["staff"] is None
    assert (added.status_code, added.json()["state"], added.json()["may_add"]) == (201, "open", 4)
    assert (closed.status_code, closed.json()["state"]) == (200, "closed")
    assert [(item["id"], item["state"], item["rating"]) for item in mine["items"]] == [(seen["id"], "closed", 5)]
    (letter,) = (await phone.call("GET", "/v1/member/inbox")).json()["items"]
    assert (letter["title"], letter["link"]) == ("您的意见有答复了", f"#/suggestion?{seen['id']}")


async def test_only_its_administrators_read_a_box(admin, office, chain, reader, other, phone, settings):
    box = await make_box(admin, reader.id, title="只给一人看")
    made = await suggest(phone, box)
    stranger = await register(phone.client)
    before = await fingerprint(settings)
    asked = [
        (other.session, "GET", f"{INBOX}/{made['id']}", None),
        (admin, "GET", f"{INBOX}/{made['id']}", None),
        (admin, "POST", f"{INBOX}/{made['id']}/answers", {"text": "x", "version": 1}),
        (admin, "POST", f"{INBOX}/{made['id']}/close", {"version": 1}),
        (other.session, "POST", f"{INBOX}/{made['id']}/assign", {"staff_id": None, "version": 1}),
        (other.session, "GET", f"{INBOX}?box_id={box['id']}", None),
        (other.session, "GET", f"{BOXES}/statistics?{DAYS}&box_id={box['id']}", None),
        (stranger, "GET", f"{MINE}/{made['id']}", None),
        (stranger, "POST", f"{MINE}/{made['id']}/messages", {"text": "x"}),
        (stranger, "PUT", f"{MINE}/{made['id']}/rating", {"rating": 1}),
    ]

    answers = [await who.call(method, path, body, key="k") for who, method, path, body in asked]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not_found")] * len(asked)
    assert await fingerprint(settings) == before
    assert box["id"] not in [item["id"] for item in (await other.session.get(BOXES)).json()["items"]]
    listed = {item["id"]: item for item in (await admin.get(BOXES)).json()["items"]}
    assert (listed[box["id"]]["mine"], listed[box["id"]]["waiting"]) == (False, None)


async def test_who_is_no_administrator_any_more_reads_nothing(admin, reader, other, phone):
    box = await make_box(admin, reader.id)
    made = await suggest(phone, box)
    body = {"title": "食堂", "administrators": [other.id], "version": 1}

    changed = await admin.call("PUT", f"{BOXES}/{box['id']}", body)
    stale = await admin.call("PUT", f"{BOXES}/{box['id']}", body)

    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert (stale.status_code, stale.json()["code"]) == (409, "box_conflict")
    assert (await reader.session.get(f"{INBOX}/{made['id']}")).status_code == 404
    assert (await other.session.get(f"{INBOX}/{made['id']}")).status_code == 200
    notes = (await admin.get(f"{BOXES}/{box['id']}/changes")).json()["items"]
    assert [item["action"] for item in notes] == ["change", "create"]


async def test_a_store_s_box_is_its_staff_s(admin, reader, other, phone):
    wrong = await admin.post(BOXES, {"title": "一店", "store_id": "S1", "administrators": [other.id]})
    nowhere = await admin.post(BOXES, {"title": "一店", "store_id": "S9", "administrators": [reader.id]})
    nobody = await admin.post(BOXES, {"title": "一店", "administrators": ["4711"]})
    box = await make_box(admin, reader.id, store_id="S1")

    assert [answer.json()["errors"][0]["pointer"] for answer in (wrong, nowhere, nobody)] == [
        "/administrators/0",
        "/store_id",
        "/administrators/0",
    ]
    shown = {item["id"]: item for item in (await phone.call("GET", "/v1/member/suggestion-boxes")).json()["items"]}
    assert shown[box["id"]]["store"] == "南京路店"


async def test_a_closed_box_takes_nothing_and_what_is_in_it_is_answered(admin, reader, phone, settings):
    box = await make_box(admin, reader.id)
    made = await suggest(phone, box)
    assert (await admin.post(f"{BOXES}/{box['id']}/close")).json()["state"] == "closed"
    before = await fingerprint(settings)

    path = f"/v1/member/suggestion-boxes/{box['id']}/suggestions"
    refused = await phone.call("POST", path, {"text": "x"}, key="late")
    unknown = await phone.call("POST", path.replace(box["id"], "B0"), {"text": "x"}, key="late")
    blank = await phone.call("POST", path, {"text": " \n "}, key="late")

    assert (refused.status_code, refused.json()["code"]) == (409, "box_closed")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert (blank.status_code, blank.json()["code"]) == (422, "validation_failed")
    assert await fingerprint(settings) == before
    assert box["id"] not in str((await phone.call("GET", "/v1/member/suggestion-boxes")).json())
    answered = await reader.session.post(f"{INBOX}/{made['id']}/answers", {"text": "x", "version": 1, "close": True})
    assert answered.json()["state"] == "closed"


async def test_the_same_request_twice_at_once_is_one_suggestion(admin, reader, phone):
    box = await make_box(admin, reader.id)
    path = f"/v1/member/suggestion-boxes/{box['id']}/suggestions"

    answers = await asyncio.gather(*(phone.call("POST", path, {"text": "一次"}, key="once") for _ in range(6)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await reader.session.get(f"{INBOX}?box_id={box['id']}")).json()["items"]) == 1


async def test_two_answers_at_once_one_is_told_to_read_again(admin, reader, phone):
    box = await make_box(admin, reader.id)
    made = await suggest(phone, box)
    path = f"{INBOX}/{made['id']}/answers"

    answers = await asyncio.gather(*(reader.session.post(path, {"text": text, "version": 1}) for text in "一二三"))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert len((await reader.session.get(f"{INBOX}/{made['id']}")).json()["messages"]) == 2


async def test_five_messages_are_enough_before_an_answer(admin, reader, phone):
    box = await make_box(admin, reader.id)
    made = await suggest(phone, box)
    path = f"{MINE}/{made['id']}"

    early = await phone.call("PUT", f"{path}/rating", {"rating": 3})
    added = [await phone.call("POST", f"{path}/messages", {"text": "还有"}, key=f"more{n}") for n in range(5)]

    assert (early.status_code, early.json()["code"]) == (409, "suggestion_conflict")
    assert [answer.status_code for answer in added] == [201] * 4 + [409]
    assert added[4].json()["code"] == "wait_for_answer"
    assert len((await phone.call("GET", path)).json()["messages"]) == 5


async def test_pages_assignment_and_numbers_by_month(admin, reader, other, phone):
    box = await make_box(admin, reader.id, title="数字")
    made = [await suggest(phone, box, f"第{n}条", key=f"n{n}") for n in range(3)]
    first = (await reader.session.get(f"{INBOX}?box_id={box['id']}&limit=2")).json()
    rest = (await reader.session.get(f"{INBOX}?box_id={box['id']}&limit=2&cursor={first['next_cursor']}")).json()
    mine = (await phone.call("GET", f"{MINE}?limit=2")).json()
    more = (await phone.call("GET", f"{MINE}?limit=2&cursor={mine['next_cursor']}")).json()
    path = f"{INBOX}/{made[0]['id']}"

    mistaken = await reader.session.post(f"{path}/assign", {"staff_id": other.id, "version": 1})
    assigned = await reader.session.post(f"{path}/assign", {"staff_id": reader.id, "version": 1})
    answered = await reader.session.post(f"{path}/answers", {"text": "好", "close": True, "version": 2})
    await phone.call("PUT", f"{MINE}/{made[0]['id']}/rating", {"rating": 4})
    (month,) = (await admin.get(f"{BOXES}/statistics?{DAYS}&box_id={box['id']}")).json()["items"]

    assert sorted(item["id"] for item in first["items"] + rest["items"]) == sorted(one["id"] for one in made)
    assert rest["next_cursor"] is None
    assert [item["id"] for item in mine["items"] + more["items"]] == [one["id"] for one in reversed(made)]
    assert (mistaken.status_code, mistaken.json()["code"]) == (422, "validation_failed")
    assert assigned.json()["assigned_to"] == reader.id
    assert answered.status_code == 201
    del month["month"], month["box_id"]
    assert month == {
        "box_title": "数字",
        "received": 3,
        "anonymous": 0,
        "answered": 1,
        "closed": 1,
        "rated": 1,
        "rating": None,  # fewer than five rated
        "answer_days": 0.0,
    }


async def test_figures_are_of_whole_months_as_numbers_files_and_charts(admin, reader, other, phone):
    box = await make_box(admin, reader.id, title="=月报")
    for number in range(LEAST_RATED):
        made = await suggest(phone, box, f"第{number}条", key=f"f{number}")
        answer = {"text": "好", "close": False, "version": 1}
        assert (await reader.session.post(f"{INBOX}/{made['id']}/answers", answer)).status_code == 201
        rated = await phone.call("PUT", f"{MINE}/{made['id']}/rating", {"rating": 5 if number else 1})
        assert rated.status_code == 200
    await whisper(phone, box)
    today = clock.local_date(clock.now(), config.settings().timezone)
    month, day = f"{today:%Y-%m}", f"box_id={box['id']}&from={today:%Y-%m}-01&to={today:%Y-%m}-01"
    path = f"{BOXES}/statistics"

    (told,) = (await reader.session.get(f"{path}?{day}")).json()["items"]
    csv = (await admin.get(f"{path}/file?{day}")).content.decode("utf-8-sig")
    book = openpyxl.load_workbook(io.BytesIO((await admin.get(f"{path}/file?{day}&format=xlsx")).content))
    drawn = {by: await admin.get(f"{path}/chart?{day}&by={by}") for by in ("month", "box")}
    png = await admin.get(f"{path}/chart?{day}&format=png")

    # asked for by the first day of the month; what came today is in it
    assert (told["received"], told["anonymous"], told["rated"], told["rating"]) == (6, 1, 5, 4.2)
    assert csv.splitlines()[1] == f"'=月报,{month},6,1,5,0,5,4.20,0"
    assert [cell.value for cell in book.worksheets[0][2]] == ["'=月报", month, 6, 1, 5, 0, 5, "4.20", "0"]
    for by, chart in drawn.items():
        assert chart.headers["content-type"] == "image/svg+xml"
        ET.fromstring(chart.content)
        assert "共 6 条，其中匿名 1 条，已答复 5 条" in chart.text
        assert (month if by == "month" else "=月报") in chart.text
    assert png.content.startswith(b"\x89PNG")
    for what in ("", "/file", "/chart"):
        refused = await other.session.get(f"{path}{what}?{day}")
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("days", ["from=9999-12-01&to=9999-12-31", "from=0001-01-01&to=0001-01-02", DAYS + "-x"])
async def test_months_that_cannot_be_told_are_refused(admin, days):
    for what in ("", "/file", "/chart"):
        refused = await admin.get(f"{BOXES}/statistics{what}?{days}")
        assert (refused.status_code, refused.json()["code"]) == (422, "validation_failed")


def test_months_are_whole_and_few_ratings_are_not_told():
    assert whole_months(date(2028, 2, 29), date(2028, 2, 29)) == (date(2028, 2, 1), date(2028, 2, 29))
    assert whole_months(date(2027, 12, 31), date(2028, 1, 1)) == (date(2027, 12, 1), date(2028, 1, 31))
    assert (average(4, 20), average(5, 20), average(0, 0)) == (None, 4.0, None)


async def test_there_are_no_more_boxes_than_members_are_shown(admin, reader, settings, monkeypatch):
    before = await fingerprint(settings)
    monkeypatch.setattr(queries, "MOST_BOXES", 0)

    refused = await admin.post(BOXES, {"title": "又一个", "administrators": [reader.id]})

    assert (refused.status_code, refused.json()["code"]) == (409, "box_conflict")
    assert await fingerprint(settings) == before


async def test_a_page_of_several_boxes_goes_by_day_over_all_of_them(admin, reader, phone):
    boxes = [await make_box(admin, reader.id, title=f"箱{n}") for n in range(3)]
    made = [(await suggest(phone, boxes[n % 3], f"第{n}条", key=f"p{n}"))["id"] for n in range(9)]
    async with db.transaction() as tx:
        for number, one in enumerate(made):
            await db.raw(tx).execute(
                "UPDATE suggestion SET day = day - $2::int WHERE id = $1", one, 20 + number if number else 90
            )
    mine = {box["id"] for box in boxes}

    async def read(query=""):
        found, cursor = [], None
        while True:
            page = f"{INBOX}?limit=4{query}" + (f"&cursor={cursor}" if cursor else "")
            told = (await reader.session.get(page)).json()
            found += [item["id"] for item in told["items"] if item["box_id"] in mine]
            if (cursor := told["next_cursor"]) is None:
                return found

    answer = {"text": "好", "close": False, "version": 1}
    assert (await reader.session.post(f"{INBOX}/{made[3]}/answers", answer)).status_code == 201
    assert await read() == [*made[1:], made[0]]
    assert await read("&state=open") == [one for one in [*made[1:], made[0]] if one != made[3]]
    assert await read("&state=answered") == [made[3]]
