"""The phone's card wallet."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel import clock
from backend.kernel.config import settings
from backend.kernel.http import Router

from .. import queries
from ..schemas import CardsOut

router = Router(tag="cards")


@router.get("/v1/member/cards", guard=member, summary="我的卡包")
async def list_cards(caller: MemberCaller) -> CardsOut:
    """All that the member carries as one list: stored value and points always, then what there is of the rest."""
    on = clock.local_date(clock.now(), settings().timezone)
    return CardsOut(await queries.list_cards(caller.member_id, on))
