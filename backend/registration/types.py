"""Batches of changes, policies of registration and applications, as they stand."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.members.joins import Channel


class BatchState(StrEnum):
    """How far a batch is; ``waiting``: for a second person; ``failed``: given up until somebody has it go on."""

    WAITING = "waiting"
    RUNNING = "running"
    FAILED = "failed"
    DONE = "done"
    CANCELLED = "cancelled"


class MemberBatch(msgspec.Struct, frozen=True, kw_only=True):
    """One change of many members: ``meant`` many, of whom ``done`` were looked at and ``changed`` changed.

    ``change`` and ``audience`` are JSON, as they were asked for; ``store_id`` is the store of who asked.
    ``failed_row`` is the member who could not be changed at the last try.
    """

    id: str
    kind: str
    reason: str
    state: BatchState
    change: msgspec.Raw
    audience: msgspec.Raw
    meant: int
    done: int
    changed: int
    staff_id: int
    store_id: str | None
    approval_id: str | None
    failed_row: int | None
    failure: str | None
    created_at: datetime
    ended_at: datetime | None


class BatchRow(msgspec.Struct, frozen=True):
    """A member of a batch; ``result``: ``changed``, ``unchanged``, why not, or None while it is still to come."""

    member_id: int
    result: str | None


class Mode(StrEnum):
    """What happens to somebody who registers: a member at once, as rules say, or after staff looked."""

    AUTOMATIC = "automatic"
    RULES = "rules"
    QUEUE = "queue"


class Outcome(StrEnum):
    """What a rule says: a member at once, let staff look, refuse."""

    APPROVE = "approve"
    QUEUE = "queue"
    REJECT = "reject"


class ApplicationState(StrEnum):
    """How far an application is."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


StoreId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}$(?!\n)")]
Age = Annotated[int, Meta(ge=0, le=150)]
Hour = Annotated[int, Meta(ge=0, le=24)]
Prefix = Annotated[str, Meta(pattern=r"^\+?[0-9]{1,11}$(?!\n)")]
AttributeCode = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$(?!\n)")]
AttributeValue = Annotated[str, Meta(max_length=200)] | Annotated[int, Meta(ge=-(10**15), le=10**15)] | bool


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Of whom a rule speaks: everything that is given must hold; what is not known of somebody does not.

    ``store_ids``: the home store; ``referred``: named another member; ages in whole years, both included; ``hour_from``
    to before ``hour_to``, of the chain's day, over midnight too; ``attributes``: any of the values.
    """

    channels: Annotated[tuple[Channel, ...], Meta(min_length=1, max_length=3)] | None = None
    store_ids: Annotated[tuple[StoreId, ...], Meta(min_length=1, max_length=200)] | None = None
    referred: bool | None = None
    age_from: Age | None = None
    age_to: Age | None = None
    phone_prefixes: Annotated[tuple[Prefix, ...], Meta(min_length=1, max_length=200)] | None = None
    hour_from: Hour | None = None
    hour_to: Hour | None = None
    attributes: (
        Annotated[
            dict[AttributeCode, Annotated[list[AttributeValue], Meta(min_length=1, max_length=50)]],
            Meta(min_length=1, max_length=10),
        ]
        | None
    ) = None


RuleTitle = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
RuleReason = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One rule: whom it speaks of, and what becomes of them; ``reason`` is what a refused applicant reads."""

    title: RuleTitle
    when: When
    outcome: Outcome
    reason: RuleReason | None = None


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of who registers. In mode ``rules`` the first that speaks of them decides, else ``otherwise``."""

    version: int
    mode: Mode
    rules: tuple[Rule, ...] = ()
    otherwise: Outcome = Outcome.QUEUE
    otherwise_reason: str | None = None
    at: datetime | None = None
    staff_id: int | None = None


class Decision(msgspec.Struct, frozen=True):
    """What a policy says of somebody: by which rule (None: no rule), and what of each rule before did not hold."""

    outcome: Outcome
    rule: str | None
    reason: str | None
    failed: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """One try to register. ``rule`` is what decided, ``claimed`` whether they became a member who was there already.

    ``name_given``: where that member has another name.
    """

    id: str
    member_id: int
    channel: Channel
    store_id: str | None
    referred: bool
    state: ApplicationState
    rule: str | None
    policy_version: int | None
    reason: str | None
    claimed: bool
    name_given: str | None
    decided_by: int | None
    applied_at: datetime
    decided_at: datetime | None


class ImportState(StrEnum):
    """How far an import is: taken in, read, found good, with a second person, written; given up until it is resumed."""

    WAITING = "waiting"
    READING = "reading"
    CHECKED = "checked"
    APPROVING = "approving"
    WRITING = "writing"
    FAILED = "failed"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """A table of members that staff sent: ``total`` rows, ``good`` and ``bad`` ones; ``done`` of the good, ``made``.

    ``points``, ``principal_fen`` and ``bonus_fen`` are what its good rows open with, together. ``dry_run``: nothing is
    written until somebody starts it. ``failed_row`` could not be written at the last try.
    """

    id: str
    title: str
    kind: str
    skip_bad: bool
    dry_run: bool
    state: ImportState
    total: int
    good: int
    bad: int
    done: int
    made: int
    points: int
    principal_fen: int
    bonus_fen: int
    staff_id: int
    approval_id: str | None
    failed_row: int | None
    failure: str | None
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
