"""Reads of members and levels."""

from __future__ import annotations

import hmac
from calendar import isleap
from collections.abc import Iterable, Sequence
from datetime import date, datetime

import msgspec

from backend.auth import queries as auth
from backend.auth.types import HandleDevice
from backend.kernel import db
from backend.kernel.batching import Batcher
from backend.kernel.errors import NotFound
from backend.kernel.kept import Kept
from backend.kernel.vault import vault
from backend.ledger import queries as ledger
from backend.ledger.errors import MemberUnknown

from . import rules
from .types import Card, Cardholder, DiscountCard, Gender, Level, LevelState, Listed, Member, Named, Stage, Status

PHONE_CONTEXT = "member.phone"
"""The vault's context of phone numbers and of their index."""

LEVELS_KEPT_S = 5.0
LIST_LIMIT = 50


def phone_index(phone: str) -> str:
    """What a phone number is found by."""
    return vault().blind_index(phone, context=PHONE_CONTEXT)


async def list_levels() -> list[Level]:
    """Every level as it stands in the database, lowest first."""
    rows = await db.fetch(
        "SELECT code, name, discount_bp, points_multiplier_bp, growth_from_fen, coalesce(benefits, '[]') AS benefits,"
        " coalesce(ruled, false) AS ruled FROM member_level ORDER BY growth_from_fen"
    )
    return [Level(**dict(row) | {"benefits": tuple(msgspec.json.decode(row["benefits"]))}) for row in rows]


async def _levels_by_code() -> dict[str, Level]:
    return {level.code: level for level in await list_levels()}


_levels = Kept(_levels_by_code, keep_s=LEVELS_KEPT_S)


async def levels() -> dict[str, Level]:
    """Every level by code, lowest first; at most five seconds old."""
    return await _levels.get()


def forget_levels() -> None:
    """Read the levels again at the next question: they were changed here."""
    _levels.forget()


async def get_level(code: str) -> Level:
    """One level, at most five seconds old; a new one is found at once."""
    known = await levels()
    if code not in known:
        forget_levels()
        known = await levels()
    return known[code]


_MEMBER = (
    "SELECT id, member_no, name, phone_sealed, birthday, gender, store_id, level_id, status, growth_fen, attributes,"
    " created_at, EXISTS (SELECT FROM member_pin p WHERE p.member_id = member.id) AS pin_set FROM member"
)


async def _member(row: db.Record) -> Member:
    return Member(
        id=row["id"],
        member_no=row["member_no"],
        name=row["name"],
        phone_masked=rules.mask_phone(open_phone(row["phone_sealed"])),
        birthday=row["birthday"],
        gender=Gender(row["gender"]),
        store_id=row["store_id"],
        level=await get_level(row["level_id"]),
        status=Status(row["status"]),
        growth_fen=row["growth_fen"],
        attributes=msgspec.json.decode(row["attributes"]),
        created_at=row["created_at"],
        pin_set=row["pin_set"],
    )


def open_phone(sealed: str) -> str:
    """The phone number in a member's row."""
    return vault().open(sealed, context=PHONE_CONTEXT).decode()


async def find_member(member_id: int) -> Member | None:
    """A member, or None."""
    row = await db.fetchrow(f"{_MEMBER} WHERE id = $1", member_id)
    return await _member(row) if row else None


async def get_member(member_id: int) -> Member:
    """A member; ``NotFound`` for none."""
    member = await find_member(member_id)
    if member is None:
        raise NotFound("there is no such member")
    return member


async def _card(row: db.Record) -> Card:
    return Card(
        member_id=row["id"],
        member_no=row["member_no"],
        name_masked=rules.mask_name(row["name"]),
        level=await get_level(row["level_id"]),
        status=Status(row["status"]),
        discount_card=_discount_card(row),
        lent_discount_bp=row["lent_discount_bp"] or 0,
        birthday=row["birthday"],
    )


def _discount_card(row: db.Record) -> DiscountCard | None:
    if row["card_until"] is None:
        return None
    return DiscountCard(row["card_id"], row["card_discount_bp"], row["card_multiplier_bp"], row["card_until"])


_CARDS = f"""
SELECT id, member_no, name, level_id, status, card_id, card_discount_bp, card_multiplier_bp, card_until,
       lent_discount_bp, birthday
  FROM member WHERE id = ANY({db.given(1, "bigint")})"""  # noqa: S608 - put together of constants


async def _find_cards(member_ids: list[int]) -> list[db.Record | BaseException | None]:
    rows = await db.fetch(_CARDS, member_ids)
    found = {row["id"]: row for row in rows}
    return [found.get(member_id) for member_id in member_ids]


_card_batcher: Batcher[int, db.Record | None] = Batcher(_find_cards, max_size=64, lanes=2)


async def get_card(member_id: int) -> Card:
    """What a till may know of a member, concurrent calls in one query; ``NotFound`` for none."""
    row = await _card_batcher.submit(member_id)
    if row is None:
        raise NotFound("there is no such member")
    return await _card(row)


# A sale's three questions (whose code, which card, what is held) as one: each of them alone would wake the database and
# this process once more, which costs more than its answer.
_HOLDER = """m.id, m.member_no, m.name, m.level_id, m.status, m.card_id, m.card_discount_bp, m.card_multiplier_bp,
       m.card_until, m.lent_discount_bp, m.birthday,
       s.active, s.used_store, s.used_at, s.elsewhere_at, s.balances, s.stored, s.expired"""
CARDHOLDERS = f"""
SELECT d.*, {_HOLDER}
  FROM ({auth.HANDLES}) d
  JOIN member m ON m.id = d.member_id
  JOIN ({ledger.SNAPSHOTS}) s ON s.member_id = d.member_id
"""  # noqa: S608 - put together of constants
_HOLDERS = f"""
SELECT m.id AS member_id, {_HOLDER}
  FROM member m LEFT JOIN ({ledger.SNAPSHOTS}) s ON s.member_id = m.id
 WHERE m.id = ANY({db.given(1, "bigint")})
"""  # noqa: S608 - put together of constants


async def _find_cardholders(wanted: list[tuple[str, date]]) -> list[db.Record | BaseException | None]:
    found: dict[tuple[str, date], db.Record] = {}
    for on in {on for _, on in wanted}:
        for row in await db.fetch(CARDHOLDERS, [handle for handle, day in wanted if day == on], on):
            found[row["handle"], on] = row
    return [found.get(item) for item in wanted]


_cardholder_batcher: Batcher[tuple[str, date], db.Record | None] = Batcher(_find_cardholders, max_size=64, lanes=2)


async def find_cardholder(handle: str, on: date) -> tuple[HandleDevice, Cardholder] | None:
    """The device behind a handle (retired ones too), with its member's card and value on that local day; None for none.

    Concurrent calls share one query.
    """
    row = await _cardholder_batcher.submit((handle, on))
    return (auth.handle_device(row), Cardholder(await _card(row), ledger.snapshot_of(row))) if row else None


async def _find_holders(wanted: list[tuple[int, date]]) -> list[db.Record | BaseException | None]:
    found: dict[tuple[int, date], db.Record] = {}
    for on in {on for _, on in wanted}:
        for row in await db.fetch(_HOLDERS, [member_id for member_id, day in wanted if day == on], on):
            found[row["id"], on] = row
    return [found.get(item) for item in wanted]


_holder_batcher: Batcher[tuple[int, date], db.Record | None] = Batcher(_find_holders, max_size=64, lanes=2)


async def get_cardholder(member_id: int, on: date) -> Cardholder:
    """A member's card and value on that local day, concurrent calls in one query.

    ``NotFound`` for no member, ``MemberUnknown`` for one without books.
    """
    row = await _holder_batcher.submit((member_id, on))
    if row is None:
        raise NotFound("there is no such member")
    if row["active"] is None:
        raise MemberUnknown
    return Cardholder(await _card(row), ledger.snapshot_of(row))


LEVEL_STATES = """
SELECT id AS member_id, coalesce(own_level, level_id) AS own, lent_level AS lent,
       coalesce(level_locked, false) AS locked, growth_fen, status, stage, stage_since, created_at
  FROM member WHERE id = ANY($1::bigint[]) ORDER BY id"""


def level_state(row: db.Record) -> LevelState:
    """A member's levels from such a row."""
    stage = Stage(row["stage"]) if row["stage"] else None
    return LevelState(**dict(row) | {"status": Status(row["status"]), "stage": stage})


async def get_level_state(member_id: int) -> LevelState:
    """A member's levels and stage; ``NotFound`` for none."""
    row = await db.fetchrow(LEVEL_STATES, [member_id])
    if row is None:
        raise NotFound("there is no such member")
    return level_state(row)


async def find_id_by_number(member_no: str) -> int | None:
    """The member who has that number, or None."""
    if not rules.is_member_no(member_no):
        return None
    member_id: int | None = await db.fetchval("SELECT id FROM member WHERE member_no = $1", member_no)
    return member_id


async def list_numbers(member_ids: Sequence[int]) -> dict[int, str]:
    """The numbers of these members, by id; who is none is absent."""
    rows = await db.fetch("SELECT id, member_no FROM member WHERE id = ANY($1)", list(member_ids))
    return {row["id"]: row["member_no"] for row in rows}


async def list_by_numbers(member_nos: Sequence[str]) -> dict[str, tuple[int, str | None]]:
    """The members who have these numbers, with their stores, by number; what is nobody's is absent."""
    rows = await db.fetch("SELECT member_no, id, store_id FROM member WHERE member_no = ANY($1)", list(member_nos))
    return {row["member_no"]: (row["id"], row["store_id"]) for row in rows}


async def find_phone_index(member_id: int) -> str | None:
    """The index of a member's phone, to compare with ``phone_index``."""
    index: str | None = await db.fetchval("SELECT phone_index FROM member WHERE id = $1", member_id)
    return index


async def find_id_by_phone(phone: str) -> int | None:
    """The member whose phone number this is, or None."""
    member_id: int | None = await db.fetchval("SELECT id FROM member WHERE phone_index = $1", phone_index(phone))
    return member_id


async def list_named(member_ids: Sequence[int]) -> dict[int, Named]:
    """Names, numbers and levels of these members, by id; a number that is no member's is left out."""
    rows = await db.fetch(
        "SELECT m.id, m.member_no, m.name, l.name AS level, m.status, m.store_id"
        " FROM member m JOIN member_level l ON l.code = m.level_id WHERE m.id = ANY($1)",
        list(member_ids),
    )
    return {row["id"]: Named(**dict(row) | {"status": Status(row["status"])}) for row in rows}


async def find_phone(member_id: int) -> str | None:
    """A member's phone number, for a message to it, or None for no member; never for a log."""
    sealed: str | None = await db.fetchval("SELECT phone_sealed FROM member WHERE id = $1", member_id)
    return open_phone(sealed) if sealed else None


async def has_phone_ending(member_id: int, digits: str) -> bool:
    """Whether a member's phone number ends in these digits; compared in constant time."""
    sealed: str | None = await db.fetchval("SELECT phone_sealed FROM member WHERE id = $1", member_id)
    return sealed is not None and hmac.compare_digest(open_phone(sealed)[-len(digits) :].encode(), digits.encode())


async def _with_pins(member_ids: list[int]) -> list[bool | BaseException]:
    rows = await db.fetch("SELECT member_id FROM member_pin WHERE member_id = ANY($1)", member_ids)
    found = {row["member_id"] for row in rows}
    return [member_id in found for member_id in member_ids]


_pins: Batcher[int, bool] = Batcher(_with_pins, max_size=64, lanes=2)


async def has_pin(member_id: int) -> bool:
    """Whether the member has set a payment PIN; concurrent calls share one query."""
    return await _pins.submit(member_id)


async def search_members(text: str | None, status: Status | None, *, store_id: str | None) -> list[Member]:
    """Members by their whole phone number or member number, or those of a status, newest first; at most 50.

    ``store_id`` keeps it to that store's members; None is for all of them.
    """
    conditions: list[str] = ["true"]
    arguments: list[str] = []
    if store_id is not None:
        arguments.append(store_id)
        conditions.append("store_id = $1")
    if text is not None:
        arguments += [text, phone_index(text) if rules.is_phone(text) else ""]
        conditions.append(f"(member_no = ${len(arguments) - 1} OR phone_index = ${len(arguments)})")
    if status is not None:
        conditions.append(f"status = '{status.value}'")  # in the text: the planner must see whether it is a rare one
    rows = await db.fetch(
        f"{_MEMBER} WHERE {' AND '.join(conditions)} ORDER BY created_at DESC, id LIMIT {LIST_LIMIT}", *arguments
    )
    return [await _member(row) for row in rows]


_SEGMENT = (
    " FROM member WHERE status = 'active' AND ($1::text IS NULL OR store_id = $1)"
    " AND (cardinality($2::text[]) = 0 OR level_id = ANY($2))"
)


async def count_segment(store_id: str | None, levels: Sequence[str]) -> int:
    """How many active members a store and these levels have; None and nothing do not limit."""
    return int(await db.fetchval(f"SELECT count(*){_SEGMENT}", store_id, list(levels)))


async def list_segment(store_id: str | None, levels: Sequence[str], *, after: int, limit: int) -> list[int]:
    """The active members of a store and of these levels, by id, from above ``after``."""
    rows = await db.fetch(f"SELECT id{_SEGMENT} AND id > $3 ORDER BY id LIMIT $4", store_id, list(levels), after, limit)
    return [row["id"] for row in rows]


async def list_birthdays(on: date, *, after: int, limit: int, store_id: str | None = None) -> list[int]:
    """Active members who have their birthday on that day, by id, from above ``after``; of one store, if it is named.

    Who was born on 29 February has it on the 28th in a year without that day.
    """
    days = [on.month * 100 + on.day]
    if days == [228] and not isleap(on.year):
        days.append(229)
    rows = await db.fetch(
        "SELECT id FROM member"
        " WHERE extract(month FROM birthday)::int * 100 + extract(day FROM birthday)::int = ANY($1)"
        " AND birthday IS NOT NULL AND status = 'active' AND id > $2 AND ($4::text IS NULL OR store_id = $4)"
        " ORDER BY id LIMIT $3",
        days,
        after,
        limit,
        store_id,
    )
    return [row["id"] for row in rows]


async def list_registered(since: datetime, before: datetime, *, after: int, limit: int) -> list[int]:
    """Active members who became one from ``since`` until before ``before``, by id, from above ``after``."""
    rows = await db.fetch(
        "SELECT id FROM member WHERE created_at >= $1 AND created_at < $2 AND status = 'active' AND id > $3"
        " ORDER BY id LIMIT $4",
        since,
        before,
        after,
        limit,
    )
    return [row["id"] for row in rows]


async def list_masked(member_ids: Iterable[int]) -> dict[int, Listed]:
    """Members for a list that staff are shown, by id; those that are not there are absent."""
    rows = await db.fetch(
        "SELECT id, member_no, name, store_id, level_id, birthday, status FROM member WHERE id = ANY($1)",
        list(member_ids),
    )
    return {
        row["id"]: Listed(
            id=row["id"],
            member_no=row["member_no"],
            name_masked=rules.mask_name(row["name"]),
            store_id=row["store_id"],
            level=row["level_id"],
            birthday=row["birthday"],
            status=Status(row["status"]),
        )
        for row in rows
    }


async def list_consents(member_id: int) -> list[tuple[str, str, datetime]]:
    """What a member agreed to: kind, version, when."""
    rows = await db.fetch(
        "SELECT kind, version, agreed_at FROM member_consent WHERE member_id = $1 ORDER BY agreed_at, kind", member_id
    )
    return [(row["kind"], row["version"], row["agreed_at"]) for row in rows]
