"""What the till does by the clock."""

from __future__ import annotations

from backend.kernel import clock, jobs
from backend.ledger import queries as ledger
from backend.ledger import service as ledger_service

from . import plans
from .commands.sales import expire_sale
from .types import SaleStatus

BATCH = 200


@jobs.every("* * * * *")
async def expire_waiting_sales() -> None:
    """End waiting sales whose time is over (a look at one expires it too, so a minute late is early enough)."""
    for document in await ledger.list_due(plans.SALE, before=clock.now(), limit=BATCH):
        if document.state == SaleStatus.AWAITING:
            await expire_sale(document)


@jobs.every("17 3 * * *")
async def sweep_guards() -> None:
    """Delete one-time marks and day counters that are of no use any more."""
    while await ledger_service.sweep_guards(5000, before=clock.now()) == 5000:
        pass
