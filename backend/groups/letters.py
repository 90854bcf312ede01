"""What members are written about what their group gives them."""

from __future__ import annotations

from backend.kernel.db import Tx
from backend.messages import service as messages
from backend.messages.types import Builtin, Letter, Purpose, Variable, VariableKind

from .types import Allotment, AllotmentKind

_GROUP = Variable("group", VariableKind.TEXT, "团体", "一号公司")

ALLOTTED = {
    AllotmentKind.STORED: Builtin(
        "groups.allotted_stored",
        Purpose.SERVICE,
        "团体分配到账",
        "{group} 分配给您的储值 {amount} 已到账。",
        variables=(_GROUP, Variable("amount", VariableKind.MONEY, "金额")),
    ),
    AllotmentKind.POINTS: Builtin(
        "groups.allotted_points",
        Purpose.SERVICE,
        "团体分配到账",
        "{group} 分配给您的 {amount} 积分已到账。",
        variables=(_GROUP, Variable("amount", VariableKind.NUMBER, "积分", "200")),
    ),
}

messages.declare(*ALLOTTED.values())


async def tell_of_allotment(tx: Tx, made: Allotment, group_name: str) -> None:
    """Write to the member that the group's owner allotted them something, once."""
    values = {"group": group_name, "amount": str(made.amount)}
    await messages.send(tx, [Letter(made.member_id, ALLOTTED[made.kind].code, values, made.id, "#/entries")])
