"""Three gift cards as they hang at a till; some are sold, some are members' own, and a few have their numbers told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from backend.giftcards import locks, numbers, plans
from backend.giftcards.commands import batches, products
from backend.giftcards.records import Activation, Product
from backend.giftcards.schemas import BatchIn, ProductIn
from backend.giftcards.types import Holder
from backend.kernel import clock, db, ids
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.vault import vault
from backend.ledger import service as ledger
from backend.ledger.plans import job_hash

TITLE = "惠员礼品卡"
OTHERS = (
    ProductIn(title="节日福卡 200 元", holder=Holder.BEARER, face_fen=20_000, validity_months=36),
    ProductIn(title="尊享记名卡", holder=Holder.NAMED, min_fen=10_000, max_fen=500_000),
)

UNSOLD, SOLD = 5, 5
"""Cards whose numbers are told: to be sold at a till, and to be shown or bound."""

SOLD_FEN = 20_000
ONE_IN = 20
"""Of so many members one has bound a card."""

HEAD_OFFICE = 0
"""The staff id of what no person did."""


def told() -> list[dict[str, Any]]:
    """The cards that anybody who looks at the demo may try; the same at every start."""
    secret = _secret()
    return [
        {
            "card_no": numbers.make_number(secret, serial),
            "pin": numbers.make_pin(secret, serial),
            "loaded_fen": 0 if serial < UNSOLD else SOLD_FEN,
        }
        for serial in range(UNSOLD + SOLD)
    ]


def _secret() -> bytes:
    return vault().derive("demo:gift-cards")


async def load(member_ids: Sequence[int], store_id: str, terminal_id: str, now: datetime) -> None:
    """Make the products and one batch, sell most of its cards in that store, and let members bind theirs."""
    for other in OTHERS:
        await products.create_product(other, HEAD_OFFICE)
    body = ProductIn(title=TITLE, min_fen=1_000, max_fen=100_000, validity_months=36)
    product = await products.create_product(body, HEAD_OFFICE)
    owners = [None] * SOLD + [member_ids[n] for n in range(0, len(member_ids), ONE_IN)]
    total = UNSOLD + len(owners)
    batch = await batches.create_batch(product.id, BatchIn(total=total, note="开业备卡"), HEAD_OFFICE, secret=_secret())
    rows = await db.fetch("SELECT id FROM giftcard WHERE batch_id = $1 ORDER BY serial", batch.id)
    async with db.transaction() as tx:
        for number, (row, owner) in enumerate(zip(rows[UNSOLD:], owners, strict=True)):
            fen = SOLD_FEN if owner is None else 10_000 + number % 8 * 5_000
            sold = Activation(f"GC-{number}", terminal_id, product.id, fen, None if owner else _last_day(product, now))
            await _sell(tx, row["id"], sold, owner, store_id, now)


def _last_day(product: Product, now: datetime) -> Any:
    return clock.end_of_month(clock.local_date(now, settings().timezone), product.validity_months or 0)


async def _sell(tx: Tx, card_id: int, sold: Activation, owner: int | None, store_id: str, now: datetime) -> None:
    card = await locks.lock_card(tx, card_id)
    activation_id = ids.new_document_id(plans.ACTIVATION_PREFIX, card.id)
    on = clock.local_date(now, settings().timezone)
    plan = plans.activation(card, activation_id, sold, store_id=store_id, at=now, on=on)
    keyed = {"scope": "gift_card_demo", "key": sold.order_no, "hash": job_hash("demo", sold.order_no)}
    await ledger.open_member(tx, card.id)
    await ledger.post_in(tx, msgspec.structs.replace(plan, **keyed))
    await db.raw(tx).execute(
        "UPDATE giftcard SET state = 'active', activated_at = $2, activation_id = $3, valid_until = $4, member_id = $5,"
        " bound_at = CASE WHEN $5::bigint IS NULL THEN NULL ELSE $2::timestamptz END WHERE id = $1",
        card.id,
        now,
        activation_id,
        sold.valid_until,
        owner,
    )
