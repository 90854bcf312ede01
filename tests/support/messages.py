"""Letters for tests: templates that exist only here, channels that note what they are given, and the worker's turn."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from backend.kernel import db
from backend.kernel.config import Settings
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
