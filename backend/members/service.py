"""Writes on members that other domains may ask for; all but ``check_pin`` take the caller's open transaction."""

from __future__ import annotations

import math
import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import date

import msgspec

from backend.auth import service as auth
from backend.auth.types import Standing
from backend.kernel import clock, db, events, ids
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.vault import vault
from backend.ledger import service as ledger

from . import locks, queries, rules
from .errors import PinInvalid, PinLocked, PinRequired
from .events import LevelUnlocked
from .types import DiscountCard, LevelState, NewMember, Stage, Status


async def create_member(tx: Tx, new: NewMember) -> int | None:
    """Make a member with open books, at the lowest level unless one is named; None where the phone is taken."""
    index = queries.phone_index(new.phone)
    for _ in range(10):
        member_id = await _insert(tx, new, index)
        if member_id is not None:
            await ledger.open_member(tx, member_id, active=new.status is Status.ACTIVE)
            return member_id
        if await db.fetch_in(tx, "SELECT 1 FROM member WHERE phone_index = $1", index):
            return None
    raise RuntimeError("no free member number in ten tries")


async def _insert(tx: Tx, new: NewMember, index: str) -> int | None:
    rows = await db.fetch_in(
        tx,
        "INSERT INTO member (id, member_no, name, phone_sealed, phone_index, birthday, gender, store_id, referrer_id,"
        " level_id, status, growth_fen, attributes, created_at, updated_at)"
        " SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, code, $11, 0, '{}', $12, $12 FROM member_level"
        " WHERE $10::text IS NULL OR code = $10 ORDER BY growth_from_fen LIMIT 1"
        " ON CONFLICT DO NOTHING RETURNING id",
        ids.new_bigint(),
        rules.make_member_no(secrets.randbelow(9 * 10**10)),
        new.name,
        vault().seal(new.phone.encode(), context=queries.PHONE_CONTEXT),
        index,
        new.birthday,
        new.gender.value,
        new.store_id,
        new.referrer_id,
        new.level,
        new.status.value,
        clock.now(),
    )
    return rows[0]["id"] if rows else None


async def lock(tx: Tx, member_id: int) -> None:
    """Lock a member's row until the transaction ends, before anything that is theirs; ``NotFound`` for none."""
    await locks.lock_member(tx, member_id)


async def set_status(tx: Tx, member_id: int, status: Status) -> None:
    """Change a member's status everywhere it is looked at: here, at the guards and in the ledger."""
    await db.raw(tx).execute(
        "UPDATE member SET status = $2, updated_at = $3 WHERE id = $1", member_id, status.value, clock.now()
    )
    if status is Status.NONE:
        await auth.unbind_identities(tx, member_id)
    else:
        await auth.set_standing(tx, member_id, Standing(status.value))
    await ledger.set_member_status(tx, member_id, active=status is Status.ACTIVE)


async def add_growth(tx: Tx, member_id: int, source_id: str, growth_fen: int) -> bool:
    """Add a sale's growth (a refund's is negative), once per source; False where that was done before.

    Holds the member. What level follows from it is ``lifecycle``'s.
    """
    await locks.lock_member(tx, member_id)
    added = await db.fetch_in(
        tx,
        "INSERT INTO member_growth (id, member_id, source_id, growth_fen, at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (member_id, source_id) DO NOTHING RETURNING id",
        ids.new_bigint(),
        member_id,
        source_id,
        growth_fen,
        clock.now(),
    )
    if added:
        await db.raw(tx).execute(
            "UPDATE member SET growth_fen = growth_fen + $2, updated_at = $3 WHERE id = $1",
            member_id,
            growth_fen,
            clock.now(),
        )
    return bool(added)


async def lock_levels(tx: Tx, member_ids: Iterable[int]) -> list[LevelState]:
    """The levels of these members, locked until the transaction ends, in order of id; who is no member is left out."""
    rows = await db.fetch_in(tx, f"{queries.LEVEL_STATES} FOR UPDATE", sorted(set(member_ids)))
    return [queries.level_state(row) for row in rows]


# What prices are made with is the higher of the own level and the lent one; the own one is kept beside it only then.
_SET_LEVELS = """
UPDATE member m SET level_id = best.code, own_level = CASE WHEN w.lent IS NULL THEN NULL ELSE w.own END,
       lent_level = w.lent, updated_at = $4
  FROM unnest($1::bigint[], $2::text[], $3::text[]) AS w (id, own, lent)
 CROSS JOIN LATERAL (SELECT code FROM member_level WHERE code IN (w.own, w.lent)
                      ORDER BY growth_from_fen DESC LIMIT 1) AS best
 WHERE m.id = w.id"""


async def set_levels(tx: Tx, levels: Mapping[int, tuple[str, str | None]]) -> None:
    """Give members another own level, or another lent one (None: none); the caller holds their rows.

    Args:
        levels: own and lent level, by member.
    """
    if levels:
        own, lent = ([pair[place] for pair in levels.values()] for place in (0, 1))
        await db.raw(tx).execute(_SET_LEVELS, list(levels), own, lent, clock.now())


async def set_ruled(tx: Tx, codes: Collection[str]) -> None:
    """Say which levels are reached by rules; the others are by growth."""
    await db.raw(tx).execute("UPDATE member_level SET ruled = code = ANY($1::text[])", list(codes))


async def set_agreement(tx: Tx, member_id: int, *, lent: str | None, discount_bp: int | None, locked: bool) -> None:
    """Give a member what groups and agreements give: a level, a discount that is the least, and whether the own level
    stays as it is. Holds the member."""
    (state,) = await lock_levels(tx, [member_id]) or (None,)
    if state is None:
        raise NotFound("there is no such member")
    if state.lent != lent:
        await set_levels(tx, {member_id: (state.own, lent)})
    await db.raw(tx).execute(
        "UPDATE member SET lent_discount_bp = $2, level_locked = $3 WHERE id = $1", member_id, discount_bp, locked
    )
    if state.locked and not locked:
        await events.publish(tx, LevelUnlocked(member_id=member_id))


async def set_stages(tx: Tx, stages: Mapping[int, Stage], on: date) -> None:
    """Say in which stage members are from that day on; the caller holds their rows."""
    if stages:
        await db.raw(tx).execute(
            "UPDATE member m SET stage = w.stage, stage_since = $3"
            " FROM unnest($1::bigint[], $2::text[]) AS w (id, stage) WHERE m.id = w.id",
            list(stages),
            [stage.value for stage in stages.values()],
            on,
        )


async def set_discount_card(tx: Tx, member_id: int, card: DiscountCard | None) -> None:
    """Let this be the card that a member's sales are priced with, if it is better than the level; None for none."""
    await db.raw(tx).execute(
        "UPDATE member SET card_id = $2, card_discount_bp = $3, card_multiplier_bp = $4, card_until = $5"
        " WHERE id = $1 AND (card_id, card_discount_bp, card_multiplier_bp, card_until)"
        " IS DISTINCT FROM ($2::text, $3::int, $4::int, $5::date)",
        member_id,
        *(msgspec.structs.astuple(card) if card else (None,) * 4),
    )


async def check_pin(member_id: int, pin: str | None) -> None:
    """Refuse unless this is the member's PIN; passes where none is set. Call it outside of any transaction.

    A try is counted and committed before it is judged: a refused sale does not give it back, and tries at the same
    moment cannot share one. Five wrong ones lock the PIN for 15 minutes; a right one sets the count to zero.

    Raises ``PinRequired`` for no PIN where one is set, ``PinInvalid``, or ``PinLocked`` with the seconds to wait.
    """
    if pin is None:
        if await queries.has_pin(member_id):
            raise PinRequired
        return
    now = clock.now()
    row = await db.fetchrow(
        "UPDATE member_pin SET failures = CASE WHEN locked_until <= $2 THEN 1 ELSE failures + 1 END,"
        " locked_until = CASE WHEN locked_until IS NULL AND failures + 1 >= $3 THEN $4::timestamptz END"
        " WHERE member_id = $1 AND (failures < $3 OR locked_until <= $2) RETURNING pin_hash, failures",
        member_id,
        now,
        rules.PIN_TRIES,
        now + rules.PIN_LOCK,
    )
    if row is None:
        await _refuse_locked(member_id)
        return
    if not await auth.matches(row["pin_hash"], peppered(member_id, pin)):
        raise PinInvalid(rules.PIN_TRIES - row["failures"])
    await db.fetchval(
        "UPDATE member_pin SET failures = 0, locked_until = NULL WHERE member_id = $1 AND pin_hash = $2",
        member_id,
        row["pin_hash"],
    )


async def _refuse_locked(member_id: int) -> None:
    """``PinLocked``, unless there is no PIN at all."""
    row = await db.fetchrow("SELECT locked_until FROM member_pin WHERE member_id = $1", member_id)
    if row is not None:
        left_s = (row["locked_until"] - clock.now()).total_seconds() if row["locked_until"] else 0
        raise PinLocked(retry_after_s=max(1, math.ceil(left_s)))


def peppered(member_id: int, pin: str) -> str:
    """What is hashed for a PIN: under a key, because a million PINs are soon tried on a stolen table alone."""
    return vault().derive("member-pin", f"{member_id}:{pin}".encode()).hex()


async def put_pin(tx: Tx, member_id: int, pin_hash: str) -> None:
    """Set or replace a member's PIN and unlock it; the hash is of ``peppered``."""
    await db.raw(tx).execute(
        "INSERT INTO member_pin (member_id, pin_hash, failures, changed_at) VALUES ($1, $2, 0, $3)"
        " ON CONFLICT (member_id) DO UPDATE SET pin_hash = $2, failures = 0, locked_until = NULL, changed_at = $3",
        member_id,
        pin_hash,
        clock.now(),
    )
