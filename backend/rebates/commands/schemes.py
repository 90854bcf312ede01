"""Head office writes schemes, lets them count, changes and ends them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import msgspec

from backend.auth import queries as auth
from backend.auth.types import StaffCaller
from backend.groups import queries as groups
from backend.kernel import clock, db, ids, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import FieldError, NotFound, ValidationFailed
from backend.members import queries as members

from ..errors import RebateSchemeConflict
from ..queries import schemes as queries
from ..rules import periods
from ..schemas import ChangeSchemeIn, CloseSchemeIn, SchemeIn
from ..types import PeriodKind, Scheme, SchemeState, Terms

log = logging.get(__name__)


def today() -> date:
    """The chain's day."""
    return clock.local_date(clock.now(), settings().timezone)


async def get_scheme(scheme_id: str) -> Scheme:
    """A scheme; ``NotFound`` for none."""
    found = await queries.find_scheme(scheme_id)
    if found is None:
        raise NotFound("there is no such scheme")
    return found


async def create(body: SchemeIn, caller: StaffCaller) -> Scheme:
    """Write a scheme, as a draft."""
    await _check(body.terms, body.first_on, body.last_on)
    scheme_id, now = ids.new_short("RS"), clock.now()
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO rebate_scheme (id, title, period, state, first_on, last_on, version, staff_id, created_at)"
            " VALUES ($1, $2, $3, 'draft', $4, $5, 1, $6, $7)",
            scheme_id,
            body.title,
            body.period.value,
            body.first_on,
            body.last_on,
            caller.staff_id,
            now,
        )
        await _write_version(tx, scheme_id, 1, _begins(body.period, body.first_on), body.terms, caller)
        await queries.changes.note(tx, scheme_id, caller.staff_id, "create", {"version": 1}, now)
    return await get_scheme(scheme_id)


async def change(scheme_id: str, body: ChangeSchemeIn, caller: StaffCaller) -> Scheme:
    """Give a scheme other terms: a draft at once, a living one from the next period or the current one's beginning on.

    ``RebateSchemeConflict`` where somebody else changed it meanwhile, or it is closed.
    """
    if wrong := await _unknown(body.terms):
        raise ValidationFailed(f"{wrong[0].pointer}: {wrong[0].message}", errors=tuple(wrong))
    async with db.transaction() as tx:
        scheme = await _locked(tx, scheme_id, SchemeState.DRAFT, SchemeState.ACTIVE)
        if body.version != scheme.version:
            raise RebateSchemeConflict(f"the scheme is at version {scheme.version} now")
        draft = scheme.state is SchemeState.DRAFT
        if not draft and (body.first_on, body.last_on) != (None, None):
            raise ValidationFailed("a living scheme keeps its days", errors=(FieldError("/first_on", "is fixed"),))
        first, last = body.first_on or scheme.first_on, body.last_on if draft else scheme.last_on
        await _check(body.terms, first, last)
        since = _begins(scheme.period, first)
        if not draft:
            current = periods.period_of(scheme.period, today())
            following = current if body.counts_from == "current_period" else periods.after(current)
            since = max(since, following.first)
        await db.raw(tx).execute(
            "UPDATE rebate_scheme SET title = $2, first_on = $3, last_on = $4, version = version + 1 WHERE id = $1",
            scheme_id,
            body.title or scheme.title,
            first,
            last,
        )
        await _write_version(tx, scheme_id, scheme.version + 1, since, body.terms, caller)
        said = {"version": scheme.version + 1, "since": since.isoformat()}
        await queries.changes.note(tx, scheme_id, caller.staff_id, "change", said, clock.now())
    return await get_scheme(scheme_id)


async def activate(scheme_id: str, caller: StaffCaller) -> Scheme:
    """Let a draft count; repeated, it changes nothing. It cannot begin before the current period."""
    async with db.transaction() as tx:
        scheme = await _locked(tx, scheme_id, SchemeState.DRAFT, SchemeState.ACTIVE)
        if scheme.state is SchemeState.DRAFT:
            if scheme.first_on < periods.period_of(scheme.period, today()).first:
                raise RebateSchemeConflict("it would begin before the current period")
            if scheme.last_on is not None and scheme.last_on < today():
                raise RebateSchemeConflict("its last day is over")
            live = await db.fetch_in(tx, "SELECT count(*) AS live FROM rebate_scheme WHERE state = 'active'")
            if live[0]["live"] >= queries.MOST_SCHEMES:
                raise RebateSchemeConflict(f"{queries.MOST_SCHEMES} schemes live already")
            current = periods.period_of(scheme.period, today())
            if len(await queries.list_applied(current)) >= queries.MOST_APPLIED:
                raise RebateSchemeConflict(f"{queries.MOST_APPLIED} schemes count in {periods.title(current)} already")
            await _move(tx, scheme, SchemeState.ACTIVE, scheme.last_on, caller)
    return await get_scheme(scheme_id)


async def close(scheme_id: str, body: CloseSchemeIn, caller: StaffCaller) -> Scheme:
    """Let a scheme count for purchases up to a day, the last one of the current period where none is said.

    The statement of the period in which that day lies is its last, and pays however little there is. One that has not
    begun becomes a draft again.
    """
    async with db.transaction() as tx:
        scheme = await _locked(tx, scheme_id, SchemeState.ACTIVE)
        current = periods.period_of(scheme.period, today())
        last = body.last_on or min(current.last, scheme.last_on or current.last)
        if body.last_on is not None and not clock.is_told(body.last_on):
            raise ValidationFailed("there is no such day", errors=(FieldError("/last_on", "is out of range"),))
        if body.last_on is not None and body.last_on < today():
            raise ValidationFailed("the day is over", errors=(FieldError("/last_on", "lies in the past"),))
        if scheme.last_on is not None and last > scheme.last_on:
            raise ValidationFailed("it ends before", errors=(FieldError("/last_on", "is after its last day"),))
        if last < scheme.first_on:
            await _move(tx, scheme, SchemeState.DRAFT, scheme.last_on, caller)
        else:
            await _move(tx, scheme, SchemeState.CLOSED, last, caller)
    return await get_scheme(scheme_id)


async def _move(tx: Tx, scheme: Scheme, state: SchemeState, last: date | None, caller: StaffCaller) -> None:
    await db.raw(tx).execute(
        "UPDATE rebate_scheme SET state = $2, last_on = $3 WHERE id = $1", scheme.id, state.value, last
    )
    said = {"last_on": last.isoformat() if last else None}
    await queries.changes.note(tx, scheme.id, caller.staff_id, state.value, said, clock.now())
    log.info("rebates.scheme_moved", scheme_id=scheme.id, state=state.value)


async def _locked(tx: Tx, scheme_id: str, *states: SchemeState) -> Scheme:
    scheme = await queries.lock_scheme(tx, scheme_id)
    if scheme is None:
        raise NotFound("there is no such scheme")
    if scheme.state not in states:
        raise RebateSchemeConflict(f"the scheme is {scheme.state.value}")
    return scheme


async def _write_version(tx: Tx, scheme_id: str, version: int, since: date, terms: Terms, caller: StaffCaller) -> None:
    await db.raw(tx).execute(
        "INSERT INTO rebate_scheme_version (scheme_id, version, since, terms, staff_id, at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        scheme_id,
        version,
        since,
        msgspec.json.encode(terms).decode(),
        caller.staff_id,
        clock.now(),
    )


def _begins(kind: PeriodKind, first_on: date) -> date:
    """The first day of the period in which a scheme begins."""
    return periods.period_of(kind, first_on).first


async def _check(terms: Terms, first: date, last: date | None) -> None:
    wrong: list[FieldError] = []
    if not clock.is_told(first, *((last,) if last else ())):
        wrong.append(FieldError("/first_on", "is out of range"))
    elif last is not None and last < first:
        wrong.append(FieldError("/last_on", "is before the first day"))
    wrong += [
        FieldError(f"/terms/tiers/{place}/from_fen", "must be more than that of the tier before")
        for place in range(1, len(terms.tiers))
        if terms.tiers[place].from_fen <= terms.tiers[place - 1].from_fen
    ]
    if not any(tier.rate_bp for tier in terms.tiers):
        wrong.append(FieldError("/terms/tiers/0/rate_bp", "gives nothing"))
    if terms.cap_fen is not None and terms.cap_fen < terms.min_payout_fen:
        wrong.append(FieldError("/terms/cap_fen", "is less than the least that is paid"))
    if len(set(terms.counts)) < len(terms.counts):
        wrong.append(FieldError("/terms/counts", "names something twice"))
    wrong += await _unknown(terms)
    if wrong:
        raise ValidationFailed(f"{wrong[0].pointer}: {wrong[0].message}", errors=tuple(wrong))


async def _unknown(terms: Terms) -> list[FieldError]:
    """Names of stores, levels and groups that there are not."""
    wrong: list[FieldError] = []
    if terms.stores or terms.not_stores:
        stores = {store.id for store in await auth.list_stores()}
        wrong += _missing("stores", terms.stores, stores, "store") + _missing(
            "not_stores", terms.not_stores, stores, "store"
        )
    if terms.levels:
        members.forget_levels()
        wrong += _missing("levels", terms.levels, await members.levels(), "level")
    for place, group_id in enumerate(terms.groups):
        if await groups.find_group(group_id) is None:
            wrong.append(FieldError(f"/terms/groups/{place}", "there is no such group"))
    return wrong


def _missing(field: str, asked: Collection[str], known: Collection[str], what: str) -> list[FieldError]:
    return [
        FieldError(f"/terms/{field}/{place}", f"there is no such {what}")
        for place, one in enumerate(asked)
        if one not in known
    ]
