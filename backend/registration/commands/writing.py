"""The rows of an import become members: a chunk, their value and what became of each in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backend.kernel import clock, db, logging, tries
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError
from backend.kernel.vault import vault
from backend.ledger import service as ledger
from backend.ledger.types import Posted
from backend.membercards import service as membercards
from backend.membercards.types import Handing, Way
from backend.members import service as members
from backend.members.types import Actor, ActorKind, NewMember, Status, Validity
from backend.privacy import service as privacy
from backend.privacy.types import Place

from .. import plans, service
from ..queries import imports as queries
from ..rules.rows import NewRow
from ..types import Import, ImportState

log = logging.get(__name__)

AT_ONCE = 200
"""Members in one transaction: nobody registers with their phones meanwhile."""

MADE = "made"
TAKEN = "phone_taken"
_rows = msgspec.json.Decoder(NewRow)


def opened(sealed: str) -> NewRow:
    """What a row says."""
    return _rows.decode(vault().open(sealed, context=queries.ROW_CONTEXT))


async def write(import_id: str, *, most: int | None = None) -> None:
    """Make the members that are still to come, chunk by chunk; ``most`` chunks, for tests."""
    done = 0
    while (most is None or done < most) and await _try_step(import_id):
        done += 1


async def _try_step(import_id: str) -> bool:
    """The next chunk; where it raises, row by row up to the one that does. False: no further now."""
    try:
        return await _step(import_id, AT_ONCE)
    except Exception:
        log.warning("registration.chunk_failed", import_id=import_id)
    for _ in range(AT_ONCE):
        try:
            if not await _step(import_id, 1):
                return False
        except Exception as error:
            row = await queries.find_next_row(import_id)
            await tries.failed("registration_import", import_id, error, row=row, working=ImportState.WRITING)
            return False
    return True


async def _step(import_id: str, at_once: int) -> bool:
    """The next chunk; False where there is none."""
    async with db.transaction() as tx:
        found = await db.fetch_in(tx, f"{queries.IMPORT} WHERE id = $1 FOR UPDATE", import_id)
        current = queries.import_of(found[0])
        if current.state is not ImportState.WRITING:
            return False
        waiting = await db.fetch_in(
            tx,
            "SELECT sealed FROM registration_import_row WHERE import_id = $1 AND result IS NULL"
            " ORDER BY row_no LIMIT $2",
            import_id,
            at_once,
        )
        if waiting:
            await _write(tx, current, [opened(row["sealed"]) for row in waiting])
        if len(waiting) < at_once:
            await end(tx, import_id, ImportState.DONE)
            log.info("registration.import_ended", import_id=import_id)
    return len(waiting) == at_once


async def _write(tx: Tx, current: Import, rows: Sequence[NewRow]) -> None:
    plain = [row for row in rows if row.card_no is None]
    results = await _make(tx, current, plain) if plain else []
    for row in rows:
        if row.card_no is not None:
            results.append(await _make_with_card(tx, current, row))
    await db.raw(tx).execute(
        "UPDATE registration_import_row r SET result = w.result, member_id = w.member_id, sealed = NULL"
        " FROM unnest($2::int[], $3::text[], $4::bigint[]) AS w (row_no, result, member_id)"
        " WHERE r.import_id = $1 AND r.row_no = w.row_no",
        current.id,
        *map(list, zip(*results, strict=True)),
    )
    await db.raw(tx).execute(
        f"UPDATE registration_import SET done = done + $2, made = made + $3, updated_at = $4, {tries.FRESH}"  # noqa: S608 - constant
        " WHERE id = $1",
        current.id,
        len(results),
        sum(result == MADE for _, result, _ in results),
        clock.now(),
    )


Result = tuple[int, str, int | None]
"""A row's number, what became of it, and the member it became."""


async def _make(tx: Tx, current: Import, rows: Sequence[NewRow]) -> list[Result]:
    """Make members with what they bring along; whose phone somebody has taken meanwhile is left as they are."""
    by = Actor(ActorKind.IMPORT, current.staff_id)
    made = await members.create_members(tx, [_new(row) for row in rows], by=by)
    pairs = [(row, member_id) for row, member_id in zip(rows, made, strict=True) if member_id is not None]
    await privacy.record_registering(
        tx,
        {member_id: dict.fromkeys(row.consents) for row, member_id in pairs},
        place=Place.IMPORT,
        staff_id=current.staff_id,
        note=current.title,
    )
    ending = [
        (members.Held(member_id, Status.ACTIVE, Validity()), Validity(None, row.valid_until))
        for row, member_id in pairs
        if row.valid_until is not None
    ]
    await members.set_validity(tx, ending, by=by)
    now, today = clock.now(), service.today()
    openings = [plans.opening(member_id, current.id, row, at=now, on=today) for row, member_id in pairs]
    for answer in await ledger.post_many_in(tx, [plan for plan in openings if plan is not None]):
        if not isinstance(answer, Posted):
            raise answer
    return [
        (row.row, MADE if member_id is not None else TAKEN, member_id)
        for row, member_id in zip(rows, made, strict=True)
    ]


async def _make_with_card(tx: Tx, current: Import, row: NewRow) -> Result:
    """The same of one row, with its card; where that cannot be given out, nothing is made."""
    try:
        async with db.raw(tx).transaction():
            (result,) = await _make(tx, current, [row])
            if result[2] is not None and row.card_no is not None:
                handing = Handing(Way.IMPORT, staff_id=current.staff_id)
                await membercards.issue(tx, result[2], row.card_no, handing)
            return result
    except DomainError as refused:
        return row.row, refused.code, None


def _new(row: NewRow) -> NewMember:
    """Who joined today joined now; an earlier day begins where the chain is."""
    joined_at = clock.midnight(row.joined_on, settings().timezone) if row.joined_on else None
    return NewMember(
        phone=row.phone,
        name=row.name,
        status=Status.ACTIVE,
        birthday=row.birthday,
        gender=row.gender,
        store_id=row.store_id,
        level=row.level,
        joined_at=joined_at and min(joined_at, clock.now()),
    )


async def end(tx: Tx, import_id: str, state: ImportState) -> None:
    """End an import: what its rows said is gone, what became of them stays."""
    await db.raw(tx).execute(
        "UPDATE registration_import_row SET sealed = NULL, phone_index = '' WHERE import_id = $1", import_id
    )
    await db.raw(tx).execute(
        "UPDATE registration_import SET state = $2, body = NULL, updated_at = $3, ended_at = $3 WHERE id = $1",
        import_id,
        state.value,
        clock.now(),
    )
