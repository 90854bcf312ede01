"""Lists of members by conditions: who is in them, page by page, and by which plan on many rows."""

from __future__ import annotations

import json
from datetime import date

import pytest
import pytest_asyncio

from backend.kernel import db
from backend.kernel.vault import vault
from backend.members import queries
from backend.members.types import AttributeCondition as Condition
from backend.members.types import MemberFilter, Stage, Status
from tests.support import wire
from tests.support.attributes import CHOICES, define
from tests.support.books import connected
from tests.support.staff import log_in

SEARCH = "/v1/admin/members/search"
MANY = 30_000

# Everybody is of one of ten stores; one in a thousand waits; one in fifty is gold; ages of 20 to 69, cities by turns.
_MEMBERS = f"""
INSERT INTO member (id, member_no, name, phone_sealed, phone_index, birthday, gender, store_id, level_id, status,
                    growth_fen, attributes, created_at, updated_at, stage, valid_until)
SELECT 4611686018427387904 + i::bigint * 7919 % 99999989 * 1000, (100000000000 + i)::text,
       CASE WHEN i % 3000 = 0 THEN '欧阳' ELSE '王' END || i, $1, 'i' || i, NULL, 'unknown',
       CASE WHEN i % 10 < 2 THEN 'S' || (1 + i % 2) END, 'basic',
       CASE WHEN i % 1000 = 0 THEN 'pending' ELSE 'active' END, 0, '{{}}',
       timestamptz '2026-01-01' + i * interval '10 minutes', now(), CASE i % 3 WHEN 0 THEN 'loyal' END,
       CASE i % 100 WHEN 0 THEN date '2027-01-01' + i / 1000 END
  FROM generate_series(1, {MANY}) AS i
"""
_VALUES = """
INSERT INTO member_value (member_id, attribute, text, number, joined_at)
SELECT id, w.attribute, w.text, w.number, created_at
  FROM (SELECT id, created_at, substr(phone_index, 2)::int AS i FROM member WHERE phone_index LIKE 'i%') AS m
 CROSS JOIN LATERAL (VALUES
        ('city', (ARRAY['sh', 'sh', 'bj'])[1 + i % 3], NULL::float8),
        ('age', '', (20 + i % 50)::float8),
        ('since', (date '2020-01-01' + i % 2000)::text, NULL),
        ('rare', CASE WHEN i % 5000 = 0 THEN 'yes' END, NULL)) AS w (attribute, text, number)
 WHERE w.text IS NOT NULL
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def crowd(server, chain, admin_once) -> None:
    await define(admin_once, "city", type="choice", options=CHOICES)
    await define(admin_once, "age", type="number")
    await define(admin_once, "since", type="date")
    await define(admin_once, "rare")
    await define(admin_once, "secret", seen_by=["office"], edited_by=["office"])
    await define(admin_once, "guarded", see_permission="contact.full")
    sealed = vault().seal(b"13900000000", context=queries.PHONE_CONTEXT)
    await db.pool().execute(_MEMBERS, sealed)
    await db.pool().execute(_VALUES)
    async with connected(server.settings, "huiyuan_owner") as owner:
        await owner.execute("ANALYZE member")
        await owner.execute("ANALYZE member_value")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def admin_once(server, chain):
    async with wire.connected(server.base_url) as client:
        yield await log_in(client, chain, "admin")


FILTERS: dict[str, tuple[MemberFilter, int]] = {
    "waiting": (MemberFilter(status=Status.PENDING), 30),
    "store": (MemberFilter(store_id="S1"), 3_000),
    "level": (MemberFilter(level="basic"), 30_000),
    "stage": (MemberFilter(stage=Stage.LOYAL), 10_000),
    "registered": (MemberFilter(registered_from=date(2026, 2, 1), registered_until=date(2026, 2, 2)), 288),
    "name": (MemberFilter(name="欧阳"), 10),
    "valid": (MemberFilter(valid_until_from=date(2027, 1, 2), valid_until_to=date(2027, 1, 3)), 20),
    "city": (MemberFilter(attributes=(Condition(code="city", any_of=("bj",)),)), 10_000),
    "cities": (MemberFilter(attributes=(Condition(code="city", any_of=("bj", "sh")),)), 30_000),
    "age": (MemberFilter(attributes=(Condition(code="age", any_of=(30.0,)),)), 600),
    "ages": (MemberFilter(attributes=(Condition(code="age", at_least=30.0, at_most=31.0),)), 1_200),
    "old": (MemberFilter(attributes=(Condition(code="age", at_least=40.0),)), 18_000),
    "since": (MemberFilter(attributes=(Condition(code="since", at_most="2020-01-02"),)), 30),
    "rare": (MemberFilter(attributes=(Condition(code="rare", any_of=("yes",)),)), 6),
    "not rare": (MemberFilter(attributes=(Condition(code="rare", empty=True),)), 29_994),
    "of a store": (
        MemberFilter(store_id="S2", stage=Stage.LOYAL, attributes=(Condition(code="city", any_of=("sh",)),)),
        1_000,
    ),
    "two": (
        MemberFilter(
            attributes=(Condition(code="rare", any_of=("yes",)), Condition(code="age", at_least=20.0, at_most=20.0))
        ),
        6,
    ),
    "ten": (
        MemberFilter(
            attributes=(
                Condition(code="city", any_of=("bj",)),
                *(Condition(code="age", at_least=float(age)) for age in range(12, 20)),
                Condition(code="city", any_of=("sh",)),
            )
        ),
        0,
    ),
}


async def everybody(wanted: MemberFilter, *, limit: int, most: int = 1_000_000) -> list[int]:
    found, place = list[int](), None
    while True:
        page = await queries.find_members(wanted, after=place, limit=limit)
        found += [one.id for one in page.items]
        place = page.next
        if place is None or len(found) >= most:
            return found


@pytest.mark.parametrize("name", FILTERS)
async def test_the_first_page_is_found_by_indexes(database, crowd, name):
    wanted, _ = FILTERS[name]

    asked = await queries.ask(wanted, None, 51)
    for sql, arguments in ((asked.page, asked.arguments), (asked.last, asked.arguments[: asked.of_last])):
        if sql is not None:
            (row,) = await db.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *arguments)
            (plan,) = json.loads(row[0])
            assert "Seq Scan" not in row[0], row[0]
            assert rows_read(plan["Plan"]) <= 3 * 5_000 + 100, row[0]


def rows_read(node) -> int:
    """How many rows the plan's leaves gave."""
    inner = node.get("Plans", [])
    if not inner:
        return int(node["Actual Rows"] * node["Actual Loops"])
    return sum(rows_read(one) for one in inner)


@pytest.mark.parametrize(
    "name", ["waiting", "registered", "name", "valid", "age", "since", "rare", "two", "of a store"]
)
async def test_pages_have_everybody_once_newest_first(database, crowd, name):
    wanted, expected = FILTERS[name]

    found = await everybody(wanted, limit=100)

    assert len(found) == len(set(found)) == expected
    times = await db.fetch("SELECT id, created_at FROM member WHERE id = ANY($1)", found)
    at = {row["id"]: row["created_at"] for row in times}
    assert [at[one] for one in found] == sorted((at[one] for one in found), reverse=True)


async def test_small_pages_and_bounded_looks_still_have_everybody(database, crowd, monkeypatch):
    """Where a page finds fewer than it may, it says where to go on."""
    monkeypatch.setattr("backend.members.queries.finding.LOOKED_AT", 1_000)
    both = MemberFilter(
        attributes=(Condition(code="city", any_of=("bj", "sh")), Condition(code="rare", any_of=("yes",)))
    )
    broad = MemberFilter(
        attributes=(Condition(code="age", at_least=21.0), Condition(code="rare", empty=False)), name="王"
    )

    assert len(await everybody(both, limit=3)) == 6
    assert len(await everybody(broad, limit=3)) == 0  # those who have it are 20 years old


async def test_staff_find_by_conditions_and_go_on(client, chain, crowd):
    admin, manager = await log_in(client, chain, "admin"), await log_in(client, chain, "manager-S1")
    body = {"attributes": [{"code": "city", "any_of": ["sh"]}], "limit": 2}

    first = (await admin.post(SEARCH, body)).json()
    second = (await admin.post(SEARCH, body | {"cursor": first["next_cursor"]})).json()
    own = (await manager.post(SEARCH, body | {"limit": 100})).json()
    listed = (await admin.get("/v1/admin/members?stage=loyal&store_id=S1&limit=3")).json()

    assert len({one["id"] for one in first["items"] + second["items"]}) == 4
    assert {one["store_id"] for one in own["items"]} == {"S1"}
    assert [one["store_id"] for one in listed["items"]] == ["S1"] * 3
    assert listed["next_cursor"]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({}, 422, "/query"),
        ({"query": "100000000009", "level": "basic"}, 422, "/query"),
        ({"level": "none"}, 422, "/level"),
        ({"status": "gone"}, 422, "/status"),
        ({"registered_from": "2026-01-02", "registered_until": "2026-01-01"}, 422, "/registered_until"),
        ({"registered_from": "1000-01-01"}, 422, "/registered_from"),
        ({"attributes": [{"code": "none", "empty": True}]}, 422, "/attributes/0/code"),
        ({"attributes": [{"code": "city", "any_of": ["xx"]}]}, 422, "/attributes/0/any_of/0"),
        ({"attributes": [{"code": "city"}]}, 422, "/attributes/0"),
        ({"attributes": [{"code": "age", "at_least": 2, "at_most": 1}]}, 422, "/attributes/0/at_most"),
        ({"attributes": [{"code": "secret", "empty": True}]}, 422, "/attributes/0/code"),
        ({"level": "basic", "cursor": "x"}, 422, "/query/cursor"),
        ({"level": "basic", "limit": 101}, 422, "/limit"),
        ({"store_id": "S2"}, 404, None),
        ({"store_id": "S77"}, 404, None),
    ],
)
async def test_a_condition_that_cannot_be_is_refused_by_name(client, chain, crowd, body, status, pointer):
    manager = await log_in(client, chain, "manager-S1")

    answer = await manager.post(SEARCH, body)

    assert answer.status_code == status, answer.text
    assert pointer is None or answer.json()["errors"][0]["pointer"] == pointer
