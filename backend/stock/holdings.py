"""What is held of a member here: sales that are about to be taken from stock."""

from __future__ import annotations

from backend.members.holding import Holding, Table, holds, kept

HOLDING = holds(
    Holding(
        name="stock",
        title="库存",
        tables=(
            Table(
                "stock_due", kept("a sale about to be taken from stock, within a minute"), unshown="gone in a minute"
            ),
        ),
        stays=("stock_due",),
    )
)
