"""Who registers is judged by the chain's policy; staff decide what waits, one or many at a time."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import msgspec

from backend.auth import queries as auth
from backend.auth.types import SESSION_CHECK, StaffCaller
from backend.kernel import clock, db, events, ids, live, logging, trail
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import FieldError, NotFound, ValidationFailed
from backend.kernel.vault import vault
from backend.members import joins
from backend.members import queries as members
from backend.members import service as member_service
from backend.members.events import MemberRegistered
from backend.members.types import Actor, AttributeCondition, Reach, Status

from .. import service
from ..errors import ApplicationDecided, PolicyChanged
from ..events import RegistrationApproved, RegistrationRejected
from ..queries import applications as queries
from ..queries import imports
from ..rules import policy as rules
from ..types import Application, ApplicationState, Decision, Outcome, Policy

log = logging.get(__name__)

_STATUS = {Outcome.APPROVE: Status.ACTIVE, Outcome.QUEUE: Status.PENDING, Outcome.REJECT: Status.NONE}
_STATE = {
    Status.ACTIVE: ApplicationState.APPROVED,
    Status.PENDING: ApplicationState.PENDING,
    Status.NONE: ApplicationState.REJECTED,
}


def occasion(applicant: joins.Applicant) -> rules.Occasion:
    """Somebody who registers now."""
    local = clock.now().astimezone(clock.zone(settings().timezone))
    return rules.Occasion(applicant, local.date(), local.hour)


class ByPolicy:
    """Judges by the policy that staff have set, and writes each application down."""

    async def judge(self, applicant: joins.Applicant) -> joins.Verdict:
        """What somebody who is new, or was refused before, begins with."""
        policy = await queries.policy()
        said = rules.decide(policy, occasion(applicant))
        return joins.Verdict(_STATUS[said.outcome], said.reason, said.rule, policy.version)

    async def applied(
        self, tx: Tx, member_id: int, applicant: joins.Applicant, verdict: joins.Verdict | None, kept_name: str | None
    ) -> None:
        """Write down that somebody registered, and what became of it."""
        state = ApplicationState.APPROVED if verdict is None else _STATE[verdict.status]
        now = clock.now()
        await db.raw(tx).execute(
            "INSERT INTO registration_application (id, member_id, identity_id, channel, store_id, referred, state,"
            " rule, policy_version, reason, claimed, name_sealed, applied_at, decided_at)"
            " VALUES ($1, $2, $3, $4, (SELECT store_id FROM member WHERE id = $2), $5, $6, $7, $8, $9, $10,"
            " $11, $12, $13)",
            ids.new_short("RA"),
            member_id,
            applicant.identity_id,
            applicant.channel.value,
            applicant.referred,
            state.value,
            verdict.rule if verdict else None,
            verdict.version if verdict else None,
            verdict.reason if verdict else None,
            verdict is None,
            vault().seal(applicant.name.encode(), context=queries.NAME_CONTEXT) if kept_name else None,
            now,
            None if state is ApplicationState.PENDING else now,
        )
        if verdict is None:
            await imports.note_claim(tx, member_id, now)

    async def decided(self, tx: Tx, member_id: int, status: Status, staff_id: int, reason: str | None) -> None:
        """Write down what staff decided about whom waits."""
        for row in await queries.lock_pending(tx, member_id):
            state = ApplicationState.REJECTED if status is Status.NONE else ApplicationState.APPROVED
            await _close(tx, row["id"], state, staff_id, reason)
        await _tell(tx, member_id, status)


joins.judged_by(ByPolicy())


async def _close(tx: Tx, application_id: str, state: ApplicationState, staff_id: int, reason: str | None) -> None:
    await db.raw(tx).execute(
        "UPDATE registration_application SET state = $2, decided_by = $3, decided_at = $4, reason = $5 WHERE id = $1",
        application_id,
        state.value,
        staff_id,
        clock.now(),
        reason,
    )


async def _tell(tx: Tx, member_id: int, status: Status) -> None:
    kind = RegistrationRejected if status is Status.NONE else RegistrationApproved
    await events.publish(tx, kind(member_id=member_id))


async def set_policy(policy: Policy, caller: StaffCaller) -> Policy:
    """Let this be the policy from now on; ``policy.version`` is the one that was read."""
    await check_policy(policy)
    try:
        async with db.transaction() as tx:
            now = await queries.read_policy()
            if now.version != policy.version:
                raise PolicyChanged
            await db.raw(tx).execute(
                "INSERT INTO registration_policy (version, mode, rules, otherwise, otherwise_reason, staff_id, at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7)",
                policy.version + 1,
                policy.mode.value,
                msgspec.json.encode(policy.rules).decode(),
                policy.otherwise.value,
                policy.otherwise_reason,
                caller.staff_id,
                clock.now(),
            )
            trail.named("registration-policy")
            trail.changed("set", "mode", "rules")
    except asyncpg.UniqueViolationError:  # two at once
        raise PolicyChanged from None
    queries.forget_policy()
    return await queries.read_policy()


async def check_policy(policy: Policy, pointer: str = "") -> None:
    """``ValidationFailed`` names what is wrong with a policy, below that place of the body."""
    wrong = [FieldError(f"{pointer}{flaw.pointer}", flaw.message) for flaw in rules.flaws(policy)]
    known = {store.id for store in await auth.list_stores()}
    for place, rule in enumerate(policy.rules):
        at = f"{pointer}/rules/{place}/when"
        wrong += [
            FieldError(f"{at}/store_ids/{index}", "there is no such store")
            for index, store_id in enumerate(rule.when.store_ids or ())
            if store_id not in known
        ]
        for code, values in (rule.when.attributes or {}).items():
            condition = AttributeCondition(code=code, any_of=tuple(values))
            flaws = await members.wrong_conditions([condition], Reach.MEMBER, None, pointer=at)
            wrong += [FieldError(f"{at}/attributes/{code}", flaw.message) for flaw in flaws]
    if wrong:
        raise ValidationFailed(f"{wrong[0].pointer}: {wrong[0].message}", errors=tuple(wrong))


def simulate(policy: Policy, applicant: joins.Applicant, hour: int | None) -> Decision:
    """What would become of somebody who registers now, or in that hour of today."""
    now = occasion(applicant)
    return rules.decide(policy, now if hour is None else msgspec.structs.replace(now, hour=hour))


async def get_application(application_id: str, caller: StaffCaller) -> Application:
    """An application that this person may see; ``NotFound`` for any other."""
    found = await queries.get_application(application_id)
    if not caller.reaches(found.store_id):
        raise NotFound("there is no such application")
    return found


async def decide(application_id: str, *, approve: bool, reason: str | None, caller: StaffCaller) -> Application:
    """Let somebody who waits in, or refuse them; repeated, it changes nothing. ``ApplicationDecided`` for the other."""
    found = await get_application(application_id, caller)
    wanted = ApplicationState.APPROVED if approve else ApplicationState.REJECTED
    async with db.transaction() as tx:
        (held,) = await member_service.lock_held(tx, [found.member_id])
        row = (await db.fetch_in(tx, f"{queries.APPLICATION} WHERE id = $1 FOR UPDATE", application_id))[0]
        state = ApplicationState(row["state"])
        if state is not ApplicationState.PENDING or held.status is not Status.PENDING:
            if state is wanted:
                return queries.application_of(row)
            raise ApplicationDecided(f"the application is {state.value}")
        target = held.validity.status_of(Status.ACTIVE, service.today()) if approve else Status.NONE
        await member_service.set_status(tx, held.member_id, target, by=Actor.staff(caller.staff_id), reason=reason)
        await _close(tx, application_id, wanted, caller.staff_id, reason)
        await _tell(tx, held.member_id, target)
        if approve:
            await events.publish(tx, MemberRegistered(member_id=held.member_id))
        trail.named(application_id)
    live.push(found.member_id, SESSION_CHECK, {})
    log.info("registration.decided", member_id=found.member_id, approved=approve, staff_id=caller.staff_id)
    return await queries.get_application(application_id)


async def decide_many(
    application_ids: Sequence[str], *, approve: bool, reason: str | None, caller: StaffCaller
) -> dict[str, str]:
    """The same for many, each for itself; what became of each: the state it is in, or the code of its refusal."""
    results: dict[str, str] = {}
    for application_id in application_ids:
        try:
            done = await decide(application_id, approve=approve, reason=reason, caller=caller)
            results[application_id] = done.state.value
        except (NotFound, ApplicationDecided) as refused:
            results[application_id] = refused.code
    return results
