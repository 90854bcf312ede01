"""Who may be one person: by name and birthday, and how the search finds its way through very many members."""

from __future__ import annotations

import json
from datetime import date

import pytest

from backend.kernel import db
from backend.merging import queries
from backend.merging.commands import candidates
from backend.merging.queries.candidates import PEOPLE
from backend.merging.rules.likeness import MOST_COMPARED, Person, folded, pairs, within_one
from backend.merging.types import Why
from tests.support.books import connected
from tests.support.members import register

MANY, MADE_UP = 30_000, 1_000

# Three members of a name each day; and a day that tills make up, on which everybody is called the same.
_MEMBERS = f"""
INSERT INTO member (id, member_no, name, phone_sealed, phone_index, birthday, gender, level_id, status, growth_fen,
                    attributes, created_at, updated_at)
SELECT i, (100000000000 + i)::text, CASE WHEN i <= {MADE_UP} THEN '顾客' ELSE left(md5(i::text), 8) END, '', 'i' || i,
       CASE WHEN i <= {MADE_UP} THEN date '1900-01-01' ELSE date '1950-01-01' + i % 10000 END, 'unknown', 'basic',
       'active', 0, '{{}}', now(), now()
  FROM generate_series(1, {MANY}) AS i
"""


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (("王 小明", "male"), ("王小明", "unknown"), Why.SAME),
        (("Ｌi Lei", "unknown"), ("li·lei", "unknown"), Why.SAME),
        (("王小明", "male"), ("王小明", "female"), None),
        (("王小明", "male"), ("王晓明", "male"), Why.SIMILAR),
        (("欧阳小明", "male"), ("欧阳明", "male"), Why.SIMILAR),
        (("王明", "male"), ("李明", "male"), None),
        (("王小明", "male"), ("李大明", "male"), None),
        (("··", "male"), ("", "male"), None),
    ],
)
def test_names_of_one_birthday_are_compared(one, other, why):
    found = list(pairs([Person(2, *other), Person(1, *one)]))

    assert found == ([] if why is None else [(1, 2, why)])


def test_of_a_crowd_only_equal_names_are_pairs():
    crowd = [Person(n, f"王{n}号", "unknown") for n in range(MOST_COMPARED)]
    nameless = [Person(1_000 + n, "··", "unknown") for n in range(2)]
    twice = [Person(2_000 + n, "李小明", gender) for n, gender in enumerate(("male", "unknown", "female"))]

    assert list(pairs([*crowd, *nameless, *twice])) == [(2_000, 2_001, Why.SAME), (2_001, 2_002, Why.SAME)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("abc", "abc", True), ("abc", "abcd", True), ("abcd", "abdc", False), ("ab", "abcd", False)],
)
def test_one_character_may_differ(one, other, same):
    assert within_one(one, other) is within_one(other, one) is same
    assert folded("A·b　C") == "abc"


async def test_the_search_goes_by_an_index_in_bounded_steps_and_on_where_it_stopped(server, client, chain, monkeypatch):
    merged = await register(client, name="顾客")
    await db.pool().execute(_MEMBERS)
    await db.pool().execute(
        "UPDATE member SET name = CASE id WHEN 5001 THEN '李小明' WHEN 15001 THEN '李小敏' ELSE '李大敏' END"
        " WHERE id IN (5001, 15001, 25001)"
    )
    await db.pool().execute(
        "UPDATE member SET birthday = '1900-01-01', status = 'merged', merged_into = 1 WHERE id = $1", merged.member_id
    )
    async with connected(server.settings, "huiyuan_owner") as owner:
        await owner.execute("ANALYZE member")
    (row,) = await db.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {PEOPLE}", date(1960, 5, 1), candidates.ABOUT, 20_000)
    (plan,) = json.loads(row[0])
    monkeypatch.setattr(candidates, "MOST_NEW", 100)

    first = await candidates.search(steps=1)
    begun = await db.fetchval("SELECT after FROM merging_search")
    second = await candidates.search(steps=1)
    monkeypatch.setattr(candidates, "MOST_OPEN", first + second)
    full = await candidates.search()
    monkeypatch.undo()
    rest = await candidates.search(steps=100)

    assert "Seq Scan" not in row[0], row[0]
    assert row[0].count("member_same") == 2, row[0]
    assert plan["Plan"]["Actual Rows"] < 2 * candidates.ABOUT
    assert (first, begun, full) == (100, date(1900, 1, 1), 0)
    assert await db.fetchval("SELECT finished_at IS NOT NULL FROM merging_search")
    assert rest == 2
    found = await db.fetchval("SELECT count(*) FROM merging_candidate WHERE $1 IN (one_id, other_id)", merged.member_id)
    assert found == 0
    assert await queries.list_people(date(1977, 5, 18), about=1, most=10) == []
