"""A day's bill beside our books: what agrees, what differs, what turns up later, and what staff make of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from backend.kernel import clock as kernel_clock
from backend.reconciliation import audit, rules
from backend.reconciliation.commands import bills, judging
from backend.wallet.commands import pending
from tests.support import kept, recharge
from tests.support.books import fingerprint

pytestmark = pytest.mark.usefixtures("books", "long_ago")

BASE = "/v1/admin/reconciliation"
DAY = timedelta(days=1)


@pytest.fixture
def long_ago(phone, admin, clock) -> None:
    """Everybody has logged in, and it is five days ago: a test pays then, and comes back to look at it."""
    clock.shift(-5 * DAY)


async def paid(client, phone, fen: int = 1_000) -> str:
    """A recharge that was paid and credited."""
    order = await recharge.begin(phone, amount_fen=fen)
    await recharge.pay(client, order["id"])
    await recharge.in_state(phone, order["id"], "paid")
    return str(order["id"])


def today() -> Any:
    return rules.day_of(kernel_clock.now())


async def items(admin, day, **query: str) -> dict[str, dict[str, Any]]:
    """The day's items by number."""
    texts = "&".join(f"{name}={value}" for name, value in query.items())
    answer = await admin.get(f"{BASE}/items?day={day}&limit=200&{texts}")
    assert answer.status_code == 200, answer.text
    return {one["number"]: one for one in answer.json()["items"]}


async def waiting(admin) -> dict[str, dict[str, Any]]:
    """The differences that nobody has resolved, by number."""
    answer = await admin.get(f"{BASE}/differences?limit=200")
    assert answer.status_code == 200, answer.text
    return {one["number"]: one for one in answer.json()["items"]}


async def test_what_both_sides_know_agrees_and_moves_nothing(client, phone, admin, clock):
    recharge_id = await paid(client, phone)
    day = today()
    clock.reset()
    before = await phone.wallet()

    taken = await admin.post(f"{BASE}/days", {"day": str(day)})

    assert taken.status_code == 200, taken.text
    shown = taken.json()
    assert shown["state"] == "taken"
    assert shown["theirs_paid_fen"] == shown["ours_paid_fen"] >= 1_000
    assert shown["open"] == 0
    found = (await items(admin, day))[recharge_id]
    assert (found["theirs_fen"], found["ours_fen"], found["difference"]) == (1_000, 1_000, None)
    assert found["source"] == "recharge"
    assert found["transaction_id"].startswith("42000")
    assert await phone.wallet() == before
    chart = await admin.get(f"{BASE}/days/chart?from={day}&to={day}")
    assert chart.headers["content-type"] == "image/svg+xml"
    assert f"{day}" in chart.text
    assert f"{shown['items']}" in chart.text


async def test_each_way_to_differ_is_found_once_and_goes_when_the_bill_is_right(client, phone, admin, clock, lies):
    dropped, changed, lost = [await paid(client, phone, fen) for fen in (1_000, 2_000, 3_000)]
    await recharge.faults(client, drop=True)
    unheard = (await recharge.begin(phone, amount_fen=4_000))["id"]
    await recharge.pay(client, unheard)
    day = today()
    await lies(omit=[dropped], amounts={changed: 2_001})
    clock.reset()

    for _ in range(2):
        await bills.take_again(day)
        await bills.take_again(day + DAY)

    found = await waiting(admin)
    assert {number: found[number]["what"] for number in (dropped, changed, unheard)} == {
        dropped: "only_here",
        changed: "amount",
        unheard: "only_there",
    }
    assert lost not in found
    assert (found[changed]["theirs_fen"], found[changed]["ours_fen"]) == (2_001, 2_000)
    detail = (await admin.get(f"{BASE}/differences/{found[changed]['id']}")).json()
    assert [step["action"] for step in detail["steps"]] == ["found"]

    # The bill is mended, and the payment that nobody had told us of is asked for.
    await lies()
    await recharge.faults(client)
    await pending.advance_due(clock.now())
    await recharge.in_state(phone, unheard, "paid")
    await bills.take_again(day)

    after = await waiting(admin)
    assert not {dropped, changed, unheard} & after.keys()
    for number in (dropped, changed, unheard):
        ended = (await admin.get(f"{BASE}/differences/{found[number]['id']}")).json()
        assert ended["difference"]["state"] == "gone"
        assert [step["action"] for step in ended["steps"]] == ["found", "gone"]
        assert ended["steps"][1]["staff"] is None


async def test_a_late_payment_and_its_way_back_agree(client, phone, admin, clock):
    order = await recharge.begin(phone, amount_fen=1_500)
    clock.shift(timedelta(minutes=31))
    await pending.advance_due(clock.now())
    await recharge.pay(client, order["id"], force=True)
    await recharge.in_state(phone, order["id"], "refunding")
    await pending.advance_due(clock.now())
    await recharge.in_state(phone, order["id"], "refunded")
    day = today()
    clock.reset()

    await bills.take_again(day)

    found = await items(admin, day)
    for number in (order["id"], f"{order['id']}L"):
        assert (found[number]["source"], found[number]["difference"]) == ("late", None)
        assert found[number]["theirs_fen"] == found[number]["ours_fen"] == 1_500


async def test_a_difference_is_taken_noted_resolved_and_stays_so_until_a_side_changes(
    client, phone, admin, manager, clock, lies
):
    number = await paid(client, phone)
    day = today()
    await lies(amounts={number: 900})
    clock.reset()
    await bills.take_again(day)
    one = (await waiting(admin))[number]
    path = f"{BASE}/differences/{one['id']}"

    assert (await manager.get(path)).status_code == 403
    taken = await admin.post(f"{path}/take", {"version": 1})
    noted = await admin.post(f"{path}/note", {"version": 2, "note": "已问微信客服"})
    stale = await admin.post(f"{path}/resolve", {"version": 2, "resolution": "accepted", "note": "x"})
    done = await admin.post(f"{path}/resolve", {"version": 3, "resolution": "wechat_corrects", "note": "次日更正"})
    twice = await admin.post(f"{path}/resolve", {"version": 4, "resolution": "accepted", "note": "再来"})

    assert [answer.status_code for answer in (taken, noted, done)] == [200, 200, 200]
    assert (stale.status_code, stale.json()["code"]) == (409, "difference_conflict")
    assert (twice.status_code, twice.json()["code"]) == (409, "difference_ended")
    detail = done.json()
    assert (detail["difference"]["state"], detail["difference"]["staff"]) == ("resolved", "admin")
    assert [(step["action"], step["staff"], step["note"]) for step in detail["steps"]] == [
        ("found", None, ""),
        ("taken", "admin", ""),
        ("noted", "admin", "已问微信客服"),
        ("resolved", "admin", "次日更正"),
    ]

    await bills.take_again(day)
    assert number not in await waiting(admin), "nothing new"
    await lies(amounts={number: 901})
    await bills.take_again(day)
    assert (await waiting(admin))[number]["theirs_fen"] == 901
    blocked = await admin.post(f"{path}/reopen", {"version": 4, "note": "看错了"})
    assert (blocked.status_code, blocked.json()["code"]) == (409, "difference_ended")


async def test_of_two_who_resolve_at_once_one_does(client, phone, admin, clock, lies):
    number = await paid(client, phone)
    day = today()
    await lies(omit=[number])
    clock.reset()
    await bills.take_again(day)
    await bills.take_again(day + DAY)
    path = f"{BASE}/differences/{(await waiting(admin))[number]['id']}/resolve"
    body = {"version": 1, "resolution": "accepted", "note": "并发"}

    answers = await asyncio.gather(*(admin.post(path, body) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


async def test_taking_a_bill_many_times_at_once_finds_each_difference_once(client, phone, admin, clock, lies):
    numbers = [await paid(client, phone, 100 + place) for place in range(3)]
    day = today()
    await lies(amounts=dict.fromkeys(numbers, 1))
    clock.reset()

    await asyncio.gather(*(bills.take_again(day) for _ in range(6)))

    found = await waiting(admin)
    for number in numbers:
        assert found[number]["what"] == "amount"
        steps = (await admin.get(f"{BASE}/differences/{found[number]['id']}")).json()["steps"]
        assert len(steps) == 1


async def test_days_without_a_bill_and_days_that_are_not_over_are_told_apart(admin, settings, clock):
    clock.reset()
    empty = today() - 30 * DAY
    before = await fingerprint(settings)
    for day in (today(), today() + DAY, today() - 91 * DAY):
        refused = await admin.post(f"{BASE}/days", {"day": str(day)})
        assert (refused.status_code, refused.json()["code"]) == (422, "bill_day_refused")
    assert await fingerprint(settings) == before

    taken = await admin.post(f"{BASE}/days", {"day": str(empty)})

    assert (taken.status_code, taken.json()["state"]) == (200, "empty")


async def test_what_a_bill_has_no_more_is_forgotten_and_the_books_of_it_are_clean(
    client, phone, admin, clock, lies, settings
):
    stays, goes = [await paid(client, phone, fen) for fen in (700, 800)]
    await recharge.faults(client, drop=True)
    theirs = (await recharge.begin(phone, amount_fen=900))["id"]
    await recharge.pay(client, theirs)
    await recharge.faults(client)
    day = today()
    clock.reset()
    for taken in (day, day + DAY):
        await bills.take_again(taken)
    told = (await waiting(admin))[theirs]

    await lies(omit=[goes, theirs])
    for taken in (day, day + DAY):
        await bills.take_again(taken)

    found = await items(admin, day)
    assert (found[stays]["theirs_fen"], found[stays]["difference"]) == (700, None)
    assert (found[goes]["theirs_fen"], found[goes]["difference"]) == (None, "only_here")
    assert theirs not in found
    assert (await admin.get(f"{BASE}/differences/{told['id']}")).json()["difference"]["state"] == "gone"
    assert await audit.prove(await kept.connection(settings, "huiyuan_owner")) == []
    await lies()
    await bills.take_again(day)
    assert goes not in await waiting(admin)


async def test_a_bill_that_was_cut_short_is_shown_and_made_whole_by_the_job(
    client, phone, admin, clock, lies, settings, monkeypatch
):
    number, gone = [await paid(client, phone, fen) for fen in (1_000, 300)]
    day = today()
    clock.reset()
    await bills.take_again(day)

    steps = ((bills, "_keep_both"), (bills, "_keep_ours"), (bills, "_note_taken"), (judging, "judge_day"))
    for fen, (place, step) in enumerate(steps, start=901):
        await lies(amounts={number: fen}, omit=[gone])
        with monkeypatch.context() as cut:
            cut.setattr(place, step, _killed)
            with pytest.raises(asyncio.CancelledError):
                await bills.take_again(day)
        shown = (await admin.get(f"{BASE}/days?from={day}&to={day}")).json()["items"][0]
        assert (shown["state"], shown["due_at"] is None) == ("taken", False), step
        books = await kept.connection(settings, "huiyuan_owner")
        assert await audit.prove(books) == [], "it says itself that it is not whole"

        clock.shift(bills.UNDERWAY)
        while await bills.take_due(clock.now()):
            pass  # days before it come first
        clock.reset()

        shown = (await admin.get(f"{BASE}/days?from={day}&to={day}")).json()["items"][0]
        assert shown["due_at"] is None, step
        assert (await waiting(admin))[number]["theirs_fen"] == fen, step
        assert await audit.prove(books) == [], step


async def _killed(*_: object) -> None:
    raise asyncio.CancelledError


async def test_a_bill_that_is_denied_afterwards_stays_as_it_was(client, phone, admin, clock, lies, settings):
    number = await paid(client, phone)
    day = today()
    clock.reset()
    await bills.take_again(day)
    every = list(await items(admin, day))
    await lies(omit=every)
    before = await fingerprint(settings)

    denied = await admin.post(f"{BASE}/days", {"day": str(day)})

    assert (denied.status_code, denied.json()["code"]) == (409, "bill_vanished")
    assert await fingerprint(settings) == before
    assert (await items(admin, day))[number]["theirs_fen"] == 1_000


async def test_pages_and_files_have_every_item_once(client, phone, admin, clock):
    numbers = {await paid(client, phone, 200 + place) for place in range(5)}
    day = today()
    clock.reset()
    await bills.take_again(day)
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await admin.get(f"{BASE}/items?day={day}&limit=2{cursor}")).json()
        seen += [one["number"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    file = await admin.get(f"{BASE}/items/file?day={day}&format=csv")

    assert len(seen) == len(set(seen))
    assert numbers <= set(seen)
    rows = file.text.lstrip("\ufeff").splitlines()
    assert len(rows) == len(seen) + 1
    assert all(any(number in row for row in rows) for number in numbers)
    wrong = await admin.get(f"{BASE}/items?day={day}&cursor=x")
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/query/cursor")
