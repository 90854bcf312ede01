"""Other systems ask for what was changed: in order, without gaps, and only the fields that they were given."""

from __future__ import annotations

import asyncio
import contextvars
from datetime import timedelta
from typing import Any

import httpx
import pytest

from backend.engines import datadir
from backend.feeds.commands import numbering
from backend.kernel import clock as kernel_clock
from backend.kernel import db, events, ids, outbox
from backend.kernel.vault import vault
from backend.members import service, telling
from backend.members.events import LevelReached
from backend.members.types import Stage
from backend.messages.queries.addresses import EMAIL_CONTEXT
from tests.support.huiyuan import huiyuan
from tests.support.members import random_phone
from tests.support.mis import make_subscriber

ADMIN = "/v1/admin/feeds/subscribers"
FEED = "/v1/feeds/members"


async def ask(client: httpx.AsyncClient, key: str, path: str = FEED, **query: Any) -> httpx.Response:
    return await client.get(path, params=query, headers={"Authorization": f"Bearer {key}"})


async def rest(client: httpx.AsyncClient, key: str, cursor: str | None = None) -> tuple[list[dict[str, Any]], str]:
    """Everything from a place on, and the place behind it."""
    found: list[dict[str, Any]] = []
    while True:
        answer = await ask(client, key, limit=3, **({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        cursor = page["next_cursor"]
        if not page["more"]:
            return found, cursor


async def everybody(client: httpx.AsyncClient, key: str) -> list[dict[str, Any]]:
    """All pages of the snapshot."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await ask(client, key, "/v1/feeds/snapshot", limit=2, **cursor)).json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


async def entry(member_id: int = 1, tx: Any = None) -> None:
    text = "INSERT INTO feed_entry (id, kind, member_id, body, at) VALUES ($1, 'member.registered', $2, '{}', $3)"
    if tx is None:
        await db.fetch(text, ids.new_bigint(), member_id, kernel_clock.now())
    else:
        await db.raw(tx).execute(text, ids.new_bigint(), member_id, kernel_clock.now())


async def test_a_place_is_kept_and_nothing_is_missed_or_told_twice(client, admin):
    made = await make_subscriber(admin, ["status"])
    _, place = await rest(client, made["key"])
    for member_id in range(1, 8):
        await entry(member_id)

    found, place = await rest(client, made["key"], place)
    assert [item["member"]["id"] for item in found] == [str(one) for one in range(1, 8)]
    assert [item["seq"] for item in found] == list(range(found[0]["seq"], found[0]["seq"] + 7))

    assert (await rest(client, made["key"], place))[0] == []


async def test_what_is_committed_late_is_told_late_and_not_lost(client, admin):
    made = await make_subscriber(admin, ["status"])
    _, place = await rest(client, made["key"])
    async with db.transaction() as tx:
        await entry(1, tx)
        await _outside(entry(2))
        found, place = await _outside(rest(client, made["key"], place))
        assert [item["member"]["id"] for item in found] == ["2"]

    found, _ = await rest(client, made["key"], place)
    assert [item["member"]["id"] for item in found] == ["1"]


async def _outside(work: Any) -> Any:
    return await asyncio.get_running_loop().create_task(work, context=contextvars.Context())


async def test_many_who_number_at_once_leave_no_gap(client, admin):
    made = await make_subscriber(admin, ["status"])
    _, place = await rest(client, made["key"])

    await asyncio.gather(*(entry(one) for one in range(20)), *(numbering.number() for _ in range(8)))

    found, _ = await rest(client, made["key"], place)
    assert sorted(int(item["member"]["id"]) for item in found) == list(range(20))
    assert [item["seq"] for item in found] == list(range(found[0]["seq"], found[0]["seq"] + 20))


async def test_a_new_member_is_told_of(client, admin, phone):
    made = await make_subscriber(admin, ["phone"])
    await outbox.drain()

    found, _ = await rest(client, made["key"])
    mine = [item for item in found if item["member"]["id"] == phone.member["id"]]
    assert [(item["type"], item["changes"]) for item in mine] == [("member.registered", [])]
    assert mine[0]["member"]["member_no"] == phone.member["member_no"]


async def test_of_one_member_it_is_told_in_order_and_without_a_hole_though_events_fail(client, admin, phone):
    made = await make_subscriber(admin, ["gender"])
    await outbox.drain()
    _, place = await rest(client, made["key"])
    for gender in ("male", "female"):
        assert (await phone.call("PATCH", "/v1/member/profile", {"gender": gender})).status_code == 200
    first = "SELECT min(id) FROM outbox WHERE name = 'MemberChanged'"
    await db.fetch(f"UPDATE outbox SET not_before = 'infinity' WHERE id = ({first})")
    await outbox.drain()

    told = [item["changes"][0] for item in (await rest(client, made["key"], place))[0]]
    assert [(one["before"], one["after"]) for one in told] == [("unknown", "male"), ("male", "female")]
    await outbox.retry_parked()
    await outbox.drain()
    assert len((await rest(client, made["key"], place))[0]) == 2, "and once"


async def test_what_a_server_without_the_feed_changed_is_told_by_its_event(client, admin, phone, monkeypatch):
    made = await make_subscriber(admin, ["name"])
    await outbox.drain()
    _, place = await rest(client, made["key"])
    monkeypatch.setattr(telling, "_listeners", [])
    assert (await phone.call("PATCH", "/v1/member/profile", {"name": "欧阳小明"})).status_code == 200
    monkeypatch.undo()
    await outbox.drain()

    (told,) = (await rest(client, made["key"], place))[0]
    assert told["changes"][0]["after"] == "欧阳小明"


async def test_a_level_that_a_server_without_the_feed_moved_is_told_by_its_event(
    client, admin, phone, levels, monkeypatch
):
    made = await make_subscriber(admin, ["level"])
    await outbox.drain()
    _, place = await rest(client, made["key"])

    async def move(level: str) -> None:
        async with db.transaction() as tx:
            await service.set_levels(tx, {phone.member_id: (level, None)})
            await events.publish(tx, LevelReached(member_id=phone.member_id, level=level))

    await move("silver")
    with monkeypatch.context() as before:
        before.setattr(telling, "_listeners", [])
        await move("gold")
    await outbox.drain()

    told = [item["changes"][0]["after"] for item in (await rest(client, made["key"], place))[0]]
    assert told == ["silver", "gold"]


async def test_levels_and_stages_are_told_as_a_snapshot_has_them_lent_ones_too(client, admin, phone, levels):
    made = await make_subscriber(admin, ["level", "stage"])
    _, place = await rest(client, made["key"])
    async with db.transaction() as tx:
        await service.set_levels(tx, {phone.member_id: ("silver", "gold")})
        await service.set_levels(tx, {phone.member_id: ("basic", "gold")})
        await service.set_stages(tx, {phone.member_id: Stage.LOYAL}, kernel_clock.now().date())

    told = (await rest(client, made["key"], place))[0]
    now = (await ask(client, made["key"], f"{FEED}/{phone.member['id']}")).json()["fields"]
    assert [(item["type"], item["changes"][0]["after"]) for item in told] == [
        ("member.level_changed", "gold"),
        ("member.stage_changed", "loyal"),
    ]
    assert now == {"level": "gold", "stage": "loyal"}


async def test_whom_staff_enter_is_told_of_to_whoever_may_see_only_their_number(client, admin):
    made = await make_subscriber(admin, ["phone"])
    await outbox.drain()
    _, place = await rest(client, made["key"])
    body = {"phone": random_phone(), "name": "赵敏"}
    entered = await admin.post("/v1/admin/members", body, key=ids.new_short("K"))
    assert entered.status_code == 201, entered.text

    (told,) = (await rest(client, made["key"], place))[0]
    assert (told["type"], told["changes"]) == ("member.registered", [])
    now = await ask(client, made["key"], f"{FEED}/{told['member']['id']}")
    assert now.json()["fields"] == {"phone": body["phone"]}


async def test_a_confirmed_email_is_in_the_snapshot_too(client, admin, phone):
    made = await make_subscriber(admin, ["email"])
    sealed = vault().seal(b"a@example.com", context=EMAIL_CONTEXT)
    await db.fetch(
        "INSERT INTO message_email (member_id, sealed, address_index, confirmed_at, updated_at)"
        " VALUES ($1, $2, 'x', $3, $3)",
        phone.member_id,
        sealed,
        kernel_clock.now(),
    )

    now = (await ask(client, made["key"], f"{FEED}/{phone.member['id']}")).json()["fields"]

    assert now == {"email": "a@example.com"}


async def test_what_was_changed_is_told_with_who_before_and_after_in_the_fields_that_were_given(client, admin, phone):
    some = await make_subscriber(admin, ["birthday", "status"])
    other = await make_subscriber(admin, ["store_id"])
    await outbox.drain()
    _, place = await rest(client, some["key"])
    changed = await phone.call("PATCH", "/v1/member/profile", {"name": "李小红", "birthday": "1990-05-01"})
    assert changed.status_code == 200, changed.text
    await outbox.drain()

    (told,) = (await rest(client, some["key"], place))[0]
    assert told["type"] == "member.changed"
    assert told["by"] == {"kind": "member", "id": phone.member["id"]}
    birthday = {"field": "birthday", "before": None, "after": "1990-05-01", "erased": False}
    assert told["changes"] == [birthday], "the name is not its business"
    assert (await rest(client, other["key"], place))[0] == []


async def test_the_snapshot_has_everybody_in_the_fields_that_were_given(client, admin, phone):
    some, all_of_it = (
        await make_subscriber(admin, ["store_id", "level"]),
        await make_subscriber(admin, ["phone", "level"]),
    )
    for made, expected in ((some, {"store_id", "level"}), (all_of_it, {"phone", "level"})):
        items = await everybody(client, made["key"])
        alone = await ask(client, made["key"], f"{FEED}/{phone.member['id']}")
        assert alone.json() in items
        (mine,) = [one for one in items if one["member"]["id"] == phone.member["id"]]
        assert set(mine["fields"]) == expected
        assert len(items) == await db.fetchval("SELECT count(*) FROM member")
        assert len(mine["fields"].get("phone", "1" * 11)) == 11, "in the clear"


@pytest.mark.parametrize("member_id", ["4711", "0", "x", "9" * 40, "0004711"])
async def test_who_is_no_member_is_not_found(client, admin, member_id):
    made = await make_subscriber(admin, ["phone"])

    assert (await ask(client, made["key"], f"{FEED}/{member_id}")).status_code == 404


@pytest.mark.parametrize("cursor", ["x", "MQ", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk", "8J-YgA"])
async def test_a_cursor_that_was_never_given_is_refused(client, admin, cursor):
    made = await make_subscriber(admin, ["status"])
    await db.fetch("UPDATE feed_head SET first = greatest(first, 1)")

    answer = await ask(client, made["key"], cursor=cursor)

    assert answer.status_code in (200, 409, 422)
    assert answer.status_code != 200 or cursor == "MQ"


async def test_after_a_restore_whoever_read_lost_numbers_begins_again(client, admin, settings):
    """Its numbers are nobody else's, whether it asks before others overtook it or after."""
    made = await make_subscriber(admin, ["status"])
    await entry(1)
    _, known = await rest(client, made["key"])
    await entry(2)
    _, lost = await rest(client, made["key"], known)
    number = await db.fetchval("DELETE FROM feed_entry WHERE seq = (SELECT seq FROM feed_head) RETURNING seq")
    await db.fetch("UPDATE feed_head SET seq = seq - 1")
    ahead = await ask(client, made["key"], cursor=lost)
    assert (ahead.status_code, ahead.json()["code"]) == (409, "feed_expired")

    said = await asyncio.to_thread(huiyuan, "feed-restart", env=datadir.environment(settings))
    await entry(3)
    await entry(4)

    assert "behind" in said.stdout
    for place in (known, lost):
        answer = await ask(client, made["key"], cursor=place)
        assert (answer.status_code, answer.json()["code"]) == (409, "feed_expired")
    snapshot = (await ask(client, made["key"], "/v1/feeds/snapshot", limit=1)).json()
    assert (await rest(client, made["key"], snapshot["feed_cursor"]))[0] == []
    found = (await rest(client, made["key"]))[0]
    assert [item["member"]["id"] for item in found] == ["3", "4"]
    assert found[0]["seq"] > number + 100_000_000


async def test_what_is_too_old_is_forgotten_and_whoever_was_there_is_told(client, admin, clock):
    made = await make_subscriber(admin, ["status"])
    _, place = await rest(client, made["key"])
    await entry(1)
    await entry(2)
    _, newest = await rest(client, made["key"], place)
    clock.shift(timedelta(days=401))

    assert await numbering.forget(kernel_clock.now()) > 0

    answer = await ask(client, made["key"], cursor=place)
    assert (answer.status_code, answer.json()["code"]) == (409, "feed_expired")
    assert (await rest(client, made["key"], newest))[0] == []
    assert [item["member"]["id"] for item in (await rest(client, made["key"]))[0]] == ["2"], "the newest one stays"


async def test_only_a_key_that_is_good_lets_in(client, admin):
    made = await make_subscriber(admin, ["status"])
    of = f"{ADMIN}/{made['subscriber']['id']}"
    assert (await ask(client, "hyfeed_" + "x" * 43)).status_code == 401
    assert (await ask(client, made["key"])).status_code == 200

    renewed = (await admin.post(f"{of}/key", {})).json()
    assert (await ask(client, made["key"])).status_code == 200, "for a day"
    assert (await ask(client, renewed["key"])).status_code == 200

    before = (await admin.get(of)).json()
    paused = {"version": before["version"], "name": before["name"], "fields": ["status"], "active": False}
    assert (await admin.call("PUT", of, paused)).status_code == 200
    assert (await ask(client, renewed["key"])).status_code == 401
    stale = await admin.call("PUT", of, paused)
    assert (stale.status_code, stale.json()["code"]) == (409, "subscriber_conflict")
    assert (await admin.call("PUT", of, paused | {"version": before["version"] + 1, "active": True})).status_code == 200

    assert (await admin.call("DELETE", of)).status_code == 204
    assert (await ask(client, renewed["key"])).status_code == 401
    ended = await admin.post(f"{of}/key", {})
    assert (ended.status_code, ended.json()["code"]) == (409, "subscriber_ended")


async def test_the_key_before_the_last_is_good_for_a_day_only(client, admin, clock):
    made = await make_subscriber(admin, ["status"])
    await admin.post(f"{ADMIN}/{made['subscriber']['id']}/key", {})

    clock.shift(timedelta(hours=24, seconds=1))

    assert (await ask(client, made["key"])).status_code == 401


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"fields": ["nothing"]}, "/fields/0"),
        ({"url": "ftp://example.com/"}, "/url"),
        ({"url": "http://user:pass@example.com/"}, "/url"),
        ({"url": "http://example.com:99999/"}, "/url"),
        ({"name": ""}, "/name"),
    ],
)
async def test_what_cannot_be_a_subscriber_is_refused_and_none_is_made(admin, change, at):
    before = await db.fetchval("SELECT count(*) FROM feed_subscriber")

    answer = await admin.post(ADMIN, {"name": ids.new_short("N"), "fields": ["status"]} | change)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == at
    assert await db.fetchval("SELECT count(*) FROM feed_subscriber") == before


async def test_a_name_is_one_subscribers(admin):
    made = await make_subscriber(admin, ["status"])
    again = {"name": made["subscriber"]["name"], "fields": ["status"]}

    assert (await admin.post(ADMIN, again)).status_code == 422
    await admin.call("DELETE", f"{ADMIN}/{made['subscriber']['id']}")
    assert (await admin.post(ADMIN, again)).status_code == 201


async def test_an_attribute_is_a_field_of_its_own(client, admin, phone):
    for code in ("flavour", "size"):
        body = {"code": code, "name": code, "type": "text"}
        assert (await admin.post("/v1/admin/member-attributes", body)).status_code == 201
    one = await make_subscriber(admin, ["attributes.flavour"])
    every = await make_subscriber(admin, ["attributes"])
    await outbox.drain()
    _, place = await rest(client, one["key"])
    said = {"attributes": {"flavour": "sour", "size": "large"}}
    assert (await phone.call("PATCH", "/v1/member/profile", said)).status_code == 200
    await outbox.drain()

    for made, expected in ((one, {"attributes.flavour"}), (every, {"attributes.flavour", "attributes.size"})):
        (told,) = (await rest(client, made["key"], place))[0]
        assert {change["field"] for change in told["changes"]} == expected
        (now,) = [(await ask(client, made["key"], f"{FEED}/{phone.member['id']}")).json()["fields"]]
        assert now.keys() == expected
