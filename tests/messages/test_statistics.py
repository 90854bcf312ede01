"""Statistics: what became of letters, by template and channel; machines are no members."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from backend.kernel import charts, clock, db
from backend.messages import service
from backend.messages.commands import touching
from backend.messages.delivery.links import For, Link
from backend.messages.delivery.machines import TouchKind
from backend.messages.types import Builtin, Channel, Letter, Purpose, State
from tests.support.members import register
from tests.support.messages import inbox, work, write
from tests.support.staff import log_in

STATISTICS = "/v1/admin/messages/statistics"
COUNTED = Builtin(
    "test.counted", Purpose.SERVICE, "账单 <1>", "{what}", channels=(Channel.INBOX, Channel.SMS, Channel.EMAIL)
)
service.declare(COUNTED)
pytestmark = pytest.mark.usefixtures("chain", "no_other_letter", "fake_channels")


async def lines(staff: Any, query: str = "?template=test.counted") -> dict[str, dict[str, Any]]:
    answer = await staff.get(STATISTICS + query)
    assert answer.status_code == 200, answer.text
    return {item["channel"]: item for item in answer.json()["items"]}


async def touch(letter_id: str, number: int, *, machine: bool) -> None:
    link = Link(For.CLICK, letter_id, Channel.SMS, number, 3, "https://a.example")
    await touching.touch(link, TouchKind.CLICK, client=f"c{machine}{number}", said_so=machine)


async def letters(*phones: Any) -> list[str]:
    await write(*(Letter(phone.member_id, "test.counted", {"what": "x"}, "once") for phone in phones))
    await work()
    rows = await db.fetch("SELECT id, member_id FROM message_letter WHERE template = 'test.counted'")
    by_member = {row["member_id"]: row["id"] for row in rows}
    return [by_member[phone.member_id] for phone in phones]


async def test_every_delivery_is_in_one_column_and_machines_are_in_none(admin, client):
    phones = [await register(client) for _ in range(4)]
    first, second, third, _ = await letters(*phones)
    await touch(first, 1, machine=False)
    await touch(second, 1, machine=True)
    await touch(second, 2, machine=True)
    async with db.transaction() as tx:
        await service.record(tx, f"{third}-sms", State.BOUNCED, at=clock.now(), reason="x")
    await phones[0].call("POST", f"/v1/member/inbox/{first}/read")

    found = await lines(admin)

    sms = found["sms"]
    assert {name: sms[name] for name in ("deliveries", "arrived", "bounced", "opened", "clicked", "machines")} == {
        "deliveries": 4, "arrived": 3, "bounced": 1, "opened": 1, "clicked": 1, "machines": 2,
    }  # fmt: skip
    assert (sms["opened_bp"], sms["clicked_bp"], sms["title"]) == (3333, 3333, "账单 <1>")
    assert (found["inbox"]["arrived"], found["inbox"]["opened"], found["inbox"]["clicked"]) == (4, 1, 0)
    assert (found["email"]["suppressed"], found["email"]["arrived"], found["email"]["opened_bp"]) == (4, 0, None)
    for item in found.values():
        parts = ("waiting", "suppressed", "failed", "bounced", "arrived")
        assert item["deliveries"] == sum(item[name] for name in parts)
    assert list(await lines(admin, "?channel=sms&template=test.counted")) == ["sms"]
    assert (await inbox(phones[1]))["unread"] == 1


async def test_a_store_s_staff_see_their_own_members_and_days_are_bounded(admin, office, chain, client):
    await letters(await register(client))
    manager = await log_in(office, chain, "manager-S2")

    assert await lines(manager) == {}
    assert await lines(admin, "?template=test.counted&from=2020-01-01&to=2020-12-31") == {}
    bad = (
        "?from=2026-01-02&to=2026-01-01",
        "?from=2020-01-01&to=2026-01-01",
        "?to=0001-01-01",
        "?channel=fax",
        "?from=x",
    )
    refused = [await admin.get(STATISTICS + query) for query in bad]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(422, "validation_failed")}


async def test_the_chart_says_the_same_in_words_and_runs_nothing(admin, client):
    await letters(await register(client))

    answer = await admin.get(f"{STATISTICS}/chart.svg?template=test.counted")

    root = ET.fromstring(answer.text)
    words = "".join(root.find("{http://www.w3.org/2000/svg}desc").itertext())
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "账单 <1> · 短信" in words
    assert "已送达" in words
    assert "<1>" not in answer.text


@pytest.mark.skipif(charts._find_font() is None, reason="no Chinese font on this machine")
async def test_the_chart_is_a_picture_too(admin, client):
    await letters(await register(client))

    answer = await admin.get(f"{STATISTICS}/chart.png?template=test.counted")

    assert (answer.status_code, answer.content[:8]) == (200, b"\x89PNG\r\n\x1a\n")
