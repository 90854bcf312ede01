"""Member cards: two kinds of plastic, numbers without, and who hands them out; one is lost, one replaced."""

from __future__ import annotations

from backend.kernel import db
from backend.membercards import locks, service
from backend.membercards.commands import batches, issuers, moves, types
from backend.membercards.schemas import AgentIn, BatchIn, MoveIn, StoreIssuerIn, TypeIn
from backend.membercards.types import Handing, MoveKind, Way
from backend.members import service as members

CLASSIC = TypeIn(
    code="classic", name="惠员卡", prefix="9001", length=16, fee_fen=500, validity_months=60, self_service=True,
    colour="#0B7A5B",
)  # fmt: skip
GOLD = TypeIn(
    code="gold", name="金卡", prefix="9002", length=16, level="gold", deposit_fen=1_000, fee_fen=1_000,
    validity_months=36, colour="#8A6D1B",
)  # fmt: skip
VIRTUAL = TypeIn(code="virtual", name="电子会员卡", prefix="9100", length=17, automatic=True, colour="#2F5D8A")

PRINTED = 300
TO = (("S001", 1, 100), ("S002", 101, 160))
TO_AGENT = (161, 200)
ISSUED = 24


async def load() -> None:
    """Print, allot and issue; what members do with theirs afterwards, two of them do."""
    staff_id = await db.fetchval("SELECT id FROM auth_staff WHERE username = 'admin'")
    for one in (CLASSIC, GOLD, VIRTUAL):
        await types.create_type(one, staff_id)
    batch = await batches.create_batch(BatchIn(type_code="classic", total=PRINTED, note="开业首批"), staff_id)
    await batches.create_batch(BatchIn(type_code="gold", total=50, note="金卡"), staff_id)
    for store_id, first, last in TO:
        issuer = await issuers.create_store(StoreIssuerIn(store_id=store_id, quota=500), staff_id)
        await _allot(batch.id, issuer.id, first, last, staff_id)
    agent = await issuers.create_agent(AgentIn(name="城东代理", contact="张经理 400-000-0000", quota=100), staff_id)
    await _allot(batch.id, agent.id, *TO_AGENT, staff_id)
    numbers = await _numbers(batch.id)
    people = await db.fetch(
        "SELECT id FROM member WHERE status = 'active' AND store_id = 'S001' ORDER BY created_at, id LIMIT $1", ISSUED
    )
    for row, number in zip(people, numbers, strict=False):
        await _issue(row["id"], number, staff_id)
    if len(people) > 1:
        await _lose(people[0]["id"], staff_id)
        await _replace(people[1]["id"], numbers[ISSUED], staff_id)


async def _allot(batch_id: str, issuer_id: str, first: int, last: int, staff_id: int) -> None:
    wish = MoveIn(
        kind=MoveKind.ALLOT,
        batch_id=batch_id,
        from_serial=first,
        to_serial=last,
        issuer_id=issuer_id,
        reason="开业配卡",
    )
    await moves.begin(wish, staff_id, f"demo-{issuer_id}")


async def _numbers(batch_id: str) -> list[str]:
    rows = await db.fetch("SELECT number FROM membercard WHERE batch_id = $1 ORDER BY serial", batch_id)
    return [row["number"] for row in rows]


async def _issue(member_id: int, number: str, staff_id: int) -> None:
    async with db.transaction() as tx:
        await members.lock(tx, member_id)
        await service.issue(tx, member_id, number, Handing(Way.COUNTER, staff_id, "S001"))


async def _lose(member_id: int, staff_id: int) -> None:
    async with db.transaction() as tx:
        await members.lock(tx, member_id)
        card = await locks.lock_held(tx, member_id)
        if card is not None:
            await service.report_lost(tx, card, Handing(Way.COUNTER, staff_id, "S001", "会员来电"))


async def _replace(member_id: int, number: str, staff_id: int) -> None:
    async with db.transaction() as tx:
        await members.lock(tx, member_id)
        by = Handing(Way.COUNTER, staff_id, "S001", "卡片损坏")
        await service.issue(tx, member_id, number, by, replacing=True)
