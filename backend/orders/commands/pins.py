"""The payment PIN at checkout: a member who has set one confirms what goes beyond the password-free limits.

The limits are those of the tills, and a day is counted together with theirs: on the member's own value, gift cards
among it. Who has set none pays by their session alone, which is the phone's own word, so no limit holds and no day
counts it (docs/orders.md says why); what WeChat pays is confirmed there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from backend.kernel.config import settings
from backend.ledger import queries as ledger
from backend.members import queries as members
from backend.sales import plans as sales
from backend.sales import service as sales_service

from ..types import Part


async def confirm(parts: Sequence[Part], member_id: int, pin: str | None) -> bool:
    """Check the PIN of a checkout; whether the day counts what it takes, because nobody confirmed it.

    Call it outside of any transaction. Raises ``PinRequired`` and the other refusals of a PIN.
    """
    return await sales_service.confirm_spending(member_id, value_fen(parts), pin)


async def is_required(parts: Sequence[Part], member_id: int) -> bool:
    """Whether a checkout as it stands now has to come with the PIN."""
    taken_fen, rules = value_fen(parts), settings()
    if not taken_fen or not await members.has_pin(member_id):
        return False
    if taken_fen > rules.password_free_sale_fen:
        return True
    days: Counter[str] = Counter()
    for part in parts:
        days[sales.day_mark(part.priced.on)] += part.priced.value_fen
    marks = await ledger.guard_values(member_id, list(days))
    return any(marks.get(day, 0) + fen > rules.password_free_day_fen for day, fen in days.items())


def value_fen(parts: Sequence[Part]) -> int:
    """What a checkout takes of the member's own value, over all of its stores."""
    return sum(part.priced.value_fen for part in parts)
