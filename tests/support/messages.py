"""Letters for tests: templates that exist only here, channels that note what they are given, and the worker's turn."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from backend.kernel import db
from backend.kernel.config import Settings
from backend.kernel.vault import vault
from backend.members.queries import PHONE_CONTEXT
from backend.messages import channels, service
from backend.messages.channels import Driver, Outgoing, Sent
from backend.messages.commands import deliver
from backend.messages.types import Builtin, Channel, Letter, Purpose

INBOX = "/v1/member/inbox"

SHIPPED = Builtin("test.shipped", Purpose.SERVICE, "已发货", "{no} 已发货。", channels=(Channel.INBOX, Channel.SMS))
NEWS = Builtin("test.news", Purpose.MARKETING, "新品", "{what}上市了。", channels=(Channel.INBOX, Channel.SMS))
NOTE = Builtin("test.note", Purpose.SERVICE, "提醒", "{what}")
service.declare(SHIPPED, NEWS, NOTE)


class Noting:
    """A driver that notes what it is given, and answers as it is told."""

    def __init__(self, channel: Channel, *, repeats_safely: bool = True) -> None:
        self.channel = channel
        self.repeats_safely = repeats_safely
        self.given: list[Outgoing] = []
        self.answer: Callable[[Outgoing], Sent] = lambda outgoing: Sent(provider_id=f"P-{outgoing.delivery_id}")

    async def send(self, outgoing: Outgoing) -> Sent:
        self.given.append(outgoing)
        return self.answer(outgoing)

    async def aclose(self) -> None:
        """There is nothing to end."""


@pytest.fixture
def fake_channels(monkeypatch: pytest.MonkeyPatch) -> dict[Channel, Noting]:
    """Each channel that leaves the house, as a note of what it was given."""
    fakes = {channel: Noting(channel) for channel in (Channel.SMS, Channel.EMAIL, Channel.WECHAT)}

    def find(channel: Channel) -> Driver | None:
        return fakes.get(channel)

    monkeypatch.setattr(channels, "find", find)
    return fakes


@pytest_asyncio.fixture(loop_scope="session")
async def no_other_letter(database: Settings) -> AsyncIterator[None]:
    """Nothing is due of what another test wrote."""
    await db.pool().execute("UPDATE message_delivery SET state = 'failed', reason = 'test' WHERE next_at IS NOT NULL")
    yield


async def write(*letters: Letter) -> int:
    """Write letters in a transaction of their own."""
    async with db.transaction() as tx:
        return await service.send(tx, letters)


async def agree(member_id: int, channel: Channel, purpose: Purpose, *, granted: bool = True) -> None:
    """A member's word, as the member gives it."""
    async with db.transaction() as tx:
        await service.set_consent(tx, member_id, channel, purpose, granted=granted, by="member")


async def deliveries(member_id: int) -> dict[str, tuple[str, str | None, int]]:
    """State, reason and tries of a member's deliveries, by channel (of the only letter that has it)."""
    rows = await db.fetch(
        "SELECT channel, state, reason, attempts FROM message_delivery WHERE member_id = $1", member_id
    )
    return {row["channel"]: (row["state"], row["reason"], row["attempts"]) for row in rows}


async def inbox(phone: Any, query: str = "") -> dict[str, Any]:
    """GET /v1/member/inbox."""
    answer = await phone.call("GET", INBOX + query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def work() -> int:
    """What the worker does with what is due now."""
    return await deliver.deliver_due()


async def many_members(count: int, store_id: str) -> list[int]:
    """Active members of a store by the hundred, written past the program; their ids, ascending."""
    first = 10**18 + secrets.randbelow(10**12) * 10**5
    await db.pool().execute(
        "INSERT INTO member (id, member_no, name, phone_sealed, phone_index, gender, store_id, level_id, status,"
        " growth_fen, attributes, created_at, updated_at)"
        " SELECT $1::bigint + n, (100000000000 + ($1::bigint + n) % 800000000000)::text, '员' || n, $3,"
        " md5(($1::bigint + n)::text) || md5(n::text),"
        " 'unknown', $4, (SELECT code FROM member_level ORDER BY growth_from_fen LIMIT 1), 'active', 0, '{}',"
        " now(), now() FROM generate_series(1, $2::int) AS n",
        first,
        count,
        vault().seal(b"13900000000", context=PHONE_CONTEXT),
        store_id,
    )
    return [first + number for number in range(1, count + 1)]


async def own_template(admin: Any, code: str, **fields: Any) -> str:
    """A template of staff's own: marketing in the inbox, unless said otherwise."""
    body = {"code": code, "purpose": "marketing", "title": "上新", "body": "{member_name}，{what}上新了。",
            "channels": ["inbox"], "variables": [{"name": "what"}]}  # fmt: skip
    made = await admin.post("/v1/admin/message-templates", body | fields)
    assert made.status_code in (201, 409), made.text
    return code


BATCHES = "/v1/admin/messages/batches"


async def make_batch(staff: Any, template: str, *, key: str | None = None, **fields: Any) -> dict[str, Any]:
    """A batch as a draft."""
    body = {"title": "上新", "template": template, "values": {"what": "荔枝"}, "audience": {}} | fields
    made = await staff.post(BATCHES, body, key=key or secrets.token_hex(8))
    assert made.status_code == 201, made.text
    batch: dict[str, Any] = made.json()
    return batch


async def agreed(member_id: int) -> set[tuple[str, str]]:
    """The channels and purposes for which a member wants letters."""
    rows = await db.fetch("SELECT channel, purpose FROM message_consent WHERE member_id = $1 AND granted", member_id)
    return {(row["channel"], row["purpose"]) for row in rows}
