"""A till asks, and its member confirms (public)."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime

from backend.auth import queries as auth
from backend.auth.service import hash_secret, matches
from backend.kernel import db, ids, jobs, limits, live, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, NotFound, RateLimited
from backend.kernel.vault import vault
from backend.membercards import service as membercards
from backend.members import queries as members
from backend.members import service as member_service
from backend.members.errors import PinInvalid, PinLocked, PinResetRequired
from backend.members.types import Status
from backend.messages import service as messages

from . import queries, rules
from .errors import IdentityCodeInvalid, IdentityCodeLocked, IdentityDecided, IdentitySmsUnavailable
from .types import Request, RequestState, Rights, Way

log = logging.get(__name__)

JOB = "identities.send_code"
CODE_CONTEXT = "identity_request.code"
"""The vault's context of codes that wait to be sent, and of their digests."""

_dummy: list[str] = []


async def ask(way: Way, number: str, *, terminal_id: str, store_id: str, store_name: str, now: datetime) -> Request:
    """Ask who has this number. Whether anybody has, is said by nobody but the one who has it.

    Raises ``RateLimited`` for a terminal that asks too often.
    """
    await limits.hit(f"identify:{terminal_id}", rules.TERMINAL_ASKS, rules.TERMINAL_WINDOW_S)
    member_id = await _find(way, number)
    request_id = ids.new_bigint()
    await db.pool().execute(
        "INSERT INTO identity_request (id, terminal_id, store_id, way, member_id, state, at, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, 'waiting', $6, $7)",
        *(request_id, terminal_id, store_id, way.value, member_id, now, now + rules.CONFIRM_WITHIN),
    )
    found = await queries.find_request(request_id, terminal_id, now)
    assert found is not None
    if member_id is not None:
        data = {"id": str(request_id), "store": {"id": store_id, "name": store_name}}
        live.push(member_id, "identity_requested", data | {"expires_at": found.expires_at.isoformat()})
    log.info("identities.asked", terminal_id=terminal_id, way=way.value)
    return found


async def _find(way: Way, number: str) -> int | None:
    """The active member with this number; None also for one who is being asked too often."""
    if way is Way.PHONE:
        member_id = await members.find_id_by_phone(number)
    elif way is Way.DOCUMENT:
        normal = rules.normal_document(number)
        member_id = await queries.find_by_document(normal) if normal else None
    else:
        member_id = await _by_card(number)
    found = await members.find_member(member_id) if member_id is not None else None
    if found is None or found.status is not Status.ACTIVE:
        return None
    try:
        await limits.hit(f"identified:{found.id}", rules.MEMBER_ASKS, rules.MEMBER_WINDOW_S)
    except RateLimited:
        log.warning("identities.asked_too_often", member_id=found.id)
        return None
    return found.id


async def _by_card(number: str) -> int | None:
    try:
        return (await membercards.find_member(number)).member_id
    except DomainError:
        return None


async def get(request_id: str, terminal_id: str, now: datetime) -> Request:
    """A request of this terminal as it stands; ``NotFound`` for none."""
    wanted = ids.read_bigint(request_id)
    found = await queries.find_request(wanted, terminal_id, now) if wanted else None
    if found is None:
        raise NotFound("there is no such request of this terminal")
    return found


async def confirm_by_pin(request: Request, pin: str, now: datetime) -> Request:
    """Confirm by the payment PIN, typed at the till by its member: then they may spend within the limits.

    Raises ``PinInvalid`` and ``PinLocked``, for a number that is nobody's too, for who has no PIN, and for whose PIN is
    locked: tries of other requests would say whose number it is. ``IdentityDecided``.
    """
    if request.state is not RequestState.WAITING:
        raise IdentityDecided
    tried = await db.fetchval(
        "UPDATE identity_request SET pin_tries = pin_tries + 1 WHERE id = $1 AND pin_tries < $2 RETURNING pin_tries",
        request.id,
        rules.PIN_TRIES,
    )
    if tried is None:
        raise PinLocked(retry_after_s=rules.seconds_until(request.expires_at, now))
    if request.member_id is None or not await members.has_pin(request.member_id):
        if not _dummy:
            _dummy.append(await hash_secret("000000"))
        await matches(_dummy[0], f"{request.id}:{pin}")  # as long as for somebody
        raise PinInvalid(rules.PIN_TRIES - tried)
    try:
        await member_service.check_pin(request.member_id, pin)
    except (PinInvalid, PinLocked, PinResetRequired):
        raise PinInvalid(rules.PIN_TRIES - tried) from None  # said alike of everybody
    return await _decide(request, RequestState.CONFIRMED, Rights.SPEND, now)


async def send_code(request: Request, purpose: Rights, now: datetime) -> Request:
    """Send a code by SMS to the request's member, to be read to this till, for that purpose; one of before is void.

    A number that is nobody's gets the same answer, in the same time: a job sends. Raises ``IdentitySmsUnavailable``,
    ``IdentityDecided``; ``IdentityCodeLocked`` within half a minute of the last code, or after the third: then until
    the request is over.
    """
    allowed = settings().identity_sms
    if not messages.sms_possible() or allowed == "off" or (purpose is Rights.SPEND and allowed != "spend"):
        raise IdentitySmsUnavailable
    code = f"{secrets.randbelow(10**6):06}"
    async with db.transaction() as tx:
        rows = await db.fetch_in(
            tx,
            "UPDATE identity_request SET code_for = $2, code_digest = $3, code_sealed = $4, code_at = $5,"
            " codes = codes + 1, expires_at = $6 WHERE id = $1 AND state = 'waiting' AND expires_at > $5"
            " AND codes < $7 AND (code_at IS NULL OR code_at <= $8) RETURNING codes",
            *(request.id, purpose.value, _code_digest(request.id, purpose, code)),
            *(vault().seal(code.encode(), context=CODE_CONTEXT), now, now + rules.CODE_FOR),
            *(rules.CODES, now - rules.CODE_AGAIN),
        )
        if not rows:
            raise await _no_code(tx, request, now)
        await jobs.defer(tx, JOB, urgent=True, request_id=str(request.id), number=rows[0]["codes"])
    log.info("identities.code_asked", terminal_id=request.terminal_id, purpose=purpose.value)
    return await get(str(request.id), request.terminal_id, now)


async def _no_code(tx: Tx, request: Request, now: datetime) -> DomainError:
    """Why a request is sent no code now."""
    (row,) = await db.fetch_in(
        tx, "SELECT state, codes, code_at, expires_at FROM identity_request WHERE id = $1", request.id
    )
    if row["state"] != RequestState.WAITING or row["expires_at"] <= now:
        return IdentityDecided()
    again_at = rules.next_code_at(row["codes"], row["code_at"], row["expires_at"])
    return IdentityCodeLocked(retry_after_s=rules.seconds_until(again_at, now))


async def deliver_code(request_id: int, number: int, now: datetime) -> None:
    """Hand the request's code to the gateway, unless it was decided or another one was asked for meanwhile."""
    row = await db.fetchrow(
        "SELECT member_id, store_id, code_for, code_sealed FROM identity_request WHERE id = $1 AND codes = $2"
        " AND state = 'waiting' AND expires_at > $3 AND code_sealed IS NOT NULL",
        *(request_id, number, now),
    )
    if row is None:
        return
    if row["member_id"] is not None and await _may_be_sent(row["member_id"], now):
        store = await auth.get_store(row["store_id"])
        code = vault().open(row["code_sealed"], context=CODE_CONTEXT).decode()
        text = rules.code_text(code, store.name, spends=row["code_for"] == Rights.SPEND)
        await messages.send_sms(f"{request_id}.{number}-sms", row["member_id"], text)
    await db.pool().execute(
        "UPDATE identity_request SET code_sealed = NULL WHERE id = $1 AND codes = $2", request_id, number
    )


async def _may_be_sent(member_id: int, now: datetime) -> bool:
    """Whether no more codes were asked for in an hour than a member is sent.

    Codes are counted, not tries: a gateway that is down for some seconds costs nobody the rest of their hour.
    """
    if await queries.count_codes(member_id, now - rules.MEMBER_CODES_WINDOW) <= rules.MEMBER_CODES:
        return True
    log.warning("identities.too_many_codes", member_id=member_id)
    return False


def _code_digest(request_id: int, purpose: Rights, code: str) -> str:
    return vault().blind_index(f"{request_id}:{purpose.value}:{code}", context=CODE_CONTEXT)


async def confirm_by_code(request: Request, code: str, now: datetime) -> Request:
    """Confirm by the code that the member was sent and read out: good once, at this till, for what it was asked for.

    Raises ``IdentityCodeInvalid``, after five tries ``IdentityCodeLocked``, ``IdentityDecided``.
    """
    if request.state is not RequestState.WAITING:
        raise IdentityDecided
    row = await db.fetchrow(
        "UPDATE identity_request SET code_tries = code_tries + 1 WHERE id = $1 AND code_tries < $2"
        " RETURNING member_id, code_for, code_digest, code_at, code_tries",
        *(request.id, rules.CODE_TRIES),
    )
    if row is None:
        raise IdentityCodeLocked(retry_after_s=rules.seconds_until(request.expires_at, now))
    purpose = Rights(row["code_for"] or Rights.EARN)
    right = hmac.compare_digest(row["code_digest"] or "", _code_digest(request.id, purpose, code))
    live_code = row["code_at"] is not None and now < row["code_at"] + rules.CODE_FOR
    if not (right and live_code and row["member_id"] is not None):
        raise IdentityCodeInvalid(rules.CODE_TRIES - row["code_tries"])
    return await _decide(request, RequestState.CONFIRMED, purpose, now)


async def decide(request_id: str, member_id: int, *, approve: bool, pin: str | None, now: datetime) -> Request:
    """The member's answer on the phone: with the PIN they may spend within the limits, without it earn.

    Raises ``NotFound``, ``IdentityDecided``, ``PinInvalid``, ``PinLocked``.
    """
    wanted = ids.read_bigint(request_id)
    row = await db.fetchrow(
        "SELECT id, terminal_id, store_id, way, member_id, state, rights, pin_tries, at, expires_at, decided_at"
        " FROM identity_request WHERE id = $1 AND member_id = $2",
        wanted or 0,
        member_id,
    )
    if row is None:
        raise NotFound("there is no such request")
    request = queries.request_of(row, now)
    if request.state is not RequestState.WAITING:
        raise IdentityDecided
    if not approve:
        return await _decide(request, RequestState.REJECTED, None, now)
    if pin is None:
        return await _decide(request, RequestState.CONFIRMED, Rights.EARN, now)
    if not await members.has_pin(member_id):
        raise PinInvalid(0)
    await member_service.check_pin(member_id, pin)
    return await _decide(request, RequestState.CONFIRMED, Rights.SPEND, now)


async def _decide(request: Request, state: RequestState, rights: Rights | None, now: datetime) -> Request:
    """Of several answers at once the first holds."""
    row = await db.fetchrow(
        "UPDATE identity_request SET state = $2, rights = $3, decided_at = $4 WHERE id = $1 AND state = 'waiting'"
        " AND expires_at > $4 RETURNING id, terminal_id, store_id, way, member_id, state, rights, pin_tries, at,"
        " expires_at, decided_at",
        *(request.id, state.value, rights.value if rights else None, now),
    )
    if row is None:
        raise IdentityDecided
    return queries.request_of(row, now)
