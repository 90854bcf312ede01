"""A cashier's shift: what the till must hold, what was counted, and reports that are numbered without a gap."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import msgspec
import pytest

from backend.kernel import clock as kernel_clock
from backend.kernel import config, db, outbox
from backend.shifts import queries
from backend.shifts.commands.counting import add, count_due
from backend.shifts.queries import list_entries
from backend.shifts.types import Entry, EntryKind
from tests.support import kept
from tests.support.books import connected
from tests.support.members import register
from tests.support.races import at_once, outcomes
from tests.support.shifts import CURRENT, SHIFTS, close_shift, give_back, open_shift, sell, tender
from tests.support.value import findings, give


async def test_a_shift_from_float_to_z(client, chain, till, phone, books, clock):
    await give(phone.member_id, principal=5_000)
    await open_shift(client, till)
    sale = await sell(client, till, phone, 3_000)
    clock.shift(timedelta(seconds=15))
    await sell(client, till, phone, 2_000, "external")
    clock.shift(timedelta(seconds=15))
    await sell(client, till, phone, 1_500, "stored")
    await give_back(client, till, sale, 1_000)
    moved = [
        await till.post(client, f"{CURRENT}/movements", {"kind": kind, "amount_fen": fen, "reason": "换零钱"})
        for kind, fen in (("pay_in", 500), ("pay_out", 700))
    ]
    x = (await till.post(client, f"{CURRENT}/reports", {})).json()

    closed = await close_shift(
        client,
        till,
        11_900,
        counted=[{"tender": "cash", "amount_fen": 11_900}, {"tender": "external", "amount_fen": 2_000}],
    )

    assert [one.status_code for one in moved] == [201, 201]
    assert (x["kind"], x["figures"]["sales"], x["figures"]["refunds"]) == (
        "X",
        {"count": 3, "fen": 6_500},
        {"count": 1, "fen": 1_000},
    )
    figures = closed["figures"]
    # float 10000 + 3000 − 1000 + 500 − 700
    assert tender(figures, "cash") == {
        "tender": "cash",
        "in_fen": 3_000,
        "out_fen": 1_000,
        "expected_fen": 11_800,
        "counted_fen": 11_900,
        "difference_fen": 100,
    }
    assert tender(figures, "external")["difference_fen"] == 0
    assert tender(figures, "stored") == {
        "tender": "stored",
        "in_fen": 1_500,
        "out_fen": 0,
        "expected_fen": None,
        "counted_fen": None,
        "difference_fen": None,
    }
    assert (closed["state"], closed["difference_fen"], closed["difference"]) == ("closed", 100, "open")
    reprint = (await till.get(client, f"{SHIFTS}/z/{closed['z_number']}")).json()
    assert reprint["figures"] == figures


async def test_what_it_took_from_others_is_counted_in(client, till):
    await open_shift(client, till)

    closed = await close_shift(
        client, till, 12_500, outside=[{"tender": "cash", "amount_fen": 2_500, "count": 3}], left_fen=5_000
    )

    assert (closed["difference_fen"], closed.get("difference", "none"), closed["left_fen"]) == (0, "none", 5_000)
    assert closed["figures"]["outside"] == [{"tender": "cash", "amount_fen": 2_500, "count": 3}]


async def test_one_shift_a_till_and_nothing_without_one(client, chain, till):
    other = chain.tills["S1"][1]
    first = await open_shift(client, till)

    second = await till.post(client, SHIFTS, {"cashier": "小王"})
    none = [
        await other.post(client, f"{CURRENT}/{what}", body)
        for what, body in (
            ("movements", {"kind": "pay_in", "amount_fen": 1, "reason": "x"}),
            ("reports", {}),
            ("close", {"counted": [{"tender": "cash", "amount_fen": 0}]}),
        )
    ]

    assert (second.status_code, second.json()["code"], second.json()["id"]) == (409, "shift_open", first["id"])
    assert outcomes(none) == {"shift_none": 3}


async def test_tills_at_once_open_one_and_close_one(client, till):
    await open_shift(client, till)
    await close_shift(client, till, 10_000)

    opened = await at_once(till.post(client, SHIFTS, {"cashier": f"{n}"}) for n in range(6))
    count = {"counted": [{"tender": "cash", "amount_fen": 0}]}
    closed = await at_once(till.post(client, f"{CURRENT}/close", count) for _ in range(6))

    assert outcomes(opened) == {201: 1, "shift_open": 5}
    assert outcomes(closed) == {200: 1, "shift_none": 5}


async def test_a_retry_is_answered_as_the_first_time(client, till):
    await open_shift(client, till)
    body = {"counted": [{"tender": "cash", "amount_fen": 9_000}]}

    answers = await at_once(till.post(client, f"{CURRENT}/close", body, key="close-1") for _ in range(5))
    other = await till.post(client, f"{CURRENT}/close", body | {"note": "x"}, key="close-1")

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


async def test_reports_are_numbered_by_till_without_a_gap(client, chain, till):
    other = chain.tills["S2"][0]
    numbers = []
    for each in (till, other, till):
        await open_shift(client, each)
        await each.post(client, f"{CURRENT}/close", {"counted": [{"tender": "external", "amount_fen": 1}]})  # refused
        numbers.append((await close_shift(client, each, 10_000))["z_number"])

    rows = await db.fetch(
        "SELECT terminal_id, kind, array_agg(number ORDER BY number) AS numbers FROM shift_report GROUP BY 1, 2"
    )

    assert numbers[2] == numbers[0] + 1
    assert all(row["numbers"] == list(range(1, len(row["numbers"]) + 1)) for row in rows)


async def test_every_sale_is_in_one_z_whoever_counts_it(client, till, clock, settings):
    """Those before the first shift of a till are not its; those between two shifts are the next one's."""
    await open_shift(client, till)
    await close_shift(client, till, 10_000)
    before = await db.fetchval("SELECT count(*) FROM shift_entry")
    between = [await sell(client, till, await register(client), 1_000)]
    await open_shift(client, till)
    await outbox.drain()  # noted, and not counted yet
    inside = [await sell(client, till, await register(client), 2_000) for _ in range(3)]
    await asyncio.gather(outbox.drain(), count_due(), count_due())
    inside.append(await sell(client, till, await register(client), 2_000))

    closed = await close_shift(client, till, 19_000)
    await outbox.drain()
    await count_due()

    assert closed["figures"]["sales"] == {"count": 5, "fen": 9_000}
    assert closed["difference_fen"] == 0
    rows = await db.fetch("SELECT source_id FROM shift_entry WHERE shift_id = $1", closed["id"])
    assert {row["source_id"] for row in rows} == {*between, *inside}
    assert await db.fetchval("SELECT count(*) FROM shift_entry") == before + 5
    assert await findings(settings) == []


async def test_sales_while_it_is_closed_are_in_this_z_or_the_next(client, till):
    phones = [await register(client) for _ in range(10)]
    await open_shift(client, till, float_fen=0)

    first, *sold = await asyncio.gather(
        close_shift(client, till, 0), *(sell(client, till, phone, 1_000) for phone in phones)
    )
    await open_shift(client, till, float_fen=0)
    second = await close_shift(client, till, 0)

    assert len(sold) == 10
    assert first["figures"]["sales"]["count"] + second["figures"]["sales"]["count"] == 10


async def test_handing_over_closes_one_and_opens_the_next(client, till, phone):
    await open_shift(client, till)
    await sell(client, till, phone, 4_000, cashier="小李")
    body = {
        "counted": [{"tender": "cash", "amount_fen": 14_000}],
        "left_fen": 6_000,
        "next_cashier": "小王",
    }

    answer = await till.post(client, f"{CURRENT}/handover", body)

    done = answer.json()
    assert answer.status_code == 200, answer.text
    assert (done["closed"]["state"], done["closed"]["difference_fen"]) == ("closed", 0)
    assert (done["opened"]["cashier"], done["opened"]["float_fen"]) == ("小王", 6_000)
    assert done["closed"]["figures"]["cashiers"][0] == {
        "cashier": "小李",
        "sales": 1,
        "sales_fen": 4_000,
        "refunds_fen": 0,
        "recharges_fen": 0,
    }
    assert (await till.get(client, CURRENT)).json()["shift"]["id"] == done["opened"]["id"]


async def test_where_cashiers_count_blindly_no_x_is_shown(client, till, settings):
    await open_shift(client, till)
    config.use(msgspec.structs.replace(settings, shift_blind_count=True))

    refused = await till.post(client, f"{CURRENT}/reports", {})
    shown = (await till.get(client, CURRENT)).json()

    config.use(settings)
    assert (refused.status_code, refused.json()["code"]) == (409, "shift_blind")
    assert shown["blind"] is True
    assert "figures" not in shown["shift"]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        (SHIFTS, {"cashier": ""}, "/cashier"),
        (SHIFTS, {"cashier": "x", "float_fen": -1}, "/float_fen"),
        (f"{CURRENT}/close", {"counted": []}, "/counted"),
        (f"{CURRENT}/close", {"counted": [{"tender": "external", "amount_fen": 1}]}, "/counted"),
        (f"{CURRENT}/close", {"counted": [{"tender": "cash", "amount_fen": 1}] * 2}, "/counted"),
        (f"{CURRENT}/close", {"counted": [{"tender": "cash", "amount_fen": 1}], "left_fen": 2}, "/left_fen"),
        (
            f"{CURRENT}/close",
            {"counted": [{"tender": "cash", "amount_fen": 1}], "outside": [{"tender": "cash", "amount_fen": 1}] * 2},
            "/outside",
        ),
        (f"{CURRENT}/movements", {"kind": "pay_in", "amount_fen": 0, "reason": "x"}, "/amount_fen"),
        (f"{CURRENT}/movements", {"kind": "gift", "amount_fen": 1, "reason": "x"}, "/kind"),
    ],
    ids=str,
)
async def test_what_is_wrong_names_its_field(client, till, path, body, pointer):
    if path != SHIFTS:
        await open_shift(client, till)
    before = await db.fetchval("SELECT count(*) FROM shift_report")

    answer = await till.post(client, path, body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert await db.fetchval("SELECT count(*) FROM shift_report") == before


async def test_a_report_is_never_rewritten(client, till):
    await open_shift(client, till)
    await close_shift(client, till, 10_000)

    with pytest.raises(asyncpg.RestrictViolationError):
        await db.pool().execute("UPDATE shift_report SET number = 99")
    with pytest.raises(asyncpg.RestrictViolationError):
        await db.pool().execute("DELETE FROM shift_report")


async def test_another_till_s_z_is_not_there(client, chain, till):
    await open_shift(client, till)
    number = (await close_shift(client, till, 10_000))["z_number"]

    other = await chain.tills["S2"][1].get(client, f"{SHIFTS}/z/{number}")
    nonsense = await till.get(client, f"{SHIFTS}/z/x")

    assert (other.status_code, nonsense.status_code) == (404, 404)


async def test_what_only_a_later_release_knows_is_shown_as_other_and_counted(client, chain, till, settings, books):
    owner = await kept.connection(settings, "huiyuan_owner")
    await owner.execute("ALTER TABLE shift_entry DROP CONSTRAINT shift_entry_kind_check")
    shift = await open_shift(client, till)
    for source_id, kind, fen in (("later-1", "tip", 300), ("later-2", "tip_back", -100)):
        await db.pool().execute(
            "INSERT INTO shift_entry (source_id, kind, store_id, terminal_id, at, fen, by_tender)"
            " VALUES ($1, $2, 'S1', $3, now(), $4::bigint, jsonb_build_object('cash', $4::bigint))",
            *(source_id, kind, shift["terminal_id"], fen),
        )
    await db.pool().execute("INSERT INTO shift_due (source_id, kind, at) VALUES ('later-3', 'tip', now())")

    counted = await count_due()
    closed = await close_shift(client, till, 10_200)

    assert counted == 0, "left to the release that noted it"
    assert await db.fetchval("SELECT count(*) FROM shift_due WHERE source_id = 'later-3'") == 1
    assert closed["figures"]["others"] == {"count": 2, "fen": 200}
    cash = tender(closed["figures"], "cash")
    assert (cash["in_fen"], cash["out_fen"], cash["expected_fen"], cash["difference_fen"]) == (300, 100, 10_200, 0)
    entries = await list_entries(shift["id"], after=None, limit=10)
    assert [one.kind for one in entries] == ["other", "other"]


class Undone(Exception):
    """Nothing of it stays."""


async def test_entries_are_made_in_one_order_so_that_a_close_and_the_job_never_wait_crosswise(
    client, chain, till, settings
):
    shift = await open_shift(client, till)
    last, first = [
        Entry(source_id=f"order-{end}", kind=EntryKind.SALE, store_id="S1", terminal_id=shift["terminal_id"],
              cashier=None, at=kernel_clock.now(), fen=1)
        for end in "za"
    ]  # fmt: skip
    insert = (
        "INSERT INTO shift_entry (source_id, kind, store_id, terminal_id, at, fen, by_tender)"
        " VALUES ($1, 'sale', 'S1', 'T', now(), 1, '{}')"
    )

    async def make(entries: list[Entry]) -> None:
        async with db.transaction() as tx:
            await add(tx, entries)
            raise Undone

    async with connected(settings, "huiyuan_app") as job, connected(settings, "huiyuan_app") as other:
        await other.execute("SET lock_timeout = '100ms'")
        for entries in ([first, last], [last, first]):
            making = job.transaction()
            await making.start()
            await job.execute(insert, last.source_id)
            close = asyncio.create_task(make(entries))
            while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)

            with pytest.raises(asyncpg.LockNotAvailableError):  # the first is made, and the last waited for
                await other.execute(insert, first.source_id)

            await making.rollback()
            with pytest.raises(Undone):
                await close


async def test_what_is_entered_while_a_shift_closes_is_in_the_next_and_not_in_both_or_neither(
    client, chain, till, books, monkeypatch
):
    shift = await open_shift(client, till)
    figures_of = queries.figures_of

    async def entered_meanwhile(*args, **how):
        found = await figures_of(*args, **how)
        await db.pool().execute(
            "INSERT INTO shift_entry (source_id, kind, store_id, terminal_id, at, fen, by_tender)"
            " VALUES ('meanwhile', 'sale', 'S1', $1, now(), 700, '{\"cash\": 700}')",
            shift["terminal_id"],
        )
        return found

    with monkeypatch.context() as at_this_moment:
        at_this_moment.setattr(queries, "figures_of", entered_meanwhile)
        first = await close_shift(client, till, 10_000)
    await open_shift(client, till, float_fen=0)
    second = await close_shift(client, till, 700)

    assert [one["figures"]["sales"]["fen"] for one in (first, second)] == [0, 700]
    assert [len(await list_entries(one["id"], after=None, limit=9)) for one in (first, second)] == [0, 1]
