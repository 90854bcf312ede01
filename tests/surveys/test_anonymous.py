"""What an anonymous answer leaves behind: nothing that leads to its member."""

from __future__ import annotations

import pytest

from backend.kernel import clock as kernel_clock
from backend.kernel import db
from backend.surveys.commands import mixing
from backend.surveys.commands.photos import PHOTOS
from backend.surveys.service import today, week_of
from tests.support.books import fingerprint
from tests.support.members import register
from tests.support.pictures import picture, uploaded
from tests.support.surveys import MINE, SURVEYS, WHY, make_survey, send, taste

pytestmark = pytest.mark.usefixtures("books")

PHOTO = {"id": "photo", "kind": "photo", "title": "拍一张", "at_most": 2}


async def upload(phone, survey, data):
    headers = {"Authorization": f"Bearer {phone.access_token}", "Content-Type": "image/jpeg"}
    return await phone.client.post(f"{MINE}/{survey['id']}/photos", content=data, headers=headers)


async def test_the_rows_of_answers_and_participations_have_no_transaction_in_common_once_mixed(client, admin):
    survey = await make_survey(admin, anonymous=True)
    for number in range(6):
        await send(await register(client), survey, taste("good", number))
    before = await _rows(survey)

    mixed = await mixing.mix()
    after = await _rows(survey)

    assert mixed == 6
    assert len({row["xmin"] for row in before}) == 6
    assert len({row["xmin"] for row in after}) == 1
    parts = await db.fetch("SELECT xmin::text FROM survey_participation WHERE survey_id = $1", survey["id"])
    assert not {row["xmin"] for row in after} & {row["xmin"] for row in parts}
    assert {row["id"]: row["given"] for row in after} == {row["id"]: row["given"] for row in before}
    told = (await admin.get(f"{SURVEYS}/{survey['id']}/statistics")).json()
    assert told["answers"] == 6
    assert [one["count"] for one in told["questions"][1]["choices"]][:6] == [1] * 6


async def _rows(survey):
    return await db.fetch("SELECT xmin::text, id, given FROM survey_answer WHERE survey_id = $1", survey["id"])


async def test_of_its_time_the_week_is_kept(admin, phone):
    survey = await make_survey(admin, anonymous=True)
    await send(phone, survey)

    on = await db.fetchval('SELECT "on" FROM survey_answer WHERE survey_id = $1', survey["id"])
    choices = await db.fetch('SELECT DISTINCT "on" FROM survey_choice WHERE survey_id = $1', survey["id"])
    told = (await admin.get(f"{SURVEYS}/{survey['id']}/over-time?by=day")).json()

    assert on == week_of(today(kernel_clock.now()))
    assert on.weekday() == 0
    assert [row["on"] for row in choices] == [on]
    assert told["by"] == "week"


async def test_photos_of_anonymous_answers_are_nobody_s_and_used_once(client, admin, phone):
    survey = await make_survey(admin, PHOTO, anonymous=True)
    kept = await upload(phone, survey, picture("JPEG"))
    photo = kept.json()["id"]
    answer = [{"question": "photo", "photos": [photo]}]

    sent = await send(phone, survey, answer)
    again = await send(await register(client), survey, answer)

    assert (kept.status_code, sent.status_code) == (201, 201), sent.text
    assert (again.status_code, again.json()["code"]) == (422, "validation_failed")
    (raw,) = (await admin.get(f"{SURVEYS}/{survey['id']}/answers")).json()["items"]
    address = raw["photos"][0]
    seen = await client.get(address["small_url"])  # signed, and given to those who may read the answer
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/webp")
    assert (await client.get(address["small_url"][:-1])).status_code == 404
    unused = (await upload(await register(client), survey, picture("PNG"))).json()["id"]
    assert (await client.get(PHOTOS.address(unused)[0])).status_code == 404
    assert seen.content.startswith(b"RIFF")
    assert await db.fetchval("SELECT count(*) FROM mall_upload WHERE member_id = $1", phone.member_id) == 0


async def test_photos_are_mixed_with_the_answers_they_belong_to(client, admin):
    survey = await make_survey(admin, PHOTO, anonymous=True)
    for number in range(12):
        member = await register(client)
        photo = (await upload(member, survey, picture("JPEG", color=f"#{number:02d}2233"))).json()["id"]
        await send(member, survey, [{"question": "photo", "photos": [photo]}])
    waiting = (await upload(await register(client), survey, picture("PNG"))).json()["id"]
    sql = "SELECT id, xmin::text, large FROM survey_photo WHERE survey_id = $1 AND used ORDER BY ctid"
    before = await db.fetch(sql, survey["id"])

    await mixing.mix()

    after = await db.fetch(sql, survey["id"])
    assert {row["id"]: row["large"] for row in after} == {row["id"]: row["large"] for row in before}
    assert len({row["xmin"] for row in after}) == 1
    assert [row["id"] for row in after] != [row["id"] for row in before]  # 12! orders
    assert await db.fetchval("SELECT used FROM survey_photo WHERE id = $1", waiting) is False


async def test_what_is_no_photo_or_belongs_to_another_survey_is_refused(admin, phone, settings):
    named, anonymous, other = [await make_survey(admin, PHOTO, anonymous=flag) for flag in (False, True, True)]
    kept = (await upload(phone, other, picture("JPEG"))).json()["id"]
    before = await fingerprint(settings)

    svg = await upload(phone, anonymous, b"<svg onload='alert(1)'/>")
    into_named = await upload(phone, named, picture("JPEG"))
    foreign = await send(phone, anonymous, [{"question": "photo", "photos": [kept]}])

    assert (svg.status_code, svg.json()["code"]) == (422, "validation_failed")
    assert into_named.status_code == 404
    assert foreign.status_code == 422
    assert await fingerprint(settings) == before


async def test_photos_under_a_name_are_the_member_s_uploads(admin, phone):
    survey = await make_survey(admin, PHOTO, WHY)
    kept = await uploaded(phone, "#112233")

    sent = await send(phone, survey, [{"question": "photo", "photos": [kept]}])

    assert sent.status_code == 201, sent.text
    (raw,) = (await admin.get(f"{SURVEYS}/{survey['id']}/answers")).json()["items"]
    assert (await admin.client.get(raw["photos"][0]["url"])).status_code == 200
