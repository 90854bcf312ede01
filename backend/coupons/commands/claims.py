"""A member claims a coupon: from the centre, by a link, or with a code.

Claims of one template that wait are issued together, in one transaction: its row, which counts what is left, is locked
once for many. What is gone is refused without asking the database at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

import asyncpg
import msgspec

from backend.auth.types import MemberCaller
from backend.kernel import clock, db, limits, logging
from backend.kernel.batching import Batcher
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, NotFound, Unavailable, invalid
from backend.kernel.http import Idempotency
from backend.kernel.vault import vault
from backend.ledger import queries as ledger
from backend.ledger.errors import IdempotencyConflict
from backend.ledger.plans import own_scope

from .. import codes, locks, queries, service
from ..errors import CouponCodeInvalid, CouponCodeUsed, CouponNotClaimable, CouponSoldOut
from ..plans import Wish
from ..queries import Standing
from ..records import ClaimBy, Template
from ..schemas import ClaimIn
from ..service import Issued, Outcome
from . import telling

log = logging.get(__name__)

GONE_KEPT_S = 1.0
"""How long a template that had none left is refused unasked; staff may raise its total."""

MOST_GONE = 1000
CODE_TRIES = 20
CODE_TRIES_S = 3600
CODE_CONTEXT = "coupon.code"
"""The vault's context of codes: what is stored of one cannot be tried without the key."""


class _Claim(msgspec.Struct, frozen=True):
    template_id: str
    wish: Wish


_gone: dict[str, float] = {}


async def claim(caller: MemberCaller, body: ClaimIn, idem: Idempotency) -> tuple[Standing, bool]:
    """Give the member the coupon that the body names, once per key; True for a retry, which gets the first one."""
    member_id = caller.member_id
    wish = Wish(
        member_id=member_id,
        coupon_id=service.new_coupon_id(member_id),
        source="code" if body.code is not None else "claim",
        scope=own_scope(member_id),
        key=idem.key,
        hash=idem.request_hash.hex(),
    )
    try:
        issued = await _issue(body, wish)
    except DomainError:
        again = await _first_answer(wish)
        if again is None:
            raise
        issued = again
    shown = await _show(issued.coupon_id)
    if not issued.replayed:
        made = shown.coupon
        telling.issued(member_id, made.id, made.template_id, shown.version.title, made.source)
    return shown, issued.replayed


async def _issue(body: ClaimIn, wish: Wish) -> Issued:
    if sum(given is not None for given in (body.template_id, body.share_token, body.code)) != 1:
        raise invalid("/template_id", "give one of template_id, share_token and code")
    if body.code is not None:
        return await _redeem(body.code, wish)
    return await submit((await _offered(body)).id, wish)


async def submit(template_id: str, wish: Wish) -> Issued:
    """Issue one coupon of a template together with whatever else waits for one; refused unasked where none is left."""
    if _gone.get(template_id, 0.0) > monotonic():
        raise CouponSoldOut
    return await _claims.submit(_Claim(template_id, wish))


async def _offered(body: ClaimIn) -> Template:
    if body.share_token is not None:
        found = await queries.find_by_share_token(body.share_token)
        ways: tuple[ClaimBy, ...] = (ClaimBy.CENTRE, ClaimBy.LINK)
    else:
        found, ways = (await queries.offered()).get(body.template_id or ""), (ClaimBy.CENTRE,)
    if found is None or found.claim_by not in ways or not service.is_open(found, clock.now()):
        raise CouponNotClaimable
    return found


async def _issue_many(claims: list[_Claim]) -> Sequence[Issued | BaseException]:
    by_template: dict[str, list[int]] = {}
    for index, item in enumerate(claims):
        by_template.setdefault(item.template_id, []).append(index)
    outcomes: dict[int, Outcome | BaseException] = {}
    for template_id, indexes in by_template.items():
        answers = await _issue_of(template_id, [claims[index].wish for index in indexes])
        outcomes |= zip(indexes, answers, strict=True)
    return [outcomes[index] for index in range(len(claims))]


async def _issue_of(template_id: str, wishes: list[Wish]) -> Sequence[Outcome | BaseException]:
    if _gone.get(template_id, 0.0) > monotonic():
        return [CouponSoldOut() for _ in wishes]
    try:
        outcomes = await _issue_together(template_id, wishes)
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        # Somebody's books are held for long: that must not cost the others theirs.
        outcomes = [await _issue_alone(template_id, wish) for wish in wishes]
    except Exception as error:  # of this template's claims; the others' go on
        return [error] * len(wishes)
    if any(isinstance(outcome, CouponSoldOut) for outcome in outcomes):
        _note_gone(template_id)
    return outcomes


async def _issue_together(template_id: str, wishes: list[Wish]) -> list[Outcome]:
    async with db.transaction() as tx:
        return await service.issue(tx, template_id, wishes)


async def _issue_alone(template_id: str, wish: Wish) -> Outcome:
    try:
        return (await _issue_together(template_id, [wish]))[0]
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        return Unavailable("somebody else holds this member's books; try again", retry_after_s=1)


def _note_gone(template_id: str) -> None:
    _gone.pop(template_id, None)
    while len(_gone) >= MOST_GONE:
        del _gone[next(iter(_gone))]
    _gone[template_id] = monotonic() + GONE_KEPT_S


_claims: Batcher[_Claim, Issued] = Batcher(_issue_many, max_size=service.AT_ONCE, lanes=2, max_waiting=20_000)


async def _redeem(text: str, wish: Wish) -> Issued:
    """The coupon behind a code. Only what could be a code counts as a try: a slip of the finger costs nothing."""
    code = codes.read_code(text)
    if code is None:
        raise CouponCodeInvalid
    await limits.hit(f"coupon-code:{wish.member_id}", CODE_TRIES, CODE_TRIES_S)
    digest = code_digest(code)
    known = await db.fetchrow("SELECT template_id, claimed_by FROM coupon_code WHERE digest = $1", digest)
    if known is None:
        raise CouponCodeInvalid
    if known["claimed_by"] is not None:
        raise CouponCodeUsed
    async with db.transaction() as tx:
        await locks.lock_template(tx, known["template_id"])
        await _take_code(tx, digest, wish.member_id)
        (outcome,) = await service.issue(tx, known["template_id"], [wish], by_code=True)
        if isinstance(outcome, DomainError):
            raise outcome
        if outcome.replayed:
            raise IdempotencyConflict  # this key was answered before, with another coupon than this code's
        return outcome


async def _take_code(tx: Tx, digest: bytes, member_id: int) -> None:
    """Mark a code as redeemed by a member and count it; its template is locked."""
    taken = await db.fetch_in(
        tx,
        "UPDATE coupon_code SET claimed_by = $2, claimed_at = $3 WHERE digest = $1 AND claimed_by IS NULL"
        " RETURNING batch_id",
        digest,
        member_id,
        clock.now(),
    )
    if not taken:
        raise CouponCodeUsed
    counted = await db.fetch_in(
        tx,
        "UPDATE coupon_batch SET claimed = claimed + 1 WHERE id = $1 AND state <> 'void' RETURNING 1",
        taken[0]["batch_id"],
    )
    if not counted:
        raise CouponCodeInvalid


def code_digest(code: str) -> bytes:
    """What is stored of a code."""
    return bytes.fromhex(vault().blind_index(code, context=CODE_CONTEXT))


async def _first_answer(wish: Wish) -> Issued | None:
    """What was answered to this key before, or None; ``IdempotencyConflict`` where it was for another request."""
    first = await ledger.find_own_answer(wish.member_id, wish.key, bytes.fromhex(wish.hash))
    return None if first is None else Issued(first.document_id or "", replayed=True)


async def _show(coupon_id: str) -> Standing:
    """The coupon as it was when it was issued: a retry is answered like the first call."""
    made = await queries.find_made(coupon_id)
    if made is None:
        raise NotFound("there is no such coupon")
    version = await queries.get_version(made.template_id, made.version)
    return queries.as_issued(made, version)
