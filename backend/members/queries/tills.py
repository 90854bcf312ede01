"""What tills read of members: by batches, in as few statements as can be."""

from __future__ import annotations

from datetime import date

from backend.auth import queries as auth
from backend.auth.types import HandleDevice
from backend.kernel import db
from backend.kernel.batching import Batcher
from backend.kernel.errors import NotFound
from backend.ledger import queries as ledger
from backend.ledger.errors import MemberUnknown

from .. import rules
from ..types import Card, Cardholder, DiscountCard, Status
from .levels import get_level


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
