"""What members have grown by: the events of every purchase and refund, each handled once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from . import Domain
from .pos import Pos

if TYPE_CHECKING:
    from ..oracle import Books


class Growth(Domain):
    """In the end, what members spent less what they got back made their growth."""

    order: ClassVar[int] = 31  # compares when it is known what was paid
    facts: ClassVar = {"growth": "SELECT id, growth_fen FROM member"}

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Compare every member's, once nothing is under way."""
        if not final:
            return
        if books.events:
            yield f"{books.events} events were not handled"
            return
        bought: Counter[int] = Counter()
        for sale in self.world.domain(Pos).sales.values():
            if sale.paid:
                bought[self.world.person(sale.member.id)] += sale.spent_fen
        growth = {row[0]: row[1] for row in books.facts["growth"]}
        for member_id in {self.world.person(member.id) for member in self.world.everybody()}:
            have, want = growth.get(member_id, 0), bought[member_id]
            if have != want:
                yield f"member {member_id} grew by {have}, spent {want} fen"
