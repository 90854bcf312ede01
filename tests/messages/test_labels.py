"""Address labels: every place on the page, nobody without an address or consent, once for each key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import reportlab
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from backend.kernel import db
from backend.messages.commands import labels as commands
from backend.messages.delivery import labels, sheets
from backend.messages.delivery.labels import LAYOUTS, PAGE, Label, Layout, fit, place
from backend.messages.types import Channel, Purpose
from tests.support.books import fingerprint
from tests.support.delivery import add_address
from tests.support.members import register
from tests.support.messages import BATCHES, agree, make_batch, own_template, work
from tests.support.staff import log_in

LABELS = "/v1/admin/messages/labels"
LAYOUT = st.sampled_from(list(LAYOUTS.values()))


def boxes(layout: Layout, count: int, skip: int) -> list[tuple[int, float, float, float, float]]:
    found = []
    for index in range(count):
        at = place(layout, index, skip)
        found.append((at.page, at.x, at.y, at.x + layout.width, at.y + layout.height))
    return found


@given(layout=LAYOUT, skip=st.integers(0, 63), count=st.integers(1, 80))
def test_every_label_lies_on_the_page_and_on_no_other(layout: Layout, skip: int, count: int) -> None:
    skip %= layout.on_page
    found = boxes(layout, count, skip)

    assert all(0 <= left < right <= PAGE[0] and 0 <= top < bottom <= PAGE[1] for _, left, top, right, bottom in found)
    by_page: dict[int, list[Any]] = {}
    for page, *box in found:
        by_page.setdefault(page, []).append(box)
    for there in by_page.values():
        for number, (left, top, right, bottom) in enumerate(there):
            for other in there[:number]:
                apart = (
                    left >= other[2] - 1e-9
                    or right <= other[0] + 1e-9
                    or top >= other[3] - 1e-9
                    or bottom <= other[1] + 1e-9
                )
                assert apart
    assert len(by_page) == labels.pages(layout, count, skip) == found[-1][0] + 1
    assert sum(len(there) for there in by_page.values()) == count


def test_used_places_are_left_free() -> None:
    layout = LAYOUTS["a4-3x8"]

    assert [place(layout, index, 4) for index in (0, 1, 2, 19, 20)] == [
        labels.Place(0, 70.0, 37.5),
        labels.Place(0, 140.0, 37.5),
        labels.Place(0, 0.0, 74.5),
        labels.Place(0, 140.0, 259.5),
        labels.Place(1, 0.0, 0.5),
    ]


def wide(text: str, size: float) -> float:
    """Every Chinese character is as wide as the size says, others half."""
    return sum(size if ord(sign) > 0x2E7F else size / 2 for sign in text) * 25.4 / 72


TEXTS = st.lists(st.text("广东省深圳市南山区科技园 A座1201", max_size=90), min_size=1, max_size=3)


@given(texts=TEXTS, name=st.text("李雷韩梅", min_size=1, max_size=6))
@examples(max_examples=60)
def test_what_is_printed_fits_and_ends_with_the_name(texts: list[str], name: str) -> None:
    fitted = fit([*texts, name], 62.0, 29.0, wide)

    assert all(wide(line, fitted.size) <= 62.0 + 1e-9 for line in fitted.lines)
    assert len(fitted.lines) * fitted.size * labels.LEADING * 25.4 / 72 <= 29.0
    assert fitted.lines[-1] == name
    if not fitted.cut:
        assert "".join("".join(fitted.lines).split()) == "".join("".join([*texts, name]).split())


def test_a_word_is_broken_only_where_it_is_longer_than_a_line() -> None:
    assert fit(["世纪大道 Shanghai World Financial Center"], 30.0, 60.0, wide, (10.0,)).lines == (
        "世纪大道 Shanghai",
        "World Financial",
        "Center",
    )
    assert fit(["W" * 40], 30.0, 60.0, wide, (10.0,)).lines == ("W" * 17, "W" * 17, "W" * 6)


def drawn(wanted: list[Label], layout: str = "a4-3x8", skip: int = 0) -> bytes:
    return sheets.draw(LAYOUTS[layout], wanted, skip=skip, sender="惠员便利", font_file="", compress=False)


def says(pdf: bytes, text: str) -> bool:
    """Whether a text stands in a PDF whose strings are UCS-2, as its one font has them."""
    written = text.encode("utf-16-be")
    plain = {byte: bytes((byte,)) for byte in range(32, 127)} | {byte: b"\\%c" % byte for byte in b"()\\"}
    escaped = b"".join(plain.get(byte, b"\\%03o" % byte) for byte in written)
    return escaped in pdf


def test_the_sheet_is_a_pdf_with_every_address() -> None:
    pdf = drawn([Label("广东省深圳市南山区", f"科技园 {number} 号", "李雷") for number in range(30)], skip=4)

    assert pdf.startswith(b"%PDF-1.")
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 2
    assert all(says(pdf, f"科技园 {number} 号") for number in range(30))
    assert says(pdf, "李雷 收")


def test_signs_that_the_font_lacks_are_marked_and_those_of_names_are_shown() -> None:
    pdf = drawn([Label("新疆", "𠮷祥路 1 号\n(后门)\x00", "阿不都·买买提")])

    assert says(pdf, "〓祥路 1 号 (后门)")
    assert says(pdf, "阿不都・买买提 收")


def test_a_letter_for_a_window_has_its_text_below_the_fold() -> None:
    pdf = drawn([Label("北京市朝阳区", "建国路 88 号", "韩梅梅", "生日快乐", "亲爱的会员：\n祝您生活愉快！")], "window")

    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    assert all(says(pdf, text) for text in ("生日快乐", "亲爱的会员：", "祝您生活愉快！", "惠员便利", "建国路 88 号"))


def test_a_font_of_the_chains_own_is_embedded_in_part() -> None:
    font = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"

    pdf = sheets.draw(LAYOUTS["a4-3x8"], [Label("Hubei", "1 Road", "Li")], skip=0, sender="x", font_file=str(font))

    assert b"/FontFile2" in pdf
    assert b"STSong" not in pdf
    assert len(pdf) < font.stat().st_size


async def ask(staff: Any, key: str, **body: Any) -> Any:
    return await staff.post(LABELS, body, key=key)


async def made(staff: Any, key: str, **body: Any) -> dict[str, Any]:
    """A sheet, asked for and made."""
    answer = await ask(staff, key, **body)
    assert answer.status_code == 202, answer.text
    await commands.make(answer.json()["id"])
    found: dict[str, Any] = (await staff.get(f"{LABELS}/{answer.json()['id']}")).json()
    return found


@pytest.mark.usefixtures("chain", "no_other_letter")
async def test_a_sheet_holds_those_who_agreed_and_have_an_address(admin, client):
    there, homeless, unwilling = [await register(client) for _ in range(3)]
    for one in (there, homeless):
        await agree(one.member_id, Channel.POST, Purpose.MARKETING)
    for one in (there, unwilling):
        await add_address(one)
    numbers = [one.member["member_no"] for one in (there, homeless, unwilling)]

    waiting = (await ask(admin, "k1", audience={"member_nos": numbers}, skip=2)).json()
    early = await admin.get(f"{LABELS}/{waiting['id']}/pdf")
    sheet = await made(admin, "k1", audience={"member_nos": numbers}, skip=2)
    pdf = await admin.get(f"{LABELS}/{sheet['id']}/pdf")

    assert waiting["id"] == sheet["id"]
    assert (waiting["state"], early.status_code, early.json()["code"]) == ("waiting", 409, "labels_not_ready")
    assert {name: sheet[name] for name in ("state", "labels", "pages", "no_address", "no_consent")} == {
        "state": "done", "labels": 1, "pages": 1, "no_address": 1, "no_consent": 1,
    }  # fmt: skip
    assert (pdf.status_code, pdf.headers["content-type"]) == (200, "application/pdf")
    assert pdf.headers["cache-control"] == "no-store"
    assert pdf.content.startswith(b"%PDF")
    sealed = await db.fetchval("SELECT sealed FROM message_sheet WHERE id = $1", sheet["id"])
    assert "PDF" not in sealed


@pytest.mark.usefixtures("chain", "no_other_letter")
async def test_a_sheet_of_nobody_is_done_and_has_no_pdf(admin, client):
    nobody = (await register(client)).member["member_no"]

    sheet = await made(admin, "k2", audience={"member_nos": [nobody]})

    assert (sheet["state"], sheet["labels"], sheet["pages"], sheet["no_consent"]) == ("done", 0, 0, 1)
    assert (await admin.get(f"{LABELS}/{sheet['id']}/pdf")).json()["code"] == "labels_not_ready"


@pytest.mark.usefixtures("chain", "no_other_letter")
async def test_letters_of_a_batch_count_as_sent_when_they_are_printed(admin, client):
    one = await register(client)
    await agree(one.member_id, Channel.POST, Purpose.MARKETING)
    await add_address(one)
    await own_template(admin, "own.post", channels=["post"])
    batch = await make_batch(admin, "own.post", audience={"member_nos": [one.member["member_no"]]})
    assert (await admin.post(f"{BATCHES}/{batch['id']}/start")).status_code == 200
    await work()

    first = await made(admin, "k3", batch_id=batch["id"], layout="window")
    again = await made(admin, "k4", batch_id=batch["id"])

    assert [(sheet["state"], sheet["labels"]) for sheet in (first, again)] == [("done", 1)] * 2
    row = await db.fetchrow("SELECT state, provider_id FROM message_delivery WHERE member_id = $1", one.member_id)
    assert row is not None
    assert tuple(row) == ("sent", first["id"])


async def post_batch(admin, people, *, willing):
    """A batch by post to these members, written; those who are willing agreed to letters by post."""
    for phone in willing:
        await agree(phone.member_id, Channel.POST, Purpose.MARKETING)
    await own_template(admin, "own.post", channels=["post"])
    batch = await make_batch(admin, "own.post", audience={"member_nos": [one.member["member_no"] for one in people]})
    assert (await admin.post(f"{BATCHES}/{batch['id']}/start")).status_code == 200
    await work()
    return batch


async def by_post(phone):
    row = await db.fetchrow("SELECT state, reason FROM message_delivery WHERE member_id = $1", phone.member_id)
    assert row is not None
    return tuple(row)


@pytest.mark.usefixtures("chain", "no_other_letter")
async def test_letters_that_cannot_be_printed_wait_no_more_and_say_why(admin, client):
    willing, homeless, unwilling = [await register(client) for _ in range(3)]
    await add_address(willing)
    await add_address(unwilling)
    batch = await post_batch(admin, (willing, homeless, unwilling), willing=(willing, homeless))

    sheet = await made(admin, "k10", batch_id=batch["id"])

    assert (sheet["labels"], sheet["no_address"], sheet["no_consent"]) == (1, 1, 1)
    assert await by_post(willing) == ("sent", None)
    assert await by_post(homeless) == ("suppressed", "no_address")
    assert await by_post(unwilling) == ("suppressed", "no_consent")


@pytest.mark.usefixtures("chain", "no_other_letter")
async def test_a_batch_of_more_than_a_sheet_is_printed_sheet_by_sheet(admin, client, monkeypatch):
    """Those who want no letters by post take no place of anybody's."""
    monkeypatch.setattr(labels, "MOST_LABELS", 2)
    monkeypatch.setattr(commands, "CHUNK", 1)
    people = [await register(client) for _ in range(5)]
    for phone in people:
        await add_address(phone)
    batch = await post_batch(admin, people, willing=people[:3])

    sheets = [await made(admin, f"part-{n}", batch_id=batch["id"]) for n in range(3)]

    assert [(sheet["state"], sheet["labels"]) for sheet in sheets] == [("done", 2), ("done", 1), ("done", 2)]
    assert sum(sheet["no_consent"] for sheet in sheets) == 2
    assert [await by_post(phone) for phone in people[:3]] == [("sent", None)] * 3


@pytest.mark.usefixtures("chain", "no_other_letter")
async def test_of_a_batch_that_is_stopped_nothing_is_printed(admin, client):
    phone = await register(client)
    await add_address(phone)
    batch = await post_batch(admin, (phone,), willing=(phone,))
    await db.pool().execute("UPDATE message_batch SET state = 'running', ended_at = NULL WHERE id = $1", batch["id"])
    asked = await ask(admin, "k11", batch_id=batch["id"])
    await admin.post(f"{BATCHES}/{batch['id']}/pause")

    refused = await ask(admin, "k12", batch_id=batch["id"])
    await commands.make(asked.json()["id"])
    await admin.post(f"{BATCHES}/{batch['id']}/cancel")
    gone = await ask(admin, "k12", batch_id=batch["id"])

    assert [(one.status_code, one.json()["code"]) for one in (refused, gone)] == [(409, "message_batch_conflict")] * 2
    sheet = (await admin.get(f"{LABELS}/{asked.json()['id']}")).json()
    assert (sheet["state"], sheet["problem"], sheet["labels"]) == ("failed", "stopped", 0)
    assert await by_post(phone) == ("queued", None)


@pytest.mark.usefixtures("chain", "no_other_letter")
async def test_what_is_no_sheet_is_refused(admin, settings):
    before = await fingerprint(settings)
    bad: list[dict[str, Any]] = [
        {"layout": "a3"},
        {},
        {"audience": {}, "batch_id": "N1"},
        {"audience": {}, "skip": 24},
        {"audience": {}, "skip": 2, "layout": "window"},
        {"audience": {}, "skip": -1},
        {"audience": {"levels": ["nobody"]}},
        {"audience": {}, "purpose": "spam"},
    ]

    answers = [await ask(admin, "k5", **body) for body in bad]
    unknown = await ask(admin, "k5", batch_id="N0000")
    keyless = await admin.post(LABELS, {"audience": {}})

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(422, "validation_failed")}
    assert (unknown.status_code, keyless.status_code) == (404, 400)
    assert await fingerprint(settings) == before


@pytest.mark.usefixtures("chain", "no_other_letter")
async def test_too_many_are_printed_in_parts(admin, client, monkeypatch):
    monkeypatch.setattr(labels, "MOST_LABELS", 1)
    numbers = [(await register(client)).member["member_no"] for _ in range(2)]

    answer = await ask(admin, "k6", audience={"member_nos": numbers})

    assert (answer.status_code, "in parts" in answer.json()["detail"]) == (422, True)


@pytest.mark.usefixtures("chain", "no_other_letter")
async def test_a_key_is_for_one_sheet_and_another_stores_sheet_is_not_there(admin, office, chain, client):
    manager, other = await log_in(office, chain, "manager-S1"), await log_in(office, chain, "manager-S2")

    answers = [await ask(manager, "k7", audience={}) for _ in range(3)]
    sheets_of_key = [answer.json()["id"] for answer in answers]
    changed = await ask(manager, "k7", audience={}, skip=1)
    foreign = [await other.get(f"{LABELS}/{sheets_of_key[0]}{tail}") for tail in ("", "/pdf")]
    batch = await make_batch(other, await own_template(admin, "own.stores"), audience={})
    foreign.append(await ask(manager, "k9", batch_id=batch["id"]))
    listed = [item["id"] for item in (await other.get(LABELS)).json()["items"]]
    own = [item["id"] for item in (await manager.get(LABELS)).json()["items"]]

    assert len(set(sheets_of_key)) == 1
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, "true", "true"]
    assert (changed.status_code, changed.json()["code"]) == (409, "idempotency_conflict")
    assert [answer.status_code for answer in foreign] == [404, 404, 404]
    assert (sheets_of_key[0] in own, sheets_of_key[0] in listed) == (True, False)


@pytest.mark.usefixtures("chain", "no_other_letter")
async def test_sheets_are_gone_after_a_week(admin, client):
    sheet = await made(admin, "k8", audience={"member_nos": [(await register(client)).member["member_no"]]})
    await db.pool().execute(
        "UPDATE message_sheet SET created_at = created_at - interval '7 days' WHERE id = $1", sheet["id"]
    )

    await commands.sweep()

    assert (await admin.get(f"{LABELS}/{sheet['id']}")).status_code == 404
