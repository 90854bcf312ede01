"""What members bought, by article: told twice, late or in another order, the counts are what the books say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from . import Domain

if TYPE_CHECKING:
    from ..oracle import Books

MOST_TOLD = 5
TOLD = "bought by article"
BOOKED = "bought by the books"

# Pieces of what was paid for less those that came back; nothing of what was given back whole. What a member bought who
# was merged into another is the other's.
_BOOKED = """
SELECT coalesce(v.target_id, member_id), sku, sum(kept)::bigint, count(*), max(day)::text FROM (
    SELECT d.member_id, d.id, l.line->>'sku' AS sku, (d.at AT TIME ZONE 'Asia/Shanghai')::date AS day,
           sum((l.line->>'qty')::bigint - coalesce((d.progress->'line_qty'->>(l.place::int - 1))::bigint, 0)) AS kept
      FROM ledger_document d CROSS JOIN LATERAL jsonb_array_elements(d.body->'lines') WITH ORDINALITY AS l (line, place)
     WHERE d.kind IN ('sale', 'order') AND coalesce((l.line->>'line_no')::int, 1) > 0
       AND d.state NOT IN ('awaiting_confirmation', 'rejected', 'expired', 'cancelled', 'awaiting_payment', 'closed')
       AND NOT ((d.body->>'payable_fen')::bigint > 0
                AND coalesce((d.progress->>'refunded_fen')::bigint, 0) >= (d.body->>'payable_fen')::bigint)
     GROUP BY 1, 2, 3, 4) AS s LEFT JOIN merging_merge v ON v.source_id = s.member_id WHERE kept > 0 GROUP BY 1, 2"""


class Purchases(Domain):
    """Every member's articles, once nothing is under way."""

    jobs: ClassVar = ("audience.count_purchases",)
    facts: ClassVar = {
        TOLD: "SELECT member_id, sku, pieces, times, last_on::text FROM audience_bought",
        BOOKED: _BOOKED,
        "sales to count": "SELECT sale_id FROM audience_sale WHERE due",
    }

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Compare what was counted with what the documents say."""
        if final:
            yield from (f"sale {row[0]} waits to be counted" for row in books.facts["sales to count"][:MOST_TOLD])
            yield from compare(books.facts[TOLD], books.facts[BOOKED])


def compare(told: Iterable[Sequence[Any]], booked: Iterable[Sequence[Any]]) -> Iterator[str]:
    """What does not agree, in words; a few of it."""
    counted = {(row[0], row[1]): tuple(row[2:]) for row in told}
    meant = {(row[0], row[1]): tuple(row[2:]) for row in booked}
    wrong = sorted(key for key in counted.keys() | meant.keys() if counted.get(key) != meant.get(key))
    for member_id, sku in wrong[:MOST_TOLD]:
        key = (member_id, sku)
        yield f"member {member_id} bought {sku}: counted {counted.get(key)}, by the books {meant.get(key)}"
