"""Points between members: confirmed by name and PIN, within limits, with their last days, in one transaction."""

from __future__ import annotations

import asyncio
import uuid
from datetime import date

import msgspec
import pytest

from backend.kernel import clock as time
from backend.kernel import config, db
from backend.ledger import queries as ledger
from backend.ledger import service
from backend.ledger.plans import HOUSE_POINTS_ISSUED, POINT, POINTS, Issue, Leg, Plan
from backend.points.commands import transfers
from backend.points.errors import PointsTransferReversed, PointsTransferSpent
from tests.support.books import VOLATILE, fingerprint
from tests.support.members import register

PATH = "/v1/member/points"
pytestmark = pytest.mark.usefixtures("books")


async def earn(phone, *lots):
    """Points as purchases give them: ``(points, last day)``."""
    now, issue = time.now(), tuple(Issue("earned", points, expires_on=day) for points, day in lots)
    total = sum(points for points, _ in lots)
    plan = Plan(
        member_id=phone.member_id,
        kind="sale",
        at=now,
        on=time.local_date(now, "Asia/Shanghai"),
        scope="test",
        key=uuid.uuid4().hex,
        hash="00" * 32,
        legs=(Leg(POINTS, POINT, total, issue=issue), Leg(HOUSE_POINTS_ISSUED, POINT, -total)),
    )
    await service.post(plan)


@pytest.fixture
async def friend(client, chain):
    return await register(client)


async def with_pin(phone):
    assert (await phone.call("PUT", "/v1/member/pin", {"pin": "121212"})).status_code == 204
    return phone


async def wish(phone, friend, points, **more):
    found = await phone.call("POST", f"{PATH}/recipient", {"member_no": friend.member["member_no"]})
    return found.json() | {"points": points, "pin": "121212"} | more


async def give(phone, friend, points, *, key=None, **more):
    body = await wish(phone, friend, points, **more)
    return await phone.call("POST", f"{PATH}/transfers", body, key=key or uuid.uuid4().hex)


async def lots_of(phone):
    found = await ledger.list_open_lots(phone.member_id, POINTS)
    return [(lot.part, lot.remaining, lot.expires_on) for lot in found]


async def test_points_move_with_their_last_days_and_both_see_it(chain, phone, friend):
    soon, later = date(2027, 1, 31), date(2027, 6, 30)
    await earn(await with_pin(phone), (100, later), (50, soon))

    done = await give(phone, friend, 120)

    assert done.status_code == 201, done.text
    assert (done.json()["points"], done.json()["direction"], done.json()["state"]) == (120, "out", "done")
    assert await lots_of(friend) == [("transferred", 50, soon), ("transferred", 70, later)]
    assert await lots_of(phone) == [("earned", 30, later)]
    seen = (await friend.call("GET", f"{PATH}/transfers")).json()["items"]
    assert [(one["direction"], one["points"], one["id"]) for one in seen] == [("in", 120, done.json()["id"])]
    for who, amount, title in ((phone, -120, "转赠积分"), (friend, 120, "收到转赠积分")):
        (line, *_) = (await who.call("GET", "/v1/member/wallet/entries?account=points")).json()["items"]
        assert (line["amount"], line["title"], line["reference"]) == (amount, title, done.json()["id"])
    letters = (await friend.call("GET", "/v1/member/inbox")).json()["items"]
    assert [letter["title"] for letter in letters if "转赠" in letter["title"]] == ["收到转赠积分"]


async def test_a_retry_gets_the_first_answer_and_nothing_moves_twice(chain, phone, friend):
    await earn(await with_pin(phone), (100, None))
    body = await wish(phone, friend, 60)
    key = uuid.uuid4().hex

    answers = await asyncio.gather(*(phone.call("POST", f"{PATH}/transfers", body, key=key) for _ in range(4)))
    other = await phone.call("POST", f"{PATH}/transfers", body | {"points": 61}, key=key)

    assert {answer.json()["id"] for answer in answers if answer.status_code == 201} == {answers[0].json()["id"]}
    assert [answer.status_code for answer in answers] == [201] * 4
    assert other.json()["code"] == "idempotency_conflict"
    assert [remaining for _, remaining, _ in await lots_of(friend)] == [60]


async def test_what_was_given_is_not_handed_on_and_gifts_are_not_given(chain, phone, friend):
    await earn(await with_pin(phone), (100, None))
    await give(phone, friend, 100)
    third = await with_pin(friend)

    back = await give(third, phone, 1)

    assert back.json()["code"] == "points_not_transferable"
    assert (await third.call("GET", f"{PATH}/transfer-limits")).json()["most"] == 0


async def test_refusals_move_nothing(client, chain, admin, phone, friend, settings):
    await earn(phone, (3_000, None), (10, date(2020, 1, 1)))
    without_pin = await give(phone, friend, 10)
    await with_pin(phone)
    frozen = await register(client)
    body = await wish(phone, frozen, 10)
    await admin.post(f"/v1/admin/members/{frozen.member_id}/freeze")
    before = await fingerprint(settings, without=VOLATILE | {"member_pin"})

    refused = {
        "points_transfer_own": await phone.call(
            "POST",
            f"{PATH}/transfers",
            body | {"member_no": phone.member["member_no"]},
            key=uuid.uuid4().hex,
        ),
        "points_recipient_changed": await give(phone, friend, 10, name_masked="别人"),
        "points_transfer_limit": await give(phone, friend, 2_001),
        "pin_invalid": await give(phone, friend, 10, pin="999999"),
        "not_found": await phone.call("POST", f"{PATH}/transfers", body, key=uuid.uuid4().hex),
    }
    looked = await phone.call("POST", f"{PATH}/recipient", {"member_no": frozen.member["member_no"]})

    assert without_pin.json()["code"] == "pin_required"
    assert {code: answer.json()["code"] for code, answer in refused.items()} == {code: code for code in refused}
    assert looked.status_code == 404
    assert await fingerprint(settings, without=VOLATILE | {"member_pin"}) == before


async def test_the_days_limit_holds_against_transfers_at_one_moment(chain, phone, friend, settings):
    await earn(await with_pin(phone), (9_000, None))

    answers = await asyncio.gather(*(give(phone, friend, 2_000) for _ in range(3)))

    codes = sorted(answer.json().get("code", "done") for answer in answers)
    assert codes.count("done") <= 2
    while "stale" in codes:  # both were planned on what the other moved: the member sends it again
        codes.remove("stale")
        codes.append((await give(phone, friend, 2_000)).json().get("code", "done"))
    assert sorted(codes) == ["done", "done", "points_transfer_limit"]
    limits = (await phone.call("GET", f"{PATH}/transfer-limits")).json()
    assert (limits["day_left"], limits["month_left"], limits["most"]) == (1_000, 16_000, 1_000)


async def test_what_must_be_left_is_left(chain, phone, friend, settings):
    config.use(msgspec.structs.replace(settings, points_transfer_min_left=80))
    try:
        await earn(await with_pin(phone), (100, None), (50, date(2020, 1, 1)))  # the latter are over
        refused, done = await give(phone, friend, 21), await give(phone, friend, 20)
    finally:
        config.use(settings)

    assert (refused.json()["code"], done.status_code) == ("points_not_transferable", 201)
    assert (await phone.wallet())["points"]["available"] == 80


async def test_members_who_give_each_other_at_one_moment_do_not_deadlock(chain, phone, friend):
    for who in (phone, friend):
        await earn(await with_pin(who), (1_000, None))

    answers = await asyncio.gather(
        *(give(phone, friend, 10) for _ in range(4)), *(give(friend, phone, 10) for _ in range(4))
    )

    assert {answer.json().get("code", "done") for answer in answers} <= {"done", "stale"}
    total = sum([(await who.wallet())["points"]["available"] for who in (phone, friend)])
    assert total == 2_000


async def test_staff_take_back_what_is_all_there_and_nothing_else(chain, phone, friend, settings):
    await earn(await with_pin(phone), (100, date(2027, 1, 31)))
    done = (await give(phone, friend, 60)).json()

    async with db.transaction() as tx:
        await transfers.reverse(tx, done["id"], key="A1")

    assert await lots_of(phone) == [("earned", 100, date(2027, 1, 31))]
    assert await lots_of(friend) == []
    assert [one["state"] for one in (await friend.call("GET", f"{PATH}/transfers")).json()["items"]] == ["reversed"]
    before = await fingerprint(settings)
    with pytest.raises(PointsTransferReversed):
        async with db.transaction() as tx:
            await transfers.reverse(tx, done["id"], key="A2")
    assert await fingerprint(settings) == before


async def test_what_was_spent_is_not_taken_back(client, chain, phone, friend, settings):
    await earn(await with_pin(phone), (100, None))
    done = (await give(phone, friend, 60)).json()
    await chain.till.sell(client, friend.code(), fen=10, tenders=[{"type": "points"}])
    before = await fingerprint(settings)

    with pytest.raises(PointsTransferSpent):
        async with db.transaction() as tx:
            await transfers.reverse(tx, done["id"], key="A1")

    assert await fingerprint(settings) == before


async def test_a_store_sees_transfers_of_its_own_members_only(client, chain, admin, phone, friend):
    from tests.support.staff import log_in

    await earn(await with_pin(phone), (100, None))
    for _ in range(3):
        await give(phone, friend, 1)
    path = f"/v1/admin/points-transfers?member_id={phone.member_id}&limit=2"

    first = (await admin.get(path)).json()
    second = (await admin.get(f"{path}&cursor={first['next_cursor']}")).json()
    manager = await log_in(client, chain, "manager-S1")

    assert [len(first["items"]), len(second["items"]), second["next_cursor"]] == [2, 1, None]
    assert (await manager.get(path)).status_code == 404
