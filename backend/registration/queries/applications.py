"""The policy of registration, and applications as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from backend.kernel import db
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.kept import Kept
from backend.kernel.paging import Place
from backend.kernel.vault import vault
from backend.members.joins import Channel

from ..types import Application, ApplicationState, Mode, Outcome, Policy, Rule

NAME_CONTEXT = "registration_application.name"
POLICY_KEPT_S = 3.0
_rules = msgspec.json.Decoder(tuple[Rule, ...])
_POLICY = "SELECT version, mode, rules, otherwise, otherwise_reason, staff_id, at FROM registration_policy"
APPLICATION = (
    "SELECT id, member_id, channel, store_id, referred, state, rule, policy_version, reason, claimed, name_sealed,"
    " decided_by, applied_at, decided_at FROM registration_application"
)


def _policy(row: db.Record) -> Policy:
    return Policy(
        **dict(row)
        | {
            "mode": Mode(row["mode"]),
            "rules": _rules.decode(row["rules"]),
            "otherwise": Outcome(row["otherwise"]),
        }
    )


async def _set_policy() -> Policy | None:
    row = await db.fetchrow(f"{_POLICY} ORDER BY version DESC LIMIT 1")
    return _policy(row) if row is not None else None


def _unset_policy() -> Policy:
    """Before staff have set one, the setting says whether they look."""
    return Policy(version=0, mode=Mode.QUEUE if settings().registration_approval else Mode.AUTOMATIC)


async def read_policy() -> Policy:
    """The policy as it stands in the database."""
    return await _set_policy() or _unset_policy()


_kept = Kept(_set_policy, keep_s=POLICY_KEPT_S)


async def policy() -> Policy:
    """The policy, at most three seconds old."""
    return await _kept.get() or _unset_policy()


def forget_policy() -> None:
    """Read it again at the next question."""
    _kept.forget()


async def list_policies(limit: int) -> list[Policy]:
    """What the policy said, newest first."""
    return [_policy(row) for row in await db.fetch(f"{_POLICY} ORDER BY version DESC LIMIT $1", limit)]


def application_of(row: db.Record) -> Application:
    """An application from such a row."""
    fields = dict(row)
    sealed = fields.pop("name_sealed")
    name = vault().open(sealed, context=NAME_CONTEXT).decode() if sealed else None
    typed = {"channel": Channel(row["channel"]), "state": ApplicationState(row["state"]), "name_given": name}
    return Application(**fields | typed)


async def get_application(application_id: str) -> Application:
    """An application; ``NotFound`` for none."""
    row = await db.fetchrow(f"{APPLICATION} WHERE id = $1", application_id)
    if row is None:
        raise NotFound("there is no such application")
    return application_of(row)


async def find_of_identity(identity_id: int) -> Application | None:
    """The last application that somebody made with that WeChat account, or None."""
    row = await db.fetchrow(
        f"{APPLICATION} WHERE identity_id = $1 ORDER BY applied_at DESC, id DESC LIMIT 1", identity_id
    )
    return application_of(row) if row else None


async def made_since(member_id: int, channel: Channel, since: datetime) -> bool:
    """Whether somebody was made a member by that channel since then."""
    made: bool = await db.fetchval(
        "SELECT EXISTS (SELECT FROM registration_application WHERE member_id = $1 AND channel = $2 AND NOT claimed"
        " AND applied_at >= $3)",
        member_id,
        channel.value,
        since,
    )
    return made


async def list_applications(
    store_id: str | None,
    state: ApplicationState | None,
    *,
    channel: Channel | None = None,
    conflict: bool = False,
    before: Place | None,
    limit: int,
) -> list[Application]:
    """Applications, newest first; those of a store, in a state, by a channel, with another name than the member has."""
    conditions, given = ["true"], list[object]()

    def add(text: str, *values: object) -> None:
        for value in values:
            given.append(value)
            text = text.replace("$?", f"${len(given)}", 1)
        conditions.append(text)

    if store_id is not None:
        add("store_id = $?", store_id)
    if state is not None:
        conditions.append(f"state = '{state.value}'")  # in the text: the planner must see that few are pending
    if channel is not None:
        add("channel = $?", channel.value)
    if conflict:
        conditions.append("name_sealed IS NOT NULL")
    if before is not None:
        add("(applied_at, id) < ($?, $?)", *before)
    given.append(limit)
    rows = await db.fetch(
        f"{APPLICATION} WHERE {' AND '.join(conditions)} ORDER BY applied_at DESC, id DESC LIMIT ${len(given)}", *given
    )
    return [application_of(row) for row in rows]


async def count_pending(store_id: str | None) -> int:
    """How many wait for staff."""
    found = await db.fetchval(
        "SELECT count(*) FROM registration_application WHERE state = 'pending' AND ($1::text IS NULL OR store_id = $1)",
        store_id,
    )
    return int(found)


async def lock_pending(tx: Tx, member_id: int) -> Sequence[db.Record]:
    """What of a member waits, locked; the member is held already."""
    return await db.fetch_in(
        tx,
        f"{APPLICATION} WHERE member_id = $1 AND state = 'pending' ORDER BY applied_at DESC FOR UPDATE",
        member_id,
    )
