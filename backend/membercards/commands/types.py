"""Head office says what kinds of cards there are."""

from __future__ import annotations

import asyncpg

from backend.kernel import clock, db
from backend.kernel.db import Tx
from backend.kernel.errors import invalid
from backend.members import queries as members

from .. import locks, queries, rules
from ..errors import CardTypeConflict, CardTypeExists
from ..schemas import ChangeType, TypeFields, TypeIn
from ..types import CardType

_FIELDS = "name, level, deposit_fen, fee_fen, validity_months, colour, self_service, automatic, active"


def _fields(body: TypeFields) -> tuple[object, ...]:
    return (
        body.name,
        body.level,
        body.deposit_fen,
        body.fee_fen,
        body.validity_months,
        body.colour,
        body.self_service,
        body.automatic,
        body.active,
    )


async def create_type(body: TypeIn, staff_id: int) -> CardType:
    """Make a type; its numbers look like nobody else's, and stay so."""
    rules.check_scheme(body.prefix, body.length, check_digit=body.check_digit)
    await _check(body, rules.random_digits(body.prefix, body.length, check_digit=body.check_digit))
    now = clock.now()
    try:
        async with db.transaction() as tx:
            # Two types that are made at the same time could overlap, and neither would see the other.
            await db.raw(tx).execute("LOCK TABLE membercard_type IN SHARE ROW EXCLUSIVE MODE")
            await _check_others(tx, body)
            await db.raw(tx).execute(
                f"INSERT INTO membercard_type (code, prefix, length, check_digit, created_at, {_FIELDS})"  # noqa: S608
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                body.code,
                body.prefix,
                body.length,
                body.check_digit,
                now,
                *_fields(body),
            )
            await queries.changes.note(tx, body.code, staff_id, "create", {"prefix": body.prefix}, now)
    except asyncpg.UniqueViolationError as error:
        raise _clash(error) from None
    queries.forget_types()
    return await queries.get_type(body.code)


async def change_type(code: str, body: ChangeType, staff_id: int) -> CardType:
    """Change what cards of a type are and carry from now on; how their numbers look is for good."""
    now = clock.now()
    try:
        async with db.transaction() as tx:
            known = await locks.lock_type(tx, code)
            if known.version != body.version:
                raise CardTypeConflict
            await _check(body, rules.random_digits(known.prefix, known.length, check_digit=known.check_digit))
            await db.raw(tx).execute(
                f"UPDATE membercard_type SET ({_FIELDS}) = ($2, $3, $4, $5, $6, $7, $8, $9, $10), version = version + 1"  # noqa: S608
                " WHERE code = $1",
                code,
                *_fields(body),
            )
            detail = {"active": body.active, "automatic": body.automatic, "level": body.level}
            await queries.changes.note(tx, code, staff_id, "change", detail, now)
    except asyncpg.UniqueViolationError as error:
        raise _clash(error) from None
    queries.forget_types()
    return await queries.get_type(code)


async def _check(body: TypeFields, random_digits: int) -> None:
    if body.level is not None and body.level not in await members.levels():
        raise invalid("/level", "there is no such level")
    if body.automatic and not body.active:
        raise invalid("/automatic", "a type that is closed gives out no numbers")
    if body.automatic and random_digits < rules.AUTOMATIC_RANDOM_DIGITS:
        raise invalid("/automatic", f"takes numbers with {rules.AUTOMATIC_RANDOM_DIGITS} random digits or more")


async def _check_others(tx: Tx, body: TypeIn) -> None:
    for row in await db.fetch_in(tx, queries.TYPE):
        other = queries.type_of(row)
        if other.code == body.code:
            raise CardTypeExists("there is a type with this code", extra={"code_taken": body.code})
        if rules.overlaps(body.prefix, body.length, other):
            raise CardTypeExists(f"numbers of the type {other.name} look the same")


def _clash(error: asyncpg.UniqueViolationError) -> CardTypeConflict | CardTypeExists:
    if error.constraint_name == "membercard_type_automatic":
        return CardTypeConflict("another type gives out numbers by itself")
    return CardTypeExists()
