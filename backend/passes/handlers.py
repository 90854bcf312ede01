"""What concerns the rows of passes, what a recharge earns, and what members hear of theirs."""

from __future__ import annotations

from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import Recharged
from backend.lifecycle import service as lifecycle
from backend.lifecycle.types import Source
from backend.members import service as members
from backend.messages import service as messages
from backend.messages.types import Builtin, Letter, Purpose, Variable, VariableKind

from . import queries
from .commands import cards, earning
from .events import PassEnded, PassExpiring, PassIssued, PassReopened
from .types import PassState

EXPIRING = Builtin(
    "pass.expiring",
    Purpose.SERVICE,
    "卡项即将到期",
    "您的“{title}”{day} 到期，请尽快使用。",
    variables=(Variable("title", label="卡项"), Variable("day", VariableKind.DATE, "到期日")),
)
messages.declare(EXPIRING)


@events.on(PassIssued)
async def note_issue(event: PassIssued, tx: Tx) -> None:
    """Write its row, and give the level that comes with it."""
    await cards.note_issue(tx, event)
    version = await queries.get_version(event.product_id, event.version)
    if version.terms.level and version.terms.level_months:
        await lifecycle.grant_months(
            tx,
            event.member_id,
            version.terms.level,
            version.terms.level_months,
            source=Source.BOUGHT,
            reason=version.title,
            key=f"pass:{event.pass_id}",
        )


@events.on(PassEnded)
async def note_end(event: PassEnded, tx: Tx) -> None:
    """Show how it ended; with one that was given back goes the level that came with it."""
    await cards.note_end(tx, event)
    if event.state in (PassState.REFUNDED, PassState.VOID):
        member_id = await members.hold_current(tx, event.member_id)
        await lifecycle.end_granted(tx, member_id, f"pass:{event.pass_id}", reason="pass_ended")


@events.on(PassReopened)
async def note_reopening(event: PassReopened, tx: Tx) -> None:
    """Show it as living again."""
    await cards.note_reopening(tx, event)


@events.on(Recharged)
async def reward_recharge(event: Recharged, tx: Tx) -> None:
    """A recharge earns what is given for one of its size."""
    await earning.note_earned(tx, event.member_id, event.recharge_id, event.pay_fen)


@events.on(PassExpiring)
async def warn(event: PassExpiring, tx: Tx) -> None:
    """Write to the member that a pass will expire, if it still has uses."""
    held = await queries.find_pass(event.member_id, event.pass_id, event.expires_on)
    if held is None or held.state is not PassState.ACTIVE:
        return
    values = {"title": held.title, "day": event.expires_on.isoformat()}
    await messages.send(tx, [Letter(event.member_id, EXPIRING.code, values, event.pass_id, f"#/pass?{event.pass_id}")])
