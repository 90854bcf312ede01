"""Kinds of approvals, and approvals as they stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from backend.auth.types import Permission
from backend.kernel.db import Tx


class ApprovalState(StrEnum):
    """How far a request is."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """One request; ``body`` is what its kind applies, as JSON. Who asked and who decided are staff ids."""

    id: str
    kind: str
    state: ApprovalState
    store_id: str | None
    summary: str
    reason: str
    body: msgspec.Raw
    asked_by: int
    asked_at: datetime
    expires_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    note: str


class Alone(msgspec.Struct, frozen=True):
    """So much of something that one person wants to decide alone, of which they may ``most`` on a day of the chain."""

    what: str
    amount: int
    most: int


Apply = Callable[[Tx, Any, Approval], Awaitable[None]]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """Something that needs a second person.

    Args:
        code: its name for good; stored with every request.
        title: what staff read.
        permission: who may decide: people who hold it and reach the request's store.
        body: the struct that a request carries: ids and amounts, no personal data. It is read again by later releases,
            so a field that is added needs a default.
        apply: ``async def apply(tx, body, approval)`` does it, on the deciding transaction, after the approval's own
            row was locked; ``approval.decided_by`` is who approves. What it raises is the answer to them, and the
            request stays waiting.
        reject: the same of a request that is rejected: what was asked for is refused with it, in that transaction.
            None: nothing follows.
    """

    code: str
    title: str
    permission: Permission
    body: type[msgspec.Struct]
    apply: Apply
    reject: Apply | None = None
