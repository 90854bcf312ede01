"""The cart: what a member wants from each store, the same on every device."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backend.auth import queries as auth
from backend.kernel import clock, db
from backend.kernel.batching import Batcher
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.http import Lane
from backend.mall import queries as mall
from backend.mall.types import Sellable
from backend.members import queries as members
from backend.members.types import Benefit, Card
from backend.stock import queries as stock
from backend.stock.types import Piece

from .. import queries
from ..errors import CartFull, NotOnSale
from ..rules import lines as rules
from ..schemas.orders import CartArticleOut, CartLineOut, CartOut, CartStoreOut
from ..types import CartLine, Want

MOST_LINES = 200
"""Articles in one cart."""

LANE = Lane("carts", at_once=32, most_waiting=500, patience_s=5.0)
"""Where carts are filled: whoever comes for a flash sale comes here first."""


class _Put(msgspec.Struct, frozen=True):
    member_id: int
    line: CartLine


# Of a line that is new, the number it would have in its cart, those of the same batch counted in.
_PUT = """
INSERT INTO orders_cart_line AS c (member_id, store_id, sku, qty, added_at, updated_at)
SELECT member_id, store_id, sku, qty, $5, $5 FROM (
    SELECT w.*, e.sku IS NOT NULL AS there,
           (SELECT count(*) FROM orders_cart_line o WHERE o.member_id = w.member_id)
           + count(*) FILTER (WHERE e.sku IS NULL) OVER (PARTITION BY w.member_id ORDER BY w.store_id, w.sku) AS number
      FROM unnest($1::bigint[], $2::text[], $3::text[], $4::int[]) AS w (member_id, store_id, sku, qty)
      LEFT JOIN orders_cart_line e ON e.member_id = w.member_id AND e.store_id = w.store_id AND e.sku = w.sku) AS n
 WHERE there OR number <= $6 ORDER BY member_id, store_id, sku
ON CONFLICT (member_id, store_id, sku) DO UPDATE SET qty = excluded.qty, updated_at = excluded.updated_at
RETURNING member_id, store_id, sku"""


# One writer of a cart at a time, whichever process: two phones would each count without the other's new line. Carts are
# locked in the order of members, and this before any line.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('orders_cart ' || id, 0)) FROM unnest($1::bigint[]) AS m (id)"


async def put_line(member_id: int, store_id: str, sku: str, qty: int) -> CartLineOut:
    """Let so many pieces be in the cart, whatever was there; ``NotOnSale`` for what that store does not sell."""
    await auth.get_store(store_id)
    if sku not in await mall.find_sellable([sku], store_id=store_id, level=None, now=clock.now()):
        raise NotOnSale(extra={"sku": sku, "store_id": store_id})
    await _puts.submit(_Put(member_id, CartLine(store_id, sku, qty)))
    return CartLineOut(store_id, sku, qty)


async def _put_many(puts: list[_Put]) -> Sequence[BaseException | None]:
    return await LANE.paced(_put_together(puts))


async def _put_together(puts: list[_Put]) -> Sequence[BaseException | None]:
    """The last of several for one line counts; one transaction, so that many phones wait for the disk once."""
    async with db.transaction() as tx:
        written = await _write(tx, {(put.member_id, put.line.store_id, put.line.sku): put.line.qty for put in puts})
    return [
        None if (put.member_id, put.line.store_id, put.line.sku) in written else CartFull(extra={"most": MOST_LINES})
        for put in puts
    ]


async def _write(tx: Tx, wanted: dict[tuple[int, str, str], int]) -> set[tuple[int, str, str]]:
    """Let so many pieces of each (member, store, SKU) be in its cart; which of them are: not what is too much."""
    keys = sorted(wanted)
    member_ids, stores, skus = (list(column) for column in zip(*keys, strict=True))
    await db.raw(tx).execute(_LOCK, sorted(set(member_ids)))
    pieces = [wanted[key] for key in keys]
    rows = await db.fetch_in(tx, _PUT, member_ids, stores, skus, pieces, clock.now(), MOST_LINES)
    return {tuple(row) for row in rows}


_puts: Batcher[_Put, None] = Batcher(_put_many, max_size=128, max_waiting=20_000)


async def drop_line(member_id: int, store_id: str, sku: str) -> None:
    """Take an article out of the cart; nothing happens where it is not in it, ``NotFound`` for a store there is not."""
    await auth.get_store(store_id)
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "DELETE FROM orders_cart_line WHERE member_id = $1 AND store_id = $2 AND sku = $3", member_id, store_id, sku
        )


_EMPTY = """
WITH locked AS (SELECT member_id, store_id, sku FROM orders_cart_line WHERE member_id = $1
                 ORDER BY store_id, sku FOR UPDATE)
DELETE FROM orders_cart_line c USING locked l
 WHERE c.member_id = l.member_id AND c.store_id = l.store_id AND c.sku = l.sku"""


async def empty(member_id: int) -> None:
    """Take everything out of the cart."""
    async with db.transaction() as tx:
        await db.raw(tx).execute(_EMPTY, member_id)


async def show(member_id: int) -> CartOut:
    """The cart with today's prices for this member, and what there is of each article."""
    by_store: dict[str, list[CartLine]] = {}
    for line in await queries.list_cart(member_id):
        by_store.setdefault(line.store_id, []).append(line)
    card = await members.get_card(member_id)
    stores = []
    for store_id, lines in by_store.items():
        store = await auth.find_store(store_id)
        stores.append(CartStoreOut(store_id, store.name if store else store_id, await _articles(store_id, lines, card)))
    return CartOut(stores)


async def _articles(store_id: str, lines: list[CartLine], card: Card) -> list[CartArticleOut]:
    skus, now = [line.sku for line in lines], clock.now()
    sold = await mall.find_sellable(skus, store_id=store_id, level=card.level.code, now=now)
    benefit = card.benefit_on(clock.local_date(now, settings().timezone))
    left = await stock.find_available([Piece(store_id, sku, 1) for sku in sold])
    return [
        CartArticleOut(
            sku=line.sku,
            qty=line.qty,
            on_sale=True,
            product_id=article.product_id,
            name=article.name,
            spec=article.spec,
            picture=article.picture,
            list_fen=article.list_fen,
            price_fen=_piece_fen(article, benefit, card.level.name),
            available=left[store_id, line.sku] if article.tracked else None,
        )
        if (article := sold.get(line.sku)) is not None
        else CartArticleOut(sku=line.sku, qty=line.qty, on_sale=False)
        for line in lines
    ]


def _piece_fen(article: Sellable, benefit: Benefit, level_name: str) -> int:
    """What one piece costs the member before offers and coupons, as the quote will say it."""
    (line,) = rules.open_lines([Want(article.sku, 1)], {article.sku: article})
    return rules.member_price(line, benefit, level_name).payable_fen
