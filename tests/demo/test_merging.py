"""The demo has pairs to look at, a merge that waits and one that was done."""

from __future__ import annotations

from backend.demo import merging
from backend.kernel import db
from backend.worker import load
from tests.support.members import register
from tests.support.seed import seed_chain
from tests.support.value import findings


async def test_a_pair_waits_one_is_merged_and_the_books_balance(client, server, settings):
    load()
    await seed_chain(server.base_url)
    for day in range(1, 4):
        member = await register(client, name=f"张小{day}")
        await member.call("POST", "/v1/member/profile", {"birthday": f"1990-05-0{day}"})

    await merging.load()

    states = await db.fetch("SELECT state, count(*) FROM merging_candidate GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in states] == [("merged", 1), ("open", 2)]
    assert await db.fetchval("SELECT count(*) FROM approval WHERE kind = 'member_merge' AND state = 'waiting'") == 1
    assert await findings(settings) == []
