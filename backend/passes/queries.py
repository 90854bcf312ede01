"""Reads of products and passes (public). How a pass stands is read off the ledger; rows say what it is and was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from backend.kernel import clock, db, ids
from backend.kernel.changes import Changes
from backend.kernel.config import settings
from backend.kernel.kept import Kept
from backend.kernel.versions import Key, Versions
from backend.ledger import queries as ledger
from backend.ledger.plans import SERVICE, SERVICE_VALUE
from backend.ledger.types import Holding

from .plans import CLOSED, PREFIX, UNDONE, USE, USE_PREFIX
from .records import Card, Product, Version
from .types import Held, Offered, PassKind, PassState, PassUse, ProductState, Terms

KEPT_S = 2.0
"""How old what is offered may be; who ends a product stops its sale within so long."""

MOST_OFFERED = 500
"""Active products: all of them are kept in mind by every process."""

MOST_HELD = 200

PRODUCT = "SELECT id, sku, version, title, state, created_at, updated_at FROM pass_product"

_terms = msgspec.json.Decoder(Terms)


def product_of(row: db.Record) -> Product:
    """A row of ``PRODUCT``."""
    return msgspec.convert(dict(row), Product)


async def find_product(product_id: str) -> Product | None:
    """A product as it stands, or None."""
    row = await db.fetchrow(f"{PRODUCT} WHERE id = $1", product_id)
    return product_of(row) if row else None


async def list_products(
    state: ProductState | None, *, before: tuple[datetime, str] | None, limit: int
) -> list[Product]:
    """Products, newest first, from below the one with that time of making and id."""
    rows = await db.fetch(
        f"{PRODUCT} WHERE ($1::text IS NULL OR state = $1)"
        " AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3)) ORDER BY created_at DESC, id DESC LIMIT $4",
        state.value if state else None,
        *(before or (None, "")),
        limit,
    )
    return [product_of(row) for row in rows]


async def list_titles(product_ids: Iterable[str]) -> dict[str, str]:
    """What these products are called now, by id; those that are not there are absent."""
    rows = await db.fetch("SELECT id, title FROM pass_product WHERE id = ANY($1)", list(product_ids))
    return {row["id"]: row["title"] for row in rows}


Offers = dict[str, Offered]


async def _read_offers() -> Offers:
    rows = await db.fetch(
        "SELECT p.sku, p.id, p.version, v.terms FROM pass_product p"
        " JOIN pass_product_version v ON v.product_id = p.id AND v.version = p.version"
        " WHERE p.state = 'active' ORDER BY p.sku LIMIT $1",
        MOST_OFFERED,
    )
    return {row["sku"]: Offered(row["id"], row["version"], _terms.decode(row["terms"])) for row in rows}


_offers = Kept(_read_offers, keep_s=KEPT_S)


async def offered() -> Offers:
    """Every product that is sold now, by SKU; at most ``KEPT_S`` old. Mostly no read."""
    return await _offers.get()


def forget_offered() -> None:
    """Read the products again at the next question: one was changed here."""
    _offers.forget()


async def _read_versions(keys: list[Key]) -> dict[Key, Version]:
    rows = await db.fetch(
        "SELECT v.product_id, v.version, v.title, v.note, v.terms FROM unnest($1::text[], $2::int[]) AS w (p, n)"
        " JOIN pass_product_version v ON v.product_id = w.p AND v.version = w.n",
        *map(list, zip(*keys, strict=True)),
    )
    return {(row[0], row[1]): Version(row[0], row[1], row[2], row[3], _terms.decode(row[4])) for row in rows}


_versions = Versions(_read_versions)


async def list_versions(wanted: Iterable[Key]) -> dict[Key, Version]:
    """These versions by (product id, version); read once a process, because none ever changes."""
    return await _versions.find(wanted)


async def get_version(product_id: str, version: int) -> Version:
    """One version; ``KeyError`` for none."""
    return (await list_versions([(product_id, version)]))[product_id, version]


# A pass's lots have its id as their source, so they are found also when nothing is left of them. Its row comes from an
# event: a pass that was sold a moment ago is good before it has one.
_FIELDS = f"""
SELECT s.member_id, s.source AS id, s.part, s.issued AS uses, s.remaining AS uses_left, s.expires_on, s.issued_at,
       s.lot_id AS service_lot, v.lot_id AS value_lot, coalesce(v.issued, 0) AS paid_fen,
       coalesce(v.remaining, 0) AS value_fen, coalesce(g.value >= {CLOSED}, false) AS closed,
       p.valid_from, p.store_id, p.ended_as, p.ended_at"""
_JOINED = f"""
  LEFT JOIN ledger_lot v ON v.member_id = s.member_id AND v.source = s.source AND v.kind = '{SERVICE_VALUE}'
  LEFT JOIN pass_card p ON p.member_id = s.member_id AND p.id = s.source
  LEFT JOIN ledger_guard g ON g.member_id = s.member_id AND g.name = 'pass:' || s.source"""
_OF_LOTS = f"{_FIELDS} FROM ledger_lot s{_JOINED} WHERE s.kind = '{SERVICE}' AND s.member_id = $1"
_LIVING = f"{_OF_LOTS} AND s.open AND (s.expires_on IS NULL OR s.expires_on >= $2)"
_NAMED = f"{_OF_LOTS} AND s.source = ANY($2)"
_OF_ROWS = f"""{_FIELDS}
  FROM pass_card c
  JOIN ledger_lot s ON s.member_id = c.member_id AND s.source = c.id AND s.kind = '{SERVICE}'{_JOINED}"""


async def _held(rows: Sequence[db.Record], on: date) -> list[Held]:
    names = [_version_of(row["part"]) for row in rows]
    versions = await list_versions(names)
    return [_one(row, versions[name], on) for row, name in zip(rows, names, strict=True)]


def _version_of(part: str) -> tuple[str, int]:
    product_id, _, version = part.rpartition("/")
    return product_id, int(version)


def _one(row: db.Record, version: Version, on: date) -> Held:
    terms, expires_on = version.terms, row["expires_on"]
    valid_from = row["valid_from"] or clock.local_date(row["issued_at"], settings().timezone)
    if expires_on is not None and terms.days is not None:
        valid_from = expires_on - timedelta(days=terms.days - 1)
    return Held(
        member_id=row["member_id"],
        id=row["id"],
        product_id=version.product_id,
        version=version.version,
        title=version.title,
        note=version.note,
        terms=terms,
        state=_state(row, terms.kind, on),
        uses=row["uses"],
        uses_left=row["uses_left"],
        paid_fen=row["paid_fen"],
        value_fen=row["value_fen"],
        issued_at=row["issued_at"],
        valid_from=valid_from,
        expires_on=expires_on,
        service_lot=row["service_lot"],
        value_lot=row["value_lot"],
        store_id=row["store_id"],
        ended_at=row["ended_at"],
    )


def _state(row: db.Record, kind: PassKind, on: date) -> PassState:
    """How a pass stands on that day; one that is empty and says nothing of its end yet ended a moment ago."""
    over = row["expires_on"] is not None and row["expires_on"] < on
    if row["uses_left"] > 0:
        return PassState.EXPIRED if over else PassState.ACTIVE
    if row["ended_as"]:
        return PassState(row["ended_as"])
    if row["closed"]:
        return PassState.VOID
    return PassState.USED_UP if kind is PassKind.COUNTED else PassState.EXPIRED


async def list_of_member(
    member_id: int, on: date, holdings: Sequence[Holding] | None = None, *, limit: int = MOST_HELD
) -> list[Held]:
    """A member's passes that live on that local day of the chain, what ends soonest first; discount cards among them.

    ``holdings``: what was just read of them on the books, else it is read. For who has none one exchange with the
    database, which those share that ask for holdings at the same moment; otherwise a second, and a third where a
    version is seen for the first time in this process.
    """
    if holdings is None:
        holdings = await ledger.list_refs(member_id, SERVICE)
    if not holdings:
        return []
    rows = await db.fetch(f"{_LIVING} ORDER BY s.expires_on, s.lot_id LIMIT $3", member_id, on, limit)
    return await _held(rows, on)


async def list_ended(
    member_id: int, on: date, *, before: tuple[datetime, str] | None, limit: int, until: datetime | None = None
) -> list[Held]:
    """A member's passes that ended, newest first, from below the one with that time of issue and id.

    ``until``: those alone that had ended by then; what was good when its member was merged goes on as the other's.
    """
    rows = await db.fetch(
        f"{_OF_ROWS} WHERE c.member_id = $1 AND (NOT s.open OR s.expires_on < $2)"
        " AND ($3::timestamptz IS NULL OR (c.issued_at, c.id) < ($3, $4)) AND ($6::timestamptz IS NULL"
        " OR c.ended_at IS NULL OR c.ended_at < $6) ORDER BY c.issued_at DESC, c.id DESC LIMIT $5",
        member_id,
        on,
        *(before or (None, "")),
        limit,
        until,
    )
    return await _held(rows, on)


async def find_passes(member_id: int, pass_ids: Sequence[str], on: date) -> dict[str, Held]:
    """These passes of a member by id, however they stand on that local day; another member's are absent."""
    own = [pass_id for pass_id in pass_ids if ids.member_of(pass_id, PREFIX) == member_id]
    if not own:
        return {}
    return {held.id: held for held in await _held(await db.fetch(_NAMED, member_id, own), on)}


async def find_pass(member_id: int, pass_id: str, on: date) -> Held | None:
    """A member's pass, however it stands on that local day; None for another's or none."""
    return (await find_passes(member_id, [pass_id], on)).get(pass_id)


def owner_of(pass_id: str) -> int | None:
    """The member whose pass has that id, or None where it is no pass's id."""
    return ids.member_of(pass_id, PREFIX)


_USE = "SELECT member_id, id, state, version, store_id, body, progress, at FROM ledger_document"


def _use_of(row: db.Record) -> PassUse:
    body: dict[str, Any] = msgspec.json.decode(row["body"])
    return PassUse(
        id=row["id"],
        member_id=row["member_id"],
        pass_id=body["pass_id"],
        store_id=row["store_id"],
        terminal_id=body["terminal_id"],
        at=row["at"],
        on=date.fromisoformat(body["on"]),
        qty=body["qty"],
        service=body.get("service"),
        value_fen=body["value_fen"],
        undone=row["state"] == UNDONE,
        version=row["version"],
        uses_left=body.get("uses_left"),
        left_by_undo=msgspec.json.decode(row["progress"]).get("uses_left"),
    )


async def find_use(use_id: str) -> PassUse | None:
    """A use of a pass as it stands, or None."""
    member_id = ids.member_of(use_id, USE_PREFIX)
    if member_id is None:
        return None
    row = await db.fetchrow(f"{_USE} WHERE member_id = $1 AND id = $2 AND kind = '{USE}'", member_id, use_id)
    return _use_of(row) if row else None


async def list_uses(member_id: int, pass_id: str, *, limit: int) -> list[PassUse]:
    """The uses of a member's pass, undone ones too, newest first."""
    rows = await db.fetch(
        f"{_USE} WHERE member_id = $1 AND kind = '{USE}' AND body->>'pass_id' = $2 ORDER BY at DESC, id LIMIT $3",
        member_id,
        pass_id,
        limit,
    )
    return [_use_of(row) for row in rows]


_CARD = (
    "SELECT member_id, id, product_id, version, kind, source, store_id, uses, paid_fen, issued_at, valid_from,"
    " expires_on, ended_as, ended_at FROM pass_card"
)


async def find_card(member_id: int, pass_id: str) -> Card | None:
    """The row of a pass, or None where it has none yet."""
    row = await db.fetchrow(f"{_CARD} WHERE member_id = $1 AND id = $2", member_id, pass_id)
    return msgspec.convert(dict(row), Card) if row else None


async def list_issued(
    on: date,
    *,
    member_id: int | None,
    product_id: str | None,
    store_id: str | None,
    before: tuple[datetime, str] | None,
    limit: int,
    until: datetime | None = None,
) -> list[tuple[Held, Card]]:
    """The passes of a member or of a product (one of them is given), and as they stand on that day; newest first.

    ``store_id`` keeps it to those that this store sold, ``until`` to those that had ended by then, as ``list_ended``.
    """
    rows = await db.fetch(
        f"{_CARD} WHERE ($1::bigint IS NULL OR member_id = $1) AND ($2::text IS NULL OR product_id = $2)"
        " AND ($3::text IS NULL OR store_id = $3)"
        " AND ($4::timestamptz IS NULL OR (issued_at, id) < ($4, $5)) AND ($7::timestamptz IS NULL"
        " OR ended_at IS NULL OR ended_at < $7) ORDER BY issued_at DESC, id DESC LIMIT $6",
        member_id,
        product_id,
        store_id,
        *(before or (None, "")),
        limit,
        until,
    )
    cards = [msgspec.convert(dict(row), Card) for row in rows]
    held = await _held(
        await db.fetch(
            f"{_OF_ROWS} JOIN unnest($1::bigint[], $2::text[]) AS w (member_id, id)"
            " ON w.member_id = c.member_id AND w.id = c.id",
            [card.member_id for card in cards],
            [card.id for card in cards],
        ),
        on,
    )
    by_id = {one.id: one for one in held}
    return [(by_id[card.id], card) for card in cards]


changes = Changes("pass_change", "object_id")
"""What staff did to a product or a pass."""
