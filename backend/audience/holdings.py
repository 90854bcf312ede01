"""What is held of a member here: what they bought, by article, for choosing whom a message is for."""

from __future__ import annotations

from backend.members.holding import DELETED, Holding, Shown, Table, holds

HOLDING = holds(
    Holding(
        name="audience",
        title="购买概况",
        tables=(
            Table(
                "audience_bought",
                DELETED,
                Shown(
                    title="买过的商品",
                    columns={"sku": "商品", "pieces": "件数", "times": "次数", "last_on": "最近一次"},
                    key=("sku",),
                ),
            ),
            Table("audience_sale", DELETED, unshown="what was counted already; the sales are among the documents"),
        ),
    )
)
