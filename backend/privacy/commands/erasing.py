"""Erasing: one transaction ends the membership, then the domains are gone through one by one.

Each step is a transaction that moves ``place``, so whoever dies or comes twice goes on where it stood. All is gone
through again, until a round changes nothing and nothing of the member's is on its way. Whoever was erased is looked at
again for two days, and whenever a release erases more than the one before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from backend.auth import service as auth
from backend.auth.types import SESSION_CHECK
from backend.kernel import clock, db, events, jobs, live, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger import service as ledger
from backend.ledger.plans import FEN
from backend.members import queries as members_queries
from backend.members import service as members
from backend.members.holding import AtStake, Holding, all_holdings, sql_to_strip
from backend.members.types import Status

from .. import queries
from ..events import ErasureLapsed, MemberErased
from ..queries import merged
from ..queries.erasures import ERASURE, erasure_of, former_digest
from ..types import Erasure, ErasureState
from . import erasures, exports

log = logging.get(__name__)

MOST_TRIES = 14
AGAIN = timedelta(days=1)
"""What stands in the way when the days are over is waited for so often, so long each time."""
SOON = timedelta(minutes=1)
"""When events of the member's are waited for."""
NEXT_ROUND = timedelta(hours=1)
"""Where the last of the rounds at once still found something."""
ROUNDS_AT_ONCE = 3
LOOKED_AT = timedelta(days=2)
LOOKED_AT_ONCE = 200
AT_ONCE = frozenset({"auth", "members"})
"""What identifies a member goes in the transaction that ends the membership."""


async def run(erasure_id: str) -> None:
    """Erase, if it is due; done again it goes on, or changes nothing."""
    found = await queries.find_erasure(erasure_id)
    if found is None:
        return
    if found.state is ErasureState.COOLING and await _end_membership(found):
        live.push(found.member_id, SESSION_CHECK, {})
    for number in range(1, ROUNDS_AT_ONCE + 1):
        while await _step(erasure_id, last=number == ROUNDS_AT_ONCE):
            pass


async def resume() -> None:
    """See that whatever is due has a job."""
    rows = await db.fetch(
        "SELECT id FROM privacy_erasure WHERE state IN ('cooling', 'erasing') AND due_at <= $1"
        " ORDER BY due_at LIMIT 100",
        clock.now(),
    )
    for row in rows:
        async with db.transaction() as tx:
            await jobs.defer(tx, erasures.JOB, unique=f"{erasures.JOB}/{row['id']}", erasure_id=row["id"])


_TO_LOOK_AT = """
SELECT id, member_id FROM privacy_erasure WHERE state = 'done' AND (ended_at > $2 OR rules IS DISTINCT FROM $1)
 ORDER BY rules IS DISTINCT FROM $1, ended_at DESC LIMIT $3"""


def rules_now() -> str:
    """What this release erases, as a digest: it changes with each declaration."""
    said = [(one.name, one.erase is not None, [sql_to_strip(table) for table in one.tables]) for one in all_holdings()]
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


async def look_again() -> int:
    """Erase what came after all, and what a release before did not erase; returns how many rows there were.

    One whose erasure raises stops none of the others: it is looked at again in the next hour.
    """
    rules, found = rules_now(), 0
    for row in await db.fetch(_TO_LOOK_AT, rules, clock.now() - LOOKED_AT, LOOKED_AT_ONCE):
        try:
            found += await _erase_again(row["id"], row["member_id"], rules)
        except Exception as error:
            log.error("privacy.erase_failed", exc_info=error, erasure_id=row["id"])
    return found


async def _erase_again(erasure_id: str, member_id: int, rules: str) -> int:
    changed = 0
    for holding in all_holdings():
        async with db.transaction() as tx:
            await _locked(tx, erasure_id)
            changed += await _strip(tx, holding, member_id)
    async with db.transaction() as tx:
        await _note_rules(tx, erasure_id, rules)
    if changed:
        log.info("privacy.erased_again", erasure_id=erasure_id, rows=changed)
    return changed


async def _note_rules(tx: Tx, erasure_id: str, rules: str) -> None:
    await db.raw(tx).execute(
        "UPDATE privacy_erasure SET rules = $2 WHERE id = $1 AND rules IS DISTINCT FROM $2", erasure_id, rules
    )


async def sweep() -> None:
    """Forget who was here longer ago than matters."""
    today = clock.local_date(clock.now(), settings().timezone)
    await db.fetchval(
        "WITH gone AS (DELETE FROM privacy_former WHERE until < $1 RETURNING 1) SELECT count(*) FROM gone", today
    )


async def _end_membership(wanted: Erasure) -> bool:
    """End it, or put it off, or let the wish lapse; whether it ended."""
    async with db.transaction() as tx:
        await members.lock(tx, wanted.member_id)
        found = await _locked(tx, wanted.id)
        if found.state is not ErasureState.COOLING or found.due_at > clock.now():
            return False
        await ledger.hold(tx, found.member_id)  # no sale moves between what is seen and what is given up
        stakes = await erasures.at_stake(tx, found.member_id)
        if any(stake.blocks for stake in stakes):
            await _put_off(tx, found, next(stake.code for stake in stakes if stake.blocks))
            return False
        if _is_more(stakes, found):
            await _lapse(tx, found, "value_grew")
            return False
        await _give_up(tx, found.member_id)
        await _remember(tx, found.member_id)
        await _close(tx, found)
    log.info("privacy.membership_ended", erasure_id=wanted.id)
    return True


async def _locked(tx: Tx, erasure_id: str) -> Erasure:
    (row,) = await db.fetch_in(tx, f"{ERASURE} WHERE id = $1 FOR UPDATE", erasure_id)
    return erasure_of(row)


def _is_more(stakes: Sequence[AtStake], found: Erasure) -> bool:
    """Whether there is more money to lose than the member knew of.

    Less is no matter, nor are points and coupons that came of spending the rest meanwhile, as was advised.
    """
    agreed = {stake["code"]: stake["amount"] for stake in found.given_up}
    return any(stake.amount > agreed.get(stake.code, 0) for stake in stakes if stake.unit == FEN)


async def _put_off(tx: Tx, found: Erasure, problem: str) -> None:
    if found.tries + 1 >= MOST_TRIES:
        await _lapse(tx, found, problem)
        return
    await db.raw(tx).execute(
        "UPDATE privacy_erasure SET tries = tries + 1, problem = $2, due_at = $3 WHERE id = $1",
        found.id,
        problem[:40],
        clock.now() + AGAIN,
    )


async def _lapse(tx: Tx, found: Erasure, problem: str) -> None:
    await erasures.end(tx, found.id, ErasureState.LAPSED, problem=problem[:40])
    await events.publish(tx, ErasureLapsed(member_id=found.member_id, erasure_id=found.id))
    log.info("privacy.erasure_lapsed", erasure_id=found.id, problem=problem)


async def _give_up(tx: Tx, member_id: int) -> None:
    """Let all value go through the ledger; raises where a balance is left, for nobody would own it."""
    now = clock.now()
    for holding in all_holdings():
        if holding.give_up is not None:
            await holding.give_up(tx, member_id, now)
    left = await db.fetch_in(
        tx, "SELECT kind, ref FROM ledger_account WHERE member_id = $1 AND balance <> 0 LIMIT 5", member_id
    )
    if left:
        raise RuntimeError(f"value is left on accounts {[(row['kind'], row['ref']) for row in left]}")


async def _remember(tx: Tx, member_id: int) -> None:
    """Keep a hash of the phone number and WeChat account, so that erasing makes nobody new."""
    days = settings().privacy_former_days
    rows = await db.fetch_in(
        tx,
        "SELECT phone_sealed, array(SELECT openid FROM auth_wechat_identity WHERE member_id = m.id) AS openids"
        " FROM member m WHERE id = ANY($1::bigint[])",
        await merged.everybody(tx, member_id),
    )
    known = {former_digest("openid", openid) for row in rows for openid in row["openids"]}
    phones = [members_queries.open_phone(row["phone_sealed"]) for row in rows]
    known |= {former_digest("phone", phone) for phone in phones if phone}
    if days:
        await db.raw(tx).execute(
            "INSERT INTO privacy_former (digest, until) SELECT unnest($1::text[]), $2"
            " ON CONFLICT (digest) DO UPDATE SET until = greatest(privacy_former.until, EXCLUDED.until)",
            sorted(known),
            clock.days_after(clock.local_date(clock.now(), settings().timezone), days),
        )


async def _close(tx: Tx, found: Erasure) -> None:
    await auth.revoke_all_devices(tx, found.member_id)
    for holding in all_holdings():
        if holding.name in AT_ONCE:
            await _strip(tx, holding, found.member_id)
    await members.set_status(tx, found.member_id, Status.ERASED)
    rows = await db.fetch_in(tx, "SELECT id FROM privacy_export WHERE member_id = $1", found.member_id)
    await exports.drop(tx, [row["id"] for row in rows])
    await db.raw(tx).execute(
        "UPDATE privacy_erasure SET state = 'erasing', problem = NULL, place = NULL, changed = 0, reason = ''"
        " WHERE id = $1",
        found.id,
    )
    await events.publish(tx, MemberErased(member_id=found.member_id, erasure_id=found.id))


async def _strip(tx: Tx, holding: Holding, member_id: int) -> int:
    """Erase what one domain holds of a member and of whoever was merged into them; how many rows it changed."""
    changed = 0
    for one in await merged.everybody(tx, member_id):
        if holding.erase is not None:
            await holding.erase(tx, one, clock.now())
        for table in holding.tables:
            if (sql := sql_to_strip(table)) is not None:
                changed += int((await db.raw(tx).execute(sql, one)).rpartition(" ")[2])
    return changed


async def _step(erasure_id: str, *, last: bool) -> bool:
    """Erase one domain's rows; False when a round is over, of which this is the ``last`` at once."""
    names = [holding.name for holding in all_holdings()]
    async with db.transaction() as tx:
        found = await _locked(tx, erasure_id)
        if found.state is not ErasureState.ERASING or found.due_at > clock.now():
            return False
        index = names.index(found.place) + 1 if found.place in names else 0
        if index == len(names):
            await _end_round(tx, found, last=last)
            return False
        changed = await _strip(tx, all_holdings()[index], found.member_id)
        await db.raw(tx).execute(
            "UPDATE privacy_erasure SET place = $2, changed = changed + $3 WHERE id = $1",
            erasure_id,
            names[index],
            changed,
        )
        return True


async def _end_round(tx: Tx, found: Erasure, *, last: bool) -> None:
    """Done, where the round found nothing more to erase, and nothing is on its way; otherwise another one."""
    (row,) = await db.fetch_in(tx, "SELECT changed FROM privacy_erasure WHERE id = $1", found.id)
    coming = await db.fetch_in(
        tx,
        "SELECT FROM outbox WHERE member_id = $1 AND not_before IS DISTINCT FROM 'infinity' LIMIT 1",
        found.member_id,
    )
    if not row["changed"] and not coming:
        await erasures.end(tx, found.id, ErasureState.DONE)
        await _note_rules(tx, found.id, rules_now())
        log.info("privacy.erased", erasure_id=found.id)
        return
    wait = SOON if coming else NEXT_ROUND if last else None
    due_at = clock.now() + wait if wait else found.due_at
    await db.raw(tx).execute(
        "UPDATE privacy_erasure SET place = NULL, changed = 0, due_at = $2 WHERE id = $1", found.id, due_at
    )
    if wait:
        await jobs.defer(tx, erasures.JOB, run_at=due_at, erasure_id=found.id)
