"""What the coupon centre shows a member."""

from __future__ import annotations

from collections.abc import Sequence

from backend.kernel import clock
from backend.kernel.errors import NotFound
from backend.ledger import queries as ledger

from .. import plans, queries, service, views
from ..records import ClaimBy, Template
from ..schemas import CentreItem

MOST_SHOWN = 100


async def list_centre(member_id: int) -> list[CentreItem]:
    """The templates that are open in the centre now, for this member."""
    now = clock.now()
    templates = [
        item
        for item in (await queries.offered()).values()
        if item.claim_by is ClaimBy.CENTRE and service.is_open(item, now)
    ][:MOST_SHOWN]
    if not templates:
        return []
    return await _shown(member_id, templates)


async def show_offer(token: str, member_id: int) -> CentreItem:
    """What a template's link offers, before it is claimed; ``NotFound`` where it gives nothing now."""
    found = await queries.find_by_share_token(token)
    if found is None or found.claim_by not in (ClaimBy.CENTRE, ClaimBy.LINK) or not service.is_open(found, clock.now()):
        raise NotFound("this link offers no coupon")
    return (await _shown(member_id, [found]))[0]


async def _shown(member_id: int, templates: Sequence[Template]) -> list[CentreItem]:
    counts = await ledger.guard_values(member_id, [plans.cap_name(item.id) for item in templates])
    versions = await queries.list_versions((item.id, item.version) for item in templates)
    shown = []
    for item in templates:
        version = versions[item.id, item.version]
        shown.append(views.centre_item(item, version, counts, await queries.names_of(version.terms.scope)))
    return shown
