"""A member's passes at the till: used by whoever was scanned, undone by the store that used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from backend.auth import queries as auth
from backend.auth.types import TerminalCaller
from backend.identities.errors import IdentityMayNotSpend
from backend.kernel import clock, live
from backend.kernel.batching import Turns
from backend.kernel.errors import ValidationFailed
from backend.kernel.http import Answer, Idempotency
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, InsufficientBalance, Stale
from backend.ledger.plans import Plan
from backend.ledger.types import Posted
from backend.passes import queries as pass_queries
from backend.passes import service as passes
from backend.passes.errors import PassNeedsPhone
from backend.passes.plans import UNDONE

from .. import plans
from ..schemas import PassUseIn, PassUseOut
from .identify import by_scan_token
from .replay import first_answer, terminal_scope
from .sales import MAX_TIMES_PLANNED

_turns = Turns()


async def use_pass(pass_id: str, body: PassUseIn, terminal: TerminalCaller, idem: Idempotency) -> Answer[PassUseOut]:
    """Use a pass of the member whom the scan token names; once per key. The token stays good for a sale."""

    async def plan() -> Plan:
        now = clock.now()
        customer = by_scan_token(body.scan_token, terminal_id=terminal.terminal_id, store_id=terminal.store_id, now=now)
        if customer.earn_only:
            raise IdentityMayNotSpend
        if customer.suspect:
            raise PassNeedsPhone
        return await passes.plan_use(
            customer.member_id,
            pass_id,
            qty=body.qty,
            service=body.service,
            store_id=terminal.store_id,
            terminal_id=terminal.terminal_id,
            now=now,
        )

    return await _once(plan, pass_id, terminal, idem, "pass_used")


async def undo_use(use_id: str, terminal: TerminalCaller, idem: Idempotency) -> Answer[PassUseOut]:
    """Take a use back in the store that used, within its time; once per key, and once at all."""

    async def plan() -> Plan:
        return await passes.plan_undo(use_id, terminal.store_id, now=clock.now())

    return await _once(plan, use_id, terminal, idem, "pass_use_undone")


async def _once(
    plan_again: Callable[[], Awaitable[Plan]], about: str, terminal: TerminalCaller, idem: Idempotency, told_as: str
) -> Answer[PassUseOut]:
    scope = terminal_scope(terminal.terminal_id)

    async def again(member_id: int, posted: Posted) -> Answer[PassUseOut]:
        return Answer(await _shown(posted), replayed=True)

    async def work() -> Answer[PassUseOut]:
        # Uses of one pass each move what the next one saw: in line here, they need not plan again and again.
        async with _turns.turn(about):
            return await _post()

    async def _post() -> Answer[PassUseOut]:
        for _ in range(MAX_TIMES_PLANNED):
            plan = plans.keyed(await plan_again(), idem, scope)
            try:
                posted = await ledger.post(plan)
            except (Stale, InsufficientBalance):
                continue
            except GuardRefused as refused:
                raise passes.refusal_of(refused) or refused from refused
            if posted.replayed:
                return await again(plan.member_id, posted)
            shown = await _shown(posted)
            await _tell(plan.member_id, terminal, told_as, shown)
            return Answer(shown)
        raise Stale

    return await first_answer(idem, scope, work, again)


async def _shown(posted: Posted) -> PassUseOut:
    """The use as that plan left it, and how many it left; the same for a retry, whatever came after."""
    used = await pass_queries.find_use(posted.document_id or "")
    if used is None:
        raise ValidationFailed("this key was used for another kind of request")
    held = await pass_queries.find_pass(used.member_id, used.pass_id, passes.today(clock.now()))
    assert held is not None
    undone = posted.state == UNDONE
    return PassUseOut(
        id=used.id,
        pass_id=used.pass_id,
        title=held.title,
        status=posted.state or "",
        qty=used.qty,
        service=used.service,
        uses_left=used.left_by_undo if undone else used.uses_left,
        at=used.at,
    )


async def _tell(member_id: int, terminal: TerminalCaller, told_as: str, shown: PassUseOut) -> None:
    store = await auth.get_store(terminal.store_id)
    live.push(member_id, told_as, {"use": msgspec.to_builtins(shown), "store": {"id": store.id, "name": store.name}})
