"""Suggestions without a name: what they leave behind, what they are followed by, and what is refused."""

from __future__ import annotations

import asyncio
import io
import json
import re
from base64 import b64encode
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from unittest.mock import AsyncMock

import httpx
import msgspec
import pytest
from PIL import Image

from backend.app import create_app
from backend.kernel import clock, db, metrics, redis
from backend.kernel.errors import Unavailable
from backend.kernel.http.routing import Route
from backend.kernel.vault import vault
from backend.suggestions import commands, queries, tickets
from backend.suggestions.commands import mixing
from backend.suggestions.commands import tickets as giving
from backend.suggestions.queries.keys import KEY_CONTEXT, today
from backend.suggestions.routes import anonymous
from tests.support import kept
from tests.support.books import fingerprint
from tests.support.pictures import picture
from tests.support.suggestions import ANONYMOUS, INBOX, MINE, make_box, suggest, whisper
from tests.support.tickets import Blinding, bearer, fetch, get_key

pytestmark = pytest.mark.usefixtures("books")

WRITTEN = {"suggestion", "suggestion_message", "suggestion_picture", "suggestion_spent"}


async def redis_keys() -> set[str]:
    found = await redis.call("KEYS", "*")
    return {one.decode() if isinstance(one, bytes) else str(one) for one in found}


def base64(data: bytes) -> str:
    return b64encode(data).decode()


async def test_it_is_written_answered_added_to_and_rated_without_a_session(admin, reader, phone):
    box = await make_box(admin, reader.id)

    made = await whisper(phone, box, pictures=[base64(picture(color="#ff0000"))])
    receipt = made["receipt"]
    seen = (await reader.session.get(f"{INBOX}/{made['suggestion']['id']}")).json()
    await reader.session.post(f"{INBOX}/{seen['id']}/answers", {"text": "已查", "version": 1})
    read = await bearer(phone.client, "GET", MINE, receipt)
    typed = await bearer(phone.client, "GET", MINE, receipt.lower().replace("-", ""))
    body = {"text": "多谢", "pictures": [base64(picture(color="#00ff00"))]}
    added = [await bearer(phone.client, "POST", f"{MINE}/messages", receipt, body, key="again") for _ in range(2)]
    rated = await bearer(phone.client, "PUT", f"{MINE}/rating", receipt, {"rating": 2})

    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}", receipt)
    assert (seen["anonymous"], seen["writer"], seen["at"]) == (True, None, None)
    assert (await phone.client.get(seen["messages"][0]["pictures"][0]["url"])).headers["content-type"] == "image/webp"
    assert read.json() == typed.json()
    assert [item["text"] for item in read.json()["messages"]] == ["经理收回扣", "已查"]
    assert [item["at"] is None for item in read.json()["messages"]] == [True, False]
    assert [(answer.status_code, len(answer.json()["messages"])) for answer in added] == [(201, 3)] * 2
    assert (rated.json()["rating"], rated.json()["state"]) == (2, "open")
    assert (await phone.call("GET", "/v1/member/suggestions")).json()["items"] == []


async def test_what_is_stored_joins_it_to_nobody_and_to_no_instant(admin, reader, phone, settings):
    box = await make_box(admin, reader.id)
    (ticket,) = await fetch(phone)
    keys = await redis_keys()
    before = await fingerprint(settings, without=frozenset())
    body = {"box_id": box["id"], "text": "谁也不知道", "pictures": [base64(picture())]}

    answer = await bearer(phone.client, "POST", ANONYMOUS, ticket, body)
    receipt = answer.json()["receipt"]
    await bearer(phone.client, "POST", f"{MINE}/messages", receipt, {"text": "还有"}, key="k")

    after = await fingerprint(settings, without=frozenset())
    assert {name for name, digest in after.items() if before[name] != digest} == WRITTEN
    assert await redis_keys() - keys == set()
    connection = await kept.connection(settings, "postgres")
    of_it = f"= '{answer.json()['suggestion']['id']}'"
    for table in WRITTEN:
        column = "id" if table == "suggestion" else "suggestion_id"
        rows = await connection.fetch(f"SELECT t::text AS row FROM {table} t WHERE {column} {of_it}")
        text = "\n".join(row["row"] for row in rows)
        assert text, table
        assert str(phone.member_id) not in text, table
        assert not re.search(r"\d\d:\d\d", text), f"{table} holds a time of day"
        assert receipt not in text, table
        assert receipt.replace("-", "") not in text, table
        assert ticket.split(".")[1] not in text, table


def test_its_calls_are_private_and_say_nothing():
    routes = [route for route in anonymous.router.routes if isinstance(route, Route)]

    assert len(routes) == 7
    assert all(route.private and not route.rate_limited for route in routes)
    assert {route.guard.name for route in routes} == {"public", "ticket", "receipt"}
    folder = Path(commands.__file__).parent
    for module in ("writing", "mixing"):
        assert not re.search(r"logging|log\.|live\.|events\.|jobs\.", (folder / f"{module}.py").read_text()), module


async def test_neither_log_nor_metrics_know_of_its_calls(admin, reader, phone, settings, monkeypatch):
    box = await make_box(admin, reader.id)
    (ticket,) = await fetch(phone)
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    app = create_app(msgspec.structs.replace(settings, log_format="json", log_level="debug"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        made = await bearer(client, "POST", ANONYMOUS, ticket, {"box_id": box["id"], "text": "没有痕迹"})
        await bearer(client, "GET", MINE, made.json()["receipt"])
        await bearer(client, "GET", MINE, "0000-0000-0000-0000-0000")
        await client.get("/v1/anonymous/key")
        await client.get("/v1/member/suggestions")
    await asyncio.sleep(0)

    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert made.status_code == 201
    assert [line["route"] for line in lines if line["event"] == "http.request"] == ["/v1/member/suggestions"]
    assert "anonymous" not in written.getvalue()
    assert b"/v1/anonymous" not in metrics.render()
    assert b"/v1/member/suggestions" in metrics.render()


async def test_what_was_signed_fits_every_ticket(admin, reader, phone):
    """For each ticket there is a factor with which any blinded message would have become it."""
    shown = [tickets.read_ticket(one) for one in await fetch(phone, 3)]
    sealed = await db.fetchval("SELECT private_sealed FROM suggestion_key WHERE id = $1", shown[0][0])
    numbers = tickets._numbers(vault().open(sealed, context=KEY_CONTEXT))
    n, e, d = numbers.public_numbers.n, numbers.public_numbers.e, numbers.d
    for blinded in (12345, n - 7):
        for _, _, signature in shown:
            value = int.from_bytes(signature, "big")
            factor = pow(blinded * pow(value, -e, n), d, n)
            assert pow(value, e, n) * pow(factor, e, n) % n == blinded
            assert pow(blinded, d, n) * pow(factor, -1, n) % n == value


async def test_a_ticket_is_good_for_one_suggestion_and_a_retry_gives_the_first_answer(admin, reader, phone, settings):
    box = await make_box(admin, reader.id)
    (ticket,) = await fetch(phone)
    body = {"box_id": box["id"], "text": "一次"}

    answers = await asyncio.gather(*(bearer(phone.client, "POST", ANONYMOUS, ticket, body) for _ in range(5)))
    before = await fingerprint(settings)
    again = await bearer(phone.client, "POST", ANONYMOUS, ticket, body)
    other = await bearer(phone.client, "POST", ANONYMOUS, ticket, body | {"text": "两次"})

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["receipt"] for answer in (*answers, again)}) == 1
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "ticket_spent")
    assert await fingerprint(settings) == before
    assert len((await reader.session.get(f"{INBOX}?box_id={box['id']}")).json()["items"]) == 1


def photo() -> bytes:
    """A photograph that says where it was taken."""
    out = BytesIO()
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010F] = "SecretCamera"
    Image.new("RGB", (60, 40), "#884422").save(out, "JPEG", exif=exif)
    return out.getvalue()


REFUSED = {
    "an SVG with script": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "a page": b"<!doctype html><script>alert(1)</script>",
    "a PDF": b"%PDF-1.7\n1 0 obj\n<< /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>\nendobj\n%%EOF",
    "an animation": picture("GIF"),
    "an archive": b"PK\x03\x04" + bytes(60),
    "a picture cut short": picture("PNG")[:40],
    "a page behind a picture's first bytes": b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
    "a picture of too many pixels": picture("PNG", (6_000, 5_000)),
}


async def test_attachments_go_by_their_content_and_only_pixels_are_kept(admin, reader, phone, settings):
    box = await make_box(admin, reader.id)
    (ticket,) = await fetch(phone)
    body = {"box_id": box["id"], "text": "看图"}
    before = await fingerprint(settings)
    for what, data in REFUSED.items():
        refused = await bearer(phone.client, "POST", ANONYMOUS, ticket, body | {"pictures": [base64(data)]})
        assert (refused.status_code, refused.json()["code"]) == (422, "attachment_refused"), what
        assert refused.json()["errors"][0]["pointer"] == "/pictures/0", what
    many = await bearer(phone.client, "POST", ANONYMOUS, ticket, body | {"pictures": [base64(picture())] * 4})
    large = await bearer(phone.client, "POST", ANONYMOUS, ticket, body | {"pictures": [base64(bytes(1_600_000))]})
    larger = await bearer(phone.client, "POST", ANONYMOUS, ticket, body | {"pictures": [base64(bytes(6_000_000))]})
    assert [(one.status_code, one.json()["code"]) for one in (many, large, larger)] == [
        (422, "validation_failed"),
        (422, "validation_failed"),
        (413, "payload_too_large"),
    ]
    assert await fingerprint(settings) == before

    two_in_one = photo() + b"PK\x03\x04<script>alert(1)</script>"
    made = await bearer(phone.client, "POST", ANONYMOUS, ticket, body | {"pictures": [base64(two_in_one)]})

    assert made.status_code == 201, made.text
    address = made.json()["suggestion"]["messages"][0]["pictures"][0]
    for url in address.values():
        got = (await phone.client.get(url)).content
        assert got[:4] == b"RIFF"
        for word in (b"SecretCamera", b"script", b"Exif", b"PK\x03\x04"):
            assert word not in got
    assert (await phone.client.get(address["url"].replace("signature=", "signature=0")[:-1])).status_code == 404


async def test_ten_tickets_a_week_and_the_same_again_are_not_counted_twice(phone, settings, clock):
    key = await get_key(phone.client)
    under_way = [Blinding(key).blinded for _ in range(11)]
    path = "/v1/member/suggestion-tickets"

    def body(messages):
        return {"key_id": key["key_id"], "blinded": messages}

    first = await phone.call("POST", path, body(under_way[:6]))
    again = await phone.call("POST", path, body(under_way[:6]))
    before = await fingerprint(settings)
    more = await phone.call("POST", path, body(under_way[6:]))
    wrong = [
        await phone.call("POST", path, {"key_id": "K0", "blinded": under_way[:1]}),
        await phone.call("POST", path, body(["AAAA"])),
        await phone.call("POST", path, body([under_way[0][:-1] + "="])),
        await phone.call("POST", path, body([tickets.to_base64url(b"\xff" * tickets.SIZE)])),
        await phone.call("POST", path, body([tickets.to_base64url(bytes(tickets.SIZE))])),
    ]
    assert await fingerprint(settings) == before
    rest = await phone.call("POST", path, body(under_way[6:10]))

    assert (first.json()["left"], again.json()["left"], rest.json()["left"]) == (4, 4, 0)
    assert first.json()["signatures"] == again.json()["signatures"]
    assert (more.status_code, more.json()["code"]) == (429, "tickets_used_up")
    assert [(one.status_code, one.json()["code"]) for one in wrong] == [
        (409, "ticket_key_over"),
        *[(422, "validation_failed")] * 4,
    ]


async def test_forged_tickets_and_wrong_receipts_open_nothing(admin, reader, phone, settings):
    box = await make_box(admin, reader.id)
    made = await whisper(phone, box)
    (ticket,) = await fetch(phone)
    key_id, nonce, signature = ticket.split(".")
    other = (await fetch(phone))[0].split(".")
    swap = "A" if nonce[0] != "A" else "B"
    forged = [
        f"{key_id}.{swap}{nonce[1:]}.{signature}",
        f"{key_id}.{nonce}.{other[2]}",
        f"K000000000000.{nonce}.{signature}",
        f"{key_id}.{nonce}",
        f"{key_id}.{nonce}.{signature}.x",
        phone.access_token,
        "x",
    ]
    receipt = made["receipt"]
    last = "0" if receipt[-1] != "0" else "1"
    wrong = [receipt[:-1] + last, "0000-0000-0000-0000-0000", receipt[:-5], ticket, phone.access_token]
    before = await fingerprint(settings)

    body = {"box_id": box["id"], "text": "x"}
    answers = [await bearer(phone.client, "POST", ANONYMOUS, one, body) for one in forged]
    answers += [await bearer(phone.client, "GET", MINE, one) for one in wrong]
    answers.append(await phone.client.get(MINE))

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(401, "unauthenticated")}
    assert await fingerprint(settings) == before


async def test_boxes_that_want_a_name_and_closed_ones_leave_the_ticket_good(admin, reader, phone, settings):
    named = await make_box(admin, reader.id, anonymous=False)
    closed = await make_box(admin, reader.id)
    await admin.post(f"/v1/admin/suggestion-boxes/{closed['id']}/close")
    box = await make_box(admin, reader.id)
    (ticket,) = await fetch(phone)
    before = await fingerprint(settings)

    answers = [
        await bearer(phone.client, "POST", ANONYMOUS, ticket, {"box_id": box_id, "text": "x"})
        for box_id in (named["id"], closed["id"], "B0")
    ]

    assert [answer.json()["code"] for answer in answers] == ["name_required", "box_closed", "not_found"]
    assert await fingerprint(settings) == before
    good = await bearer(phone.client, "POST", ANONYMOUS, ticket, {"box_id": box["id"], "text": "x"})
    assert good.status_code == 201


async def test_a_key_signs_for_a_week_and_counts_for_another_and_then_all_of_it_is_forgotten(
    admin, reader, phone, clock
):
    box = await make_box(admin, reader.id)
    early, late, never = await fetch(phone, 3)
    body = {"box_id": box["id"], "text": "x"}
    assert (await bearer(phone.client, "POST", ANONYMOUS, early, body)).status_code == 201
    at = clock_monday()

    clock.freeze(at + timedelta(days=13, hours=23))
    await giving.mind_keys()
    second_week = await bearer(phone.client, "POST", ANONYMOUS, late, body)
    clock.freeze(at + timedelta(days=14))
    queries.forget_keys()
    over = await bearer(phone.client, "POST", ANONYMOUS, never, body)
    await giving.mind_keys()

    assert (second_week.status_code, over.status_code) == (201, 401)
    key_id = early.split(".")[0]
    for table in ("suggestion_key WHERE id", "suggestion_spent WHERE key_id", "suggestion_issued WHERE key_id"):
        assert await db.fetchval(f"SELECT count(*) FROM {table} = $1", key_id) == 0, table


def clock_monday():
    """Midnight of this week's Monday where the chain is."""
    now = clock.now()
    local = now.astimezone(clock.zone("Asia/Shanghai"))
    return (local - timedelta(days=local.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)


async def test_rows_of_a_day_that_is_over_say_nothing_of_their_order(admin, reader, phone, clock):
    box = await make_box(admin, reader.id)
    await suggest(phone, box)
    made = [await whisper(phone, box, f"第{n}条", pictures=[base64(picture())]) for n in range(3)]
    ids = [one["suggestion"]["id"] for one in made]

    async def marks(table: str) -> set[str]:
        column = "id" if table == "suggestion" else "suggestion_id"
        rows = await db.fetch(f"SELECT DISTINCT xmin::text FROM {table} WHERE {column} = ANY($1)", ids)
        return {row[0] for row in rows}

    assert await mixing.mix() == 0
    assert len(await marks("suggestion")) == 3
    clock.freeze(clock_midnight())
    mixed = await mixing.mix()

    assert mixed >= 12
    assert [len(await marks(table)) for table in sorted(WRITTEN)] == [1, 1, 1, 1]
    assert await mixing.mix() == 0
    for one in made:
        read = (await bearer(phone.client, "GET", MINE, one["receipt"])).json()
        assert read["messages"][0]["text"] == one["suggestion"]["messages"][0]["text"]
        assert (await phone.client.get(read["messages"][0]["pictures"][0]["url"])).status_code == 200


def clock_midnight():
    """The next midnight where the chain is."""
    local = clock.now().astimezone(clock.zone("Asia/Shanghai"))
    return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


async def test_who_adds_while_rows_are_mixed_finds_the_suggestion(admin, reader, phone, clock):
    box = await make_box(admin, reader.id)
    made = [await whisper(phone, box, f"第{n}条") for n in range(4)]
    clock.freeze(clock_midnight())

    async def add(one, number):
        return await bearer(
            phone.client, "POST", f"{MINE}/messages", one["receipt"], {"text": "还有"}, key=f"k{number}"
        )

    answers = await asyncio.gather(
        *(add(one, number) for number, one in enumerate(made)), mixing.mix(), *(add(one, 9) for one in made)
    )

    assert {answer.status_code for answer in answers if not isinstance(answer, int)} == {201}
    for one in made:
        assert len((await bearer(phone.client, "GET", MINE, one["receipt"])).json()["messages"]) == 3


def test_a_receipt_says_nothing_of_its_ticket_and_has_a_check_character():
    receipt = tickets.receipt_from(bytes(range(32)))

    assert tickets.read_receipt(tickets.printed_receipt(receipt)) == receipt
    wrong = sum(tickets.read_receipt(receipt[:5] + char + receipt[6:]) is not None for char in "0123456789ABCDEF")
    assert wrong == (receipt[5] in "0123456789ABCDEF")


async def test_a_clock_that_is_put_forward_by_weeks_meanwhile_asks_to_try_again(server, monkeypatch):
    monkeypatch.setattr(giving, "today", lambda: today() - timedelta(days=70))
    monkeypatch.setattr(giving, "_make", AsyncMock())

    with pytest.raises(Unavailable):
        await giving.current_key()
