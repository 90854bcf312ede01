"""Pictures that members upload: theirs until something shows them, seen by signed addresses only, forgotten unused."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from io import BytesIO

import pytest
import pytest_asyncio
from PIL import Image

from backend.kernel import addresses, clock, db, drawing
from backend.kernel.errors import NotFound, Unavailable, ValidationFailed
from backend.mall import service
from backend.mall.commands import uploads
from tests.support.members import register
from tests.support.pictures import picture, upload, uploaded
from tests.support.races import outcomes


@pytest_asyncio.fixture(loop_scope="session")
async def other(client, chain):
    return await register(client)


@pytest.fixture(autouse=True)
def real_clock():
    """The clock goes on where it was."""
    yield
    clock.reset()


async def kept() -> int:
    found: int = await db.fetchval("SELECT count(*) FROM mall_upload")
    return found


async def use(member_id: int, *upload_ids: str) -> None:
    async with db.transaction() as tx:
        await service.use_uploads(tx, member_id, upload_ids, used_for="somewhere", at=clock.now())


async def test_a_picture_is_drawn_anew_and_seen_by_whoever_has_its_address(phone, other):
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "secret place", 6  # turned by a quarter
    sent = picture("JPEG", size=(900, 600), exif=exif) + b"<script>after the picture</script>"

    made = await upload(phone, sent, "image/jpeg")
    again = await upload(phone, sent, "image/jpeg")
    theirs = await upload(other, sent, "image/jpeg")
    large = await other.client.get(made.json()["url"])
    small = await other.client.get(made.json()["small_url"])

    assert (made.status_code, again.json()["id"]) == (201, made.json()["id"])
    assert theirs.json()["id"] != made.json()["id"]
    assert (made.json()["width"], made.json()["height"]) == (600, 900)
    assert [Image.open(BytesIO(one.content)).size for one in (large, small)] == [(600, 900), (267, 400)]
    assert (large.headers["content-type"], large.headers["cache-control"]) == ("image/webp", "private, max-age=3600")
    assert b"secret" not in large.content
    assert b"script" not in large.content


async def test_an_address_that_is_not_ours_or_over_shows_nothing(phone):
    made = (await upload(phone, picture(color="black"))).json()
    until, signature = made["url"].partition("?until=")[2].split("&signature=")
    bare = f"/v1/uploads/{made['id']}"
    forged = [
        bare,
        f"{bare}?until={until}",
        f"{bare}?until={int(until) + 3600}&signature={signature}",
        f"{bare}?until={until}&signature={signature[:-1]}{'0' if signature[-1] != '0' else '1'}",
        f"/v1/uploads/{'0' * 64}?until={until}&signature={signature}",
        f"/v1/media/{made['id']}",
    ]

    refused = [await phone.client.get(path) for path in forged]

    assert outcomes(refused) == {"not_found": len(forged)}
    assert (await phone.client.get(made["url"])).status_code == 200


@pytest.mark.parametrize(
    ("until", "good"), [(7_200, True), (10_800, True), (3_700, True), (3_600, False), (10_801, False), (2**40, False)]
)
def test_an_address_is_good_for_an_hour_at_least_and_two_at_most(until, good):
    assert addresses.good_until(3_600) == addresses.good_until(7_199) == 10_800
    assert addresses.is_good(until, 3_600) is good


@pytest.mark.parametrize(
    ("data", "kind", "code"),
    [
        (b"", "image/png", "validation_failed"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "image/png", "validation_failed"),
        (picture("GIF"), "image/png", "validation_failed"),
        (picture("PNG", size=(7_000, 6_000), mode="1"), "image/png", "validation_failed"),
        (picture(), "image/svg+xml", "unsupported_media_type"),
        (picture(), "application/octet-stream", "unsupported_media_type"),
        (b"\0" * ((8 << 20) + 1), "image/png", "payload_too_large"),
    ],
    ids=["empty", "svg", "gif", "too many pixels", "named svg", "unnamed", "too large"],
)
async def test_what_is_no_picture_is_refused_and_not_kept(phone, data, kind, code):
    before = await kept()

    refused = await upload(phone, data, kind)

    assert (refused.json()["code"], await kept()) == (code, before)


async def test_a_member_keeps_forty_a_day_also_when_all_come_at_once(phone, monkeypatch):
    monkeypatch.setattr(uploads, "A_DAY", 3)
    pictures = [picture(size=(30, 20 + number)) for number in range(8)]

    answers = await asyncio.gather(*(upload(phone, one) for one in pictures))
    known = next(index for index, answer in enumerate(answers) if answer.status_code == 201)
    again = await upload(phone, pictures[known])

    assert outcomes(answers) == {201: 3, "rate_limited": 5}
    assert {answer.headers["retry-after"] for answer in answers if answer.status_code == 429} <= {"86400", "86401"}
    assert again.json()["id"] == answers[known].json()["id"]
    clock.shift(timedelta(days=1, seconds=1))
    assert (await uploads.add(picture(size=(30, 50)), phone.member_id))[0]


async def test_who_comes_in_a_crowd_is_told_to_come_again(monkeypatch):
    monkeypatch.setattr(drawing, "MOST_WAITING", 0)

    with pytest.raises(Unavailable):
        await drawing.draw(picture())


async def test_a_picture_is_used_once_and_by_its_member_alone(phone, other):
    mine, used, theirs = (
        await uploaded(phone, "#100001"),
        await uploaded(phone, "#100002"),
        await uploaded(other, "#100003"),
    )
    await use(phone.member_id, used)

    for wanted in ((mine, theirs), (mine, used), (mine, "0" * 64)):
        with pytest.raises(NotFound):
            await use(phone.member_id, *wanted)
    with pytest.raises(ValidationFailed):
        await use(phone.member_id, mine, mine)

    assert await db.fetchval("SELECT used_for FROM mall_upload WHERE id = $1", mine) is None
    await use(phone.member_id, mine)
    assert await db.fetchval("SELECT used_for FROM mall_upload WHERE id = $1", mine) == "somewhere"


async def test_two_at_once_use_a_picture_once(phone):
    upload_id = await uploaded(phone, "purple")

    done = await asyncio.gather(*(use(phone.member_id, upload_id) for _ in range(6)), return_exceptions=True)

    assert [type(one) for one in done if one is not None] == [NotFound] * 5


async def test_what_was_not_used_in_two_days_is_forgotten(phone, monkeypatch):
    monkeypatch.setattr(uploads, "_SWEPT", 1)
    used, unused = await uploaded(phone, "red"), await uploaded(phone, "green")
    await uploaded(phone, "blue")
    await use(phone.member_id, used)
    first = await uploads.drop_unused()
    clock.shift(timedelta(days=2, seconds=1))

    dropped = await uploads.drop_unused()

    left = {row["id"] for row in await db.fetch("SELECT id FROM mall_upload WHERE member_id = $1", phone.member_id)}
    assert (first, left) == (0, {used})
    assert dropped >= 2
    assert unused not in left
