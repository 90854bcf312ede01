"""What stays under the old number is shown with what is the target's own, to the phone and to staff."""

from __future__ import annotations

import httpx
import pytest

from backend.kernel import clock, db, outbox
from backend.stamps import locks
from backend.stamps import service as stamps
from backend.stamps.commands.cards import redeem_waiting
from tests.support.levels import levels, no_other_rules, put_rules  # noqa: F401 - fixtures
from tests.support.members import Phone, register
from tests.support.merging import merge
from tests.support.passes import WASHES, buy, line_of, make_pass_product, passes_of, use
from tests.support.pos import Till
from tests.support.races import codes_of
from tests.support.staff import StaffSession
from tests.support.stamps import make_campaign

pytestmark = pytest.mark.usefixtures("books", "levels", "no_other_rules")


async def shown(client: httpx.AsyncClient, till: Till, phone: Phone) -> str:
    """The member's code, scanned: what stands for it."""
    (code,) = await codes_of(phone, 1)
    answer = await till.post(client, "/v1/pos/scan", {"code": code})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["scan_token"])


async def two_passes(client: httpx.AsyncClient, admin: StaffSession, till: Till, phone: Phone) -> tuple[str, str]:
    """One that was used up, and one with a use left."""
    product = await make_pass_product(admin, {"kind": "counted", "uses": 1, "days": 90, "price_fen": 10_000})
    await buy(client, till, await shown(client, till, phone), line_of(product), line_of(product))
    await outbox.drain()
    first, second = [one["id"] for one in await passes_of(phone)]
    used = await use(client, till, await shown(client, till, phone), first)
    assert used.status_code == 201, used.text
    await outbox.drain()
    return first, second


async def grant(admin: StaffSession, phone: Phone, level: str) -> None:
    body = {"level": level, "reason": f"给{level}"}
    done = await admin.post(f"/v1/admin/members/{phone.member['id']}/level-grants", body, key=f"{phone.member_id}")
    assert done.status_code == 201, done.text
    await outbox.drain()


async def test_levels_and_passes_that_ended_are_shown_with_the_target_s(client, chain, admin, second, phone):
    await put_rules(admin)
    source, till = await register(client), chain.till
    used_up, living = await two_passes(client, admin, till, source)
    await grant(admin, source, "silver")
    await grant(admin, phone, "gold")
    (own,) = (await phone.call("GET", "/v1/member/level/history")).json()["items"]

    await merge(admin, second, source, phone)

    (goes_on,) = await passes_of(phone)
    assert goes_on["id"] != living
    assert [one["id"] for one in await passes_of(phone, "ended")] == [used_up]
    assert len((await phone.call("GET", f"/v1/member/passes/{used_up}")).json()["uses_made"]) == 1
    listed = (await admin.get(f"/v1/admin/passes?member_id={phone.member['id']}")).json()["items"]
    assert {one["id"] for one in listed} == {used_up, goes_on["id"]}

    lines, target = [], "/v1/member/level/history?limit=1"
    while target:
        page = (await phone.call("GET", target)).json()
        lines += [(one["source"], one["level"], one["at"]) for one in page["items"]]
        more = page["next_cursor"]
        target = f"/v1/member/level/history?limit=1&cursor={more}" if more else ""
    assert [level for _, level, _ in lines] == ["gold", "silver", "silver"]
    assert lines[0] == ("basic", "gold", own["at"])
    staff = (await admin.get(f"/v1/admin/members/{phone.member['id']}/level-history")).json()["items"]
    assert [(one["source"], one["level"], one["at"]) for one in staff] == lines

    stranger = await register(client)
    assert await passes_of(stranger, "ended") == []
    assert (await stranger.call("GET", f"/v1/member/passes/{used_up}")).status_code == 404


async def test_a_level_that_a_pass_gave_goes_with_it_whoever_has_it_now(client, chain, admin, second, phone):
    source = await register(client)
    product = await make_pass_product(admin, WASHES | {"level": "gold", "level_months": 12})
    await buy(client, chain.till, await shown(client, chain.till, source), line_of(product), line_of(product))
    await outbox.drain()
    early, _ = await passes_of(source)

    async def refund(pass_id):
        back = await admin.post(f"/v1/admin/passes/{pass_id}/refund", {"reason": "x"}, key=pass_id)
        assert back.status_code == 200, back.text

    async def live():
        shown = await admin.get(f"/v1/admin/members/{phone.member_id}/level")
        return [(grant["level"], grant["live"]) for grant in shown.json()["grants"]]

    await refund(early["id"])
    await merge(admin, second, source, phone)  # before the worker has heard of it
    (goes_on,) = await passes_of(phone)
    between = await live()
    await refund(goes_on["id"])
    await outbox.drain()

    assert sorted(between) == [("gold", False), ("gold", True)]
    assert await live() == [("gold", False)] * 2


async def test_a_level_that_a_full_card_gave_is_the_targets_when_it_is_told_after_the_merge(
    client, chain, admin, second, phone
):
    source = await register(client)
    campaign = await make_campaign(admin, kind="attendance", goal=1, level="gold", level_months=1)
    now = clock.now()
    async with db.transaction() as tx:
        (running,) = (await locks.hold_campaigns(tx, [campaign["id"]])).values()
        (card,) = (await locks.lock_cards(tx, [(source.member_id, running.id)], now)).values()
        await stamps.give(tx, running, card, 1, source="day:2026-12-01", now=now, on=stamps.today(now))
    await redeem_waiting()

    await merge(admin, second, source, phone)  # before the worker has heard of it

    shown = (await admin.get(f"/v1/admin/members/{phone.member_id}/level")).json()
    assert [(grant["level"], grant["live"]) for grant in shown["grants"] if grant["source"] == "campaign"] == [
        ("gold", True)
    ]
