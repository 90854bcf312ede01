"""What is held of a member here: who of the staff looked at them."""

from __future__ import annotations

from backend.members.holding import Holding, Shown, Table, holds, kept

HOLDING = holds(
    Holding(
        name="contact",
        title="查阅记录",
        tables=(
            Table(
                "contact_look",
                kept("who looked at whom: what misuse is found by; numbers only, and for a time"),
                Shown(
                    title="员工查阅记录",
                    columns={"at": "时间", "by": "方式", "view": "内容"},
                    key=("at", "id"),
                ),
            ),
        ),
        stays=("contact_look",),
    )
)
