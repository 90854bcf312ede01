"""What members agree to, quiet hours, and how often they are written to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from backend.kernel import config, db
from backend.messages import service
from backend.messages.types import Builtin, Channel, Letter, Purpose
from tests.support.books import fingerprint
from tests.support.messages import agree, deliveries, inbox, work, write
from tests.support.staff import log_in

pytestmark = pytest.mark.usefixtures("chain", "no_other_letter", "nights")

OWN = "/v1/member/messages/consents"
CARE = Builtin("test.care", Purpose.CARE, "问候", "天冷了，{member_name}。")
service.declare(CARE)

NIGHT = datetime(2026, 11, 27, 13, 30, tzinfo=UTC)  # 21:30 in Shanghai
MORNING = datetime(2026, 11, 28, 0, 0, tzinfo=UTC)  # 08:00


@pytest.fixture
def nights(settings):
    """Quiet hours, as a chain has them."""
    config.use(msgspec.structs.replace(settings, message_quiet_from="21:00"))
    yield
    config.use(settings)


def states(body):
    return {(item["purpose"], item["channel"]): item["granted"] for item in body["items"]}


async def test_members_say_what_they_want_and_each_word_is_kept(phone, admin):
    said = {"channel": "inbox", "purpose": "care", "granted": True}
    path = f"/v1/admin/messages/members/{phone.member_id}/consents"

    before = states((await phone.call("GET", OWN)).json())
    first = await phone.call("PUT", OWN, {"items": [said]})
    await phone.call("PUT", OWN, {"items": [said]})
    taken = await admin.call("PUT", path, {"items": [said | {"granted": False}]})
    history = (await admin.get(f"{path}/changes?limit=1")).json()
    older = (await admin.get(f"{path}/changes?limit=1&cursor={history['next_cursor']}")).json()

    assert [before[purpose, "sms"] for purpose in ("service", "care", "survey", "marketing")] == [True] + [False] * 3
    assert states(first.json())["care", "inbox"] is True
    assert states(taken.json())["care", "inbox"] is False
    admin_id = await db.fetchval(
        "SELECT by FROM message_consent_change WHERE member_id = $1 AND NOT granted", phone.member_id
    )
    assert [(item["granted"], item["by"]) for item in history["items"]] == [(False, admin_id)]
    assert admin_id.startswith("staff:")
    assert [(item["granted"], item["by"]) for item in older["items"]] == [(True, "member")]
    assert older["next_cursor"] is None


async def test_what_was_agreed_to_is_never_rewritten(phone):
    await agree(phone.member_id, Channel.SMS, Purpose.CARE)

    for sql in ("UPDATE message_consent_change SET granted = false", "DELETE FROM message_consent_change"):
        with pytest.raises(Exception, match="never rewritten"):
            await db.pool().execute(sql)


async def test_staff_of_another_store_do_not_see_it(phone, client, chain, settings):
    await phone.call("PATCH", "/v1/member/profile", {"store_id": "S1"})
    stranger, own = await log_in(client, chain, "manager-S2"), await log_in(client, chain, "manager-S1")
    path = f"/v1/admin/messages/members/{phone.member_id}/consents"
    before = await fingerprint(settings)

    refused = [
        await stranger.get(path),
        await stranger.get(f"{path}/changes"),
        await stranger.call("PUT", path, {"items": [{"channel": "sms", "purpose": "care", "granted": True}]}),
    ]

    assert [answer.status_code for answer in refused] == [404] * 3
    assert await fingerprint(settings) == before
    assert (await own.get(path)).status_code == 200


async def test_care_waits_for_the_morning_and_ones_own_affair_does_not(phone, clock):
    clock.freeze(NIGHT)
    await agree(phone.member_id, Channel.INBOX, Purpose.CARE)
    await write(Letter(phone.member_id, "test.care", {}, "n"), Letter(phone.member_id, "test.note", {"what": "a"}, "n"))

    await work()
    rows = await db.fetch(
        "SELECT purpose, state, next_at FROM message_delivery WHERE member_id = $1 ORDER BY purpose", phone.member_id
    )
    clock.freeze(MORNING - timedelta(seconds=1))
    early = await work()
    clock.freeze(MORNING)
    await work()

    assert [tuple(row) for row in rows] == [("care", "queued", MORNING), ("service", "delivered", None)]
    assert early == 0
    bodies = await db.fetch(
        "SELECT body FROM message_letter WHERE member_id = $1 AND shown_at IS NOT NULL ORDER BY body", phone.member_id
    )
    assert [row["body"] for row in bodies] == ["a", "天冷了，王小明。"]


async def test_consent_that_is_taken_back_in_the_night_counts_in_the_morning(phone, clock):
    clock.freeze(NIGHT)
    await agree(phone.member_id, Channel.INBOX, Purpose.CARE)
    await write(Letter(phone.member_id, "test.care", {}, "n"))
    await work()
    await agree(phone.member_id, Channel.INBOX, Purpose.CARE, granted=False)

    clock.freeze(MORNING)
    await work()

    assert await deliveries(phone.member_id) == {"inbox": ("suppressed", "no_consent", 0)}


async def test_no_member_is_written_to_too_often(phone, clock, fake_channels):
    clock.freeze(MORNING)
    for channel in (Channel.INBOX, Channel.SMS):
        await agree(phone.member_id, channel, Purpose.MARKETING)
    await write(*(Letter(phone.member_id, "test.news", {"what": f"第{n}种"}, str(n)) for n in range(4)))

    await asyncio.gather(work(), work())
    sent = {row["body"] for row in await shown(phone)}
    clock.freeze(MORNING + timedelta(days=7, seconds=1))
    await write(Letter(phone.member_id, "test.news", {"what": "新"}, "week"))
    await work()

    reasons = await db.fetch(
        "SELECT channel, state, reason, count(*) AS n FROM message_delivery WHERE member_id = $1"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2",
        phone.member_id,
    )
    assert len(sent) == 2
    assert [tuple(row) for row in reasons] == [
        ("inbox", "delivered", None, 3),
        ("inbox", "suppressed", "too_often", 2),
        ("sms", "sent", None, 3),
        ("sms", "suppressed", "too_often", 2),
    ]
    assert len(fake_channels[Channel.SMS].given) == 3
    assert len(await shown(phone)) == 3


async def test_without_a_bound_and_quiet_hours_all_of_it_goes_at_once(phone, clock, settings):
    config.use(msgspec.structs.replace(settings, message_marketing_a_week=0))
    clock.freeze(NIGHT)
    await agree(phone.member_id, Channel.INBOX, Purpose.MARKETING)
    await write(*(Letter(phone.member_id, "test.news", {"what": str(n)}, str(n)) for n in range(4)))

    await work()

    assert len(await shown(phone)) == 4


async def shown(phone):
    return await db.fetch(
        "SELECT body FROM message_letter WHERE member_id = $1 AND shown_at IS NOT NULL", phone.member_id
    )


async def test_a_member_says_nothing_for_another(phone, client, settings):
    before = await fingerprint(settings)
    bad = [
        {"items": []},
        {"items": [{"channel": "fax", "purpose": "care", "granted": True}]},
        {"items": [{"channel": "sms", "purpose": "care", "granted": True, "member_id": 1}]},
    ]

    refused = [await phone.call("PUT", OWN, body) for body in bad]

    assert [answer.status_code for answer in refused] == [422] * 3
    assert await fingerprint(settings) == before
    assert (await inbox(phone))["items"] == []
