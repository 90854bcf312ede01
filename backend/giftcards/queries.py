"""Reads of gift cards (public). What is on a card is read off its books; rows say what it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from backend.kernel import db, ids
from backend.kernel.batching import Batcher
from backend.kernel.changes import Changes
from backend.kernel.errors import DomainError, NotFound
from backend.kernel.vault import vault
from backend.ledger import queries as ledger
from backend.ledger.plans import GIFT_CARD
from backend.ledger.types import Entry

from . import rules, tokens
from .errors import GiftCardNotHeld, GiftCardTokenExpired, GiftCardTokenInvalid
from .records import Batch, Product, ProductState
from .types import CardState, GiftCard

MOST_OF_MEMBER = 50
"""Cards of one member in a list; the setting that limits how many one may bind is not above it."""

NUMBER_CONTEXT = "giftcard.number"
PIN_PURPOSE = "giftcard.pin"

CARD = (
    "SELECT c.id, c.product_id, c.batch_id, p.title, p.holder, c.last4, c.state, c.member_id, c.bound_at,"
    " c.activated_at, c.activations, c.activation_id, c.valid_until, c.replaced_by,"
    " coalesce((SELECT a.balance FROM ledger_account a"
    f" WHERE a.member_id = c.id AND a.kind = '{GIFT_CARD}' AND a.ref = ''), 0) AS balance_fen"
    " FROM giftcard c JOIN giftcard_product p ON p.id = c.product_id"
)
_PRODUCT = "SELECT id, title, holder, min_fen, max_fen, validity_months, state, created_at FROM giftcard_product"
_BATCH = "SELECT id, product_id, note, total, made, state, exported_at, created_at FROM giftcard_batch"


def card_of(row: db.Record) -> GiftCard:
    """A row of ``CARD``, whatever else the query asked for."""
    return msgspec.convert({name: row[name] for name in GiftCard.__struct_fields__}, GiftCard)


def number_digest(number: str) -> bytes:
    """What is stored of a number, to find its card by."""
    return bytes.fromhex(vault().blind_index(number, context=NUMBER_CONTEXT))


def pin_digest(digest: bytes, pin: str) -> bytes:
    """What is stored of the PIN of the card with that number: useless without the key, and with another number."""
    return vault().derive(PIN_PURPOSE, digest + pin.encode())


def token_key() -> bytes:
    """The key that signs card tokens."""
    return vault().derive("gift-card-token")


async def find_card(card_id: int) -> GiftCard | None:
    """A card as it stands, or None."""
    row = await db.fetchrow(f"{CARD} WHERE c.id = $1", card_id)
    return card_of(row) if row else None


async def find_cards(card_ids: Sequence[int]) -> dict[int, GiftCard]:
    """These cards by id; those that are none are absent."""
    if not card_ids:
        return {}
    rows = await db.fetch(f"{CARD} WHERE c.id = ANY($1)", list(card_ids))
    return {row["id"]: card_of(row) for row in rows}


async def get_card(card_id: str) -> GiftCard:
    """The card that a client names; ``NotFound`` for none."""
    number = ids.read_bigint(card_id)
    found = await find_card(number) if number is not None else None
    if found is None:
        raise NotFound("there is no such gift card")
    return found


async def find_by_number(number: str) -> GiftCard | None:
    """The card with that number, or None."""
    row = await db.fetchrow(f"{CARD} WHERE c.number_digest = $1", number_digest(number))
    return card_of(row) if row else None


CARDS_OF = f"{CARD} WHERE c.member_id = wanted.member_id AND c.state <> 'closed' ORDER BY c.bound_at DESC, c.id"
"""The cards of ``wanted``, a row with ``member_id``, that are not closed, what was bound last first."""

_OF_MEMBERS = f"""
SELECT wanted.member_id AS wanted, held.* FROM unnest({db.given(1, "bigint")}) AS wanted (member_id)
 CROSS JOIN LATERAL ({CARDS_OF} LIMIT $2) AS held
 ORDER BY wanted.member_id, held.bound_at DESC, held.id
"""


async def _of_members(wanted: list[int]) -> list[list[GiftCard] | BaseException]:
    found: dict[int, list[GiftCard]] = {member_id: [] for member_id in wanted}
    for row in await db.fetch(_OF_MEMBERS, list(found), MOST_OF_MEMBER):
        found[row["wanted"]].append(card_of(row))
    return [found[member_id] for member_id in wanted]


_of_members_batcher: Batcher[int, list[GiftCard]] = Batcher(_of_members, max_size=64, lanes=2)


async def list_of_member(member_id: int) -> list[GiftCard]:
    """A member's own cards that are not closed, what was bound last first; concurrent calls share one query."""
    return await _of_members_batcher.submit(member_id)


async def get_own(card_id: str, member_id: int) -> GiftCard:
    """A member's own card; ``NotFound`` for none, and for another's."""
    number = ids.read_bigint(card_id)
    found = await find_card(number) if number is not None else None
    if found is None or found.member_id != member_id:
        raise NotFound("there is no such gift card")
    return found


async def get_tendered(
    references: Sequence[str], *, member_id: int, terminal_id: str, store_id: str, now: datetime, on: date
) -> list[GiftCard]:
    """The cards that a sale's tenders name, in their order: by token, or by id where they are this member's own.

    Raises why one of them pays nothing here and now. What is on them is not judged.
    """
    wanted = [read_reference(text, terminal_id=terminal_id, store_id=store_id, now=now) for text in references]
    found = await find_cards([card_id for card_id, _ in wanted])
    cards = []
    for card_id, shown in wanted:
        card = found.get(card_id)
        if card is None or not (shown or card.member_id == member_id):
            raise GiftCardNotHeld
        rules.check_payable(card, on)
        rules.check_payer(card, member_id)
        cards.append(card)
    return cards


async def get_tendered_online(references: Sequence[str], *, member_id: int, now: datetime, on: date) -> list[GiftCard]:
    """The same for an order of the member's: by the token of a card that was checked on their phone, or by id."""
    return await get_tendered(
        references, member_id=member_id, terminal_id=str(member_id), store_id=tokens.PHONES, now=now, on=on
    )


def refusal_of(card: GiftCard, member_id: int, on: date) -> DomainError | None:
    """Why a card pays nothing for this member on that day, whatever is on it; None where it pays."""
    try:
        rules.check_payable(card, on)
        rules.check_payer(card, member_id)
    except DomainError as refused:
        return refused
    return None


def read_reference(text: str, *, terminal_id: str, store_id: str, now: datetime) -> tuple[int, bool]:
    """The card that a reference names, and whether the reference is a token: its number and PIN were shown here."""
    if not text.startswith(tokens.PREFIX):
        return ids.read_bigint(text) or 0, False
    token = tokens.unseal(text, terminal_id, store_id, token_key())
    if token is None:
        raise GiftCardTokenInvalid
    if now.timestamp() >= token.expires_at:
        raise GiftCardTokenExpired
    return token.card_id, True


async def list_entries(card_id: int, *, before: int | None, limit: int) -> list[Entry]:
    """What was done to a card, newest first, from below transfer ``before``."""
    return await ledger.list_statement(card_id, GIFT_CARD, before=before, limit=limit)


async def list_cards(
    of: str | int, *, state: CardState | None, last4: str | None, after: int, limit: int
) -> list[GiftCard]:
    """Cards of a batch (``of`` is its id) or of a member (a number), by id from beyond ``after``."""
    whose = "c.batch_id = $1" if isinstance(of, str) else "c.member_id = $1"
    rows = await db.fetch(
        f"{CARD} WHERE {whose} AND ($2::text IS NULL OR c.state = $2) AND ($3::text IS NULL OR c.last4 = $3)"
        " AND c.id > $4 ORDER BY c.id LIMIT $5",
        of,
        state.value if state else None,
        last4,
        after,
        limit,
    )
    return [card_of(row) for row in rows]


async def get_product(product_id: str) -> Product:
    """A product; ``NotFound`` for none."""
    row = await db.fetchrow(f"{_PRODUCT} WHERE id = $1", product_id)
    if row is None:
        raise NotFound("there is no such product")
    return msgspec.convert(dict(row), Product)


async def list_products(
    state: ProductState | None, *, before: tuple[datetime, str] | None, limit: int
) -> list[Product]:
    """Products, newest first, from below the one with that time of making and id."""
    rows = await db.fetch(
        f"{_PRODUCT} WHERE ($1::text IS NULL OR state = $1)"
        " AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3)) ORDER BY created_at DESC, id DESC LIMIT $4",
        state.value if state else None,
        *(before or (None, "")),
        limit,
    )
    return [msgspec.convert(dict(row), Product) for row in rows]


async def get_batch(batch_id: str) -> Batch:
    """A batch; ``NotFound`` for none."""
    row = await db.fetchrow(f"{_BATCH} WHERE id = $1", batch_id)
    if row is None:
        raise NotFound("there is no such batch")
    return msgspec.convert(dict(row), Batch)


async def list_batches(product_id: str, limit: int) -> list[Batch]:
    """The batches of a product, newest first."""
    rows = await db.fetch(
        f"{_BATCH} WHERE product_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2", product_id, limit
    )
    return [msgspec.convert(dict(row), Batch) for row in rows]


changes = Changes("giftcard_change", "subject")
"""What staff did to a product, a batch or a card."""
