"""Who is meant by which conditions, and what staff may mean."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest
import pytest_asyncio

from backend.audience import queries, service
from backend.audience.types import Audience
from backend.kernel import clock, db
from backend.kernel.errors import ValidationFailed
from backend.members.types import Gender
from tests.support.members import register


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def people(database, chain, office):
    """Four members: (store, level, gender, birthday, registered on), the last one frozen."""
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO member_level (code, name, discount_bp, points_multiplier_bp, growth_from_fen)"
            " VALUES ('gold', '金卡', 500, 15000, 100000)"
        )
    rows = [
        ("S1", "basic", "female", date(1990, 2, 29 - 1), "2025-12-31T15:59:59Z", "active"),
        ("S1", "gold", "male", date(1991, 3, 1), "2025-12-31T16:00:00Z", "active"),
        ("S2", "gold", "unknown", None, "2026-02-01T15:59:59Z", "active"),
        ("S2", "basic", "female", date(1992, 2, 1), "2026-02-01T16:00:00Z", "frozen"),
    ]
    ids = []
    for row in rows:
        phone = await register(office)
        ids.append(phone.member_id)
        async with db.transaction() as tx:
            await db.raw(tx).execute(
                "UPDATE member SET store_id = $2, level_id = $3, gender = $4, birthday = $5,"
                " created_at = $6::text::timestamptz, status = $7 WHERE id = $1",
                phone.member_id,
                *row,
            )
    return ids


def numbered(people, *places):
    return sorted(people[place] for place in places)


@pytest.mark.parametrize(
    ("audience", "meant"),
    [
        (Audience(), (0, 1, 2)),
        (Audience(levels=("gold",)), (1, 2)),
        (Audience(levels=("gold", "basic"), store_ids=("S1",)), (0, 1)),
        (Audience(genders=(Gender.FEMALE, Gender.UNKNOWN)), (0, 2)),
        (Audience(birthday_months=(2,)), (0,)),
        (Audience(birthday_months=(2, 3)), (0, 1)),
        (Audience(registered_from=date(2026, 1, 1)), (1, 2)),  # days of the chain's zone
        (Audience(registered_until=date(2026, 2, 1)), (0, 1, 2)),
        (Audience(registered_until=date(2025, 12, 31)), (0,)),
        (Audience(registered_from=date.min, registered_until=date.max), (0, 1, 2)),  # stored before it was refused
        (Audience(registered_from=date.max), ()),
        (Audience(bought_skus=("6901",)), ()),
        (Audience(member_nos=("123456789012",)), ()),
    ],
)
async def test_all_conditions_hold_for_whoever_is_meant(people, audience, meant):
    wanted = numbered(people, *meant)

    assert await queries.list_members(audience, after=0, limit=100) == wanted
    assert await queries.count(audience) == len(wanted)
    assert [who for who in sorted(people) if await queries.includes(audience, who)] == wanted


async def test_buyers_are_those_who_kept_a_piece_lately_enough(people):
    today = clock.local_date(clock.now(), "Asia/Shanghai")
    async with db.transaction() as tx:
        await db.raw(tx).executemany(
            "INSERT INTO audience_bought (member_id, sku, pieces, times, last_on) VALUES ($1, $2, 1, 1, $3)",
            [
                (people[0], "6901", today),
                (people[1], "6902", today - timedelta(days=30)),
                (people[2], "6902", today - timedelta(days=31)),
                (people[3], "6901", today),
            ],
        )
    both = Audience(bought_skus=("6901", "6902"))
    lately = Audience(bought_skus=("6901", "6902"), bought_within_days=30)
    of_store = Audience(bought_skus=("6901", "6902"), store_ids=("S2",))

    assert await queries.list_members(both, after=0, limit=9) == numbered(people, 0, 1, 2)
    assert await queries.list_members(lately, after=0, limit=9) == numbered(people, 0, 1)
    assert await queries.list_members(of_store, after=0, limit=9) == numbered(people, 2)
    async with db.transaction() as tx:
        await db.raw(tx).execute("DELETE FROM audience_bought")


async def test_pages_follow_each_other_by_id(people):
    wanted = numbered(people, 0, 1, 2)

    first = await queries.list_members(Audience(), after=0, limit=2)
    rest = await queries.list_members(Audience(), after=first[-1], limit=2)

    assert first + rest == wanted


async def test_pages_of_buyers_follow_each_other_by_id(people):
    async with db.transaction() as tx:
        await db.raw(tx).executemany(
            "INSERT INTO audience_bought (member_id, sku, pieces, times, last_on) VALUES ($1, 'PAGED', 1, 1, $2)",
            [(member_id, date(2026, 1, 1)) for member_id in people],
        )
    buyers, found = Audience(bought_skus=("PAGED", "NONE")), []

    while page := await queries.list_members(buyers, after=found[-1] if found else 0, limit=1):
        found += page

    assert found == numbered(people, 0, 1, 2)


async def test_members_are_meant_by_number(people):
    number = await db.fetchval("SELECT member_no FROM member WHERE id = $1", people[1])

    assert await queries.list_members(Audience(member_nos=(number,)), after=0, limit=9) == [people[1]]


async def test_a_stores_staff_mean_their_own_store(people):
    narrowed = await service.check(Audience(levels=("gold",)), "S2")
    own = await service.check(Audience(store_ids=("S2",)), "S2")
    head_office = await service.check(Audience(levels=("gold",)), None)

    assert narrowed == Audience(levels=("gold",), store_ids=("S2",))
    assert own == Audience(store_ids=("S2",))
    assert head_office == Audience(levels=("gold",))
    with pytest.raises(ValidationFailed) as refused:
        await service.check(Audience(store_ids=("S2", "S1")), "S2")
    assert [error.pointer for error in refused.value.errors] == ["/audience/store_ids/1"]


async def test_what_is_unknown_is_named(people):
    audience = Audience(
        levels=("gold", "diamond"),
        store_ids=("S9",),
        bought_within_days=3,
        registered_from=date(2026, 2, 1),
        registered_until=date(2026, 1, 31),
    )

    with pytest.raises(ValidationFailed) as refused:
        await service.check(audience, None, pointer="/to")

    assert [error.pointer for error in refused.value.errors] == [
        "/to/levels/1",
        "/to/store_ids/0",
        "/to/bought_within_days",
        "/to/registered_until",
    ]
    with pytest.raises(ValidationFailed) as refused:
        await service.check(Audience(registered_from=date.min, registered_until=date.max), None)
    assert [error.pointer for error in refused.value.errors] == [
        "/audience/registered_from",
        "/audience/registered_until",
    ]


@pytest.mark.parametrize(
    "text",
    [
        b'{"levels": []}',  # nobody means everybody by it
        b'{"member_nos": []}',
        b'{"birthday_months": [0]}',
        b'{"birthday_months": [13]}',
        b'{"bought_within_days": 0}',
        b'{"member_nos": ["12345678901\\n"]}',
        b'{"bought_skus": ["a\\u0000"]}',
        b'{"level": ["gold"]}',
        b'{"genders": ["none"]}',
    ],
)
def test_refuses_what_is_no_audience(text):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Audience)


def test_an_audience_is_stored_as_it_was_sent():
    audience = Audience(levels=("gold",), registered_from=date(2026, 1, 1), genders=(Gender.MALE,))

    text = msgspec.json.encode(audience)

    assert text == b'{"levels":["gold"],"genders":["male"],"registered_from":"2026-01-01"}'
    assert msgspec.json.decode(text, type=Audience) == audience
