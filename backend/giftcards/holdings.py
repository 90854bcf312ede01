"""What is held of a member here: cards that are bound to them. What a card holds is the card's own."""

from __future__ import annotations

from backend.members.holding import Holding, MovingTable, Shown, Table, holds, stripped

from . import leaving

HOLDING = holds(
    Holding(
        name="giftcards",
        title="礼品卡",
        at_stake=leaving.at_stake,
        tables=(
            Table(
                "giftcard_change",
                stripped("what staff did to a card, and when; not why", detail="detail - 'reason'"),
                unshown="what became of the card is listed",
                whose="subject IN (SELECT id::text FROM giftcard WHERE member_id = $1)",
            ),
            Table(
                "giftcard",
                stripped("a card and its value are the bearer's, whoever that is", member_id="NULL", bound_at="NULL"),
                Shown(
                    title="绑定的礼品卡",
                    columns={"last4": "卡号末四位", "state": "状态", "bound_at": "绑定时间", "valid_until": "有效至"},
                    key=("id",),
                ),
            ),
        ),
        moves=(MovingTable("giftcard"),),
        stays=("giftcard_change",),
    )
)
