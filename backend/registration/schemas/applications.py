"""Bodies and answers of registrations: the policy, what waits, and the applicant's own view."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.members.joins import Channel

from ..types import ApplicationState, AttributeCode, AttributeValue, Hour, Mode, Outcome, Rule, RuleReason, StoreId
from .batches import Cursor

Rules = Annotated[tuple[Rule, ...], Meta(max_length=50)]
ApplicationId = Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[0-9A-Za-z]+$(?!\n)")]


class PolicyIn(Body, frozen=True):
    """What becomes of who registers; ``version`` is the one that was read."""

    version: Annotated[int, Meta(ge=0, le=10**9)]
    mode: Mode
    rules: Rules = ()
    otherwise: Outcome = Outcome.QUEUE
    otherwise_reason: RuleReason | None = None


class PolicyOut(msgspec.Struct):
    """What becomes of who registers; ``version`` 0: as the setting says, nobody has set one."""

    version: int
    mode: Mode
    rules: Rules
    otherwise: Outcome
    otherwise_reason: str | None
    at: datetime | None
    staff_name: str | None


class PoliciesOut(msgspec.Struct):
    """What the policy said, newest first."""

    items: list[PolicyOut]


class SimulateIn(Body, frozen=True):
    """Somebody who might register; with ``policy`` by that one, else by the one that holds."""

    phone: Annotated[str, Meta(pattern=r"^\+?[0-9]{6,15}$(?!\n)")]
    channel: Channel = Channel.PHONE
    birthday: date | None = None
    store_id: StoreId | None = None
    referred: bool = False
    hour: Hour | None = None
    attributes: Annotated[dict[AttributeCode, AttributeValue], Meta(max_length=50)] = msgspec.field(
        default_factory=dict
    )
    policy: PolicyIn | None = None


class UnmetOut(msgspec.Struct):
    """A rule that did not speak of them, and its conditions that did not hold."""

    rule: str
    unmet: list[str]


class SimulatedOut(msgspec.Struct):
    """What would become of them, by which rule (None: by none), and why not by those before it."""

    outcome: Outcome
    rule: str | None
    reason: str | None
    before: list[UnmetOut]


class ApplicationsQuery(Body, frozen=True):
    """Which applications; ``conflict``: those who gave another name than the member has whom they became."""

    state: ApplicationState | None = None
    channel: Channel | None = None
    store_id: StoreId | None = None
    conflict: bool = False
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class ApplicationOut(msgspec.Struct, kw_only=True):
    """One try to register, and who it is."""

    id: str
    member_id: str
    member_no: str
    name: str
    phone_masked: str
    birthday: date | None
    channel: Channel
    store_id: str | None
    referred: bool
    state: ApplicationState
    rule: str | None
    policy_version: int | None
    reason: str | None
    claimed: bool
    name_given: str | None
    decided_by_name: str | None
    applied_at: datetime
    decided_at: datetime | None


class ApplicationsOut(msgspec.Struct):
    """A page, newest first; ``pending`` counts what waits, ``next_cursor`` is None at the end."""

    items: list[ApplicationOut]
    pending: int
    next_cursor: str | None


class ApproveIn(Body, frozen=True):
    """A word for the history."""

    reason: RuleReason | None = None


class RejectIn(Body, frozen=True):
    """What the applicant reads."""

    reason: RuleReason


class DecideIn(Body, frozen=True):
    """Many at once; ``reason`` is needed to refuse."""

    application_ids: Annotated[tuple[ApplicationId, ...], Meta(min_length=1, max_length=100)]
    approve: bool
    reason: RuleReason | None = None


class DecidedOut(msgspec.Struct):
    """What became of each: the state it is in, or the code of its refusal."""

    results: dict[str, str]


class OwnOut(msgspec.Struct):
    """How far the caller's registration is; ``reason`` says why it was refused.

    ``claimed``: the caller became a member who was there already; ``name_kept`` is that member's name, where the caller
    had given another.
    """

    state: str
    reason: str | None = None
    applied_at: datetime | None = None
    claimed: bool = False
    name_kept: str | None = None
