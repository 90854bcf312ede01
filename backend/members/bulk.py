"""What can be changed of many members at once: domains say it here, ``registration`` does it as a job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from backend.auth.types import Permission, StaffCaller
from backend.kernel.db import Tx

UNCHANGED = "unchanged"
"""What became of a member who was as asked already."""


class BulkBy(msgspec.Struct, frozen=True, kw_only=True):
    """Who asked for a change of many, in which batch, and why."""

    staff_id: int
    batch_id: str
    reason: str


Check = Callable[[Any, StaffCaller], Awaitable[None]]
Words = Callable[[Any], str]
Apply = Callable[[Tx, Sequence[int], Any, BulkBy], Awaitable[Mapping[int, str]]]


def _nothing_more(_body: Any) -> str:
    return ""


class BulkChange(msgspec.Struct, frozen=True, kw_only=True):
    """Something that staff may change of many members by a filter.

    Args:
        code: its name for good; stored with every batch.
        title: what staff read.
        permission: who may ask for it and decide it, besides the permission to change many at all.
        body: the struct of what is to be changed; a field that is added needs a default.
        check: refuses a body that cannot be done, with ``ValidationFailed`` that points below ``/change``.
        apply: ``async def apply(tx, member_ids, body, by)`` changes at most 500 members, ids ascending, on the batch's
            transaction; it locks them itself, and answers by member with a code for everybody whom it left as they
            were: ``unchanged``, or why. It must not raise for one of them: the others would wait for ever.
        words: what a body asks for, in Chinese, for whoever approves it; "" where the title says all.
    """

    code: str
    title: str
    permission: Permission
    body: type[msgspec.Struct]
    check: Check
    apply: Apply
    words: Words = _nothing_more

    def named(self, body: Any) -> str:
        """The change as people read it: what, and how."""
        more = self.words(body)
        return f"{self.title}（{more}）" if more else self.title


_changes: dict[str, BulkChange] = {}


def declare(*changes: BulkChange) -> None:
    """Make changes known; a domain does it when its ``handlers`` are imported. Two of one code are a mistake."""
    for change in changes:
        if _changes.setdefault(change.code, change) is not change:
            raise TypeError(f"two changes of many are called {change.code}")


def find(code: str) -> BulkChange | None:
    """The change of that code; None where no domain of this release declares it."""
    return _changes.get(code)


def every() -> list[BulkChange]:
    """All changes, by title."""
    return sorted(_changes.values(), key=lambda change: change.title)
