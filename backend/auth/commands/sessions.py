"""Sessions of members: their tokens, and their end."""

from __future__ import annotations

from backend.auth import queries, rules, service, tokens
from backend.auth.types import SESSION_CHECK, Tokens
from backend.kernel import clock, db, live
from backend.kernel.errors import Unauthenticated

_ACCESS_S = int(rules.ACCESS_TTL.total_seconds())


EXCHANGE = """
UPDATE auth_session SET refresh_hash = $3, refreshed_at = $4, expires_at = $5
 WHERE id = $1 AND refresh_hash = $2 AND ended_at IS NULL AND expires_at > $4 RETURNING true
"""


async def refresh_member(refresh_token: str) -> Tokens:
    """Exchange a member's refresh token for a new pair; a dead one ends its session.

    There is no grace for a token used twice, not even within seconds: a thief who is quick would have it too. Whoever
    lost the answer logs in again, which in a mini-program asks nothing of its user.
    """
    given = tokens.read_refresh_token(refresh_token, tokens.MEMBER)
    if given is None:
        raise Unauthenticated("this refresh token does not hold")
    next_token, digest = tokens.make_refresh_token(given.session_id, tokens.MEMBER)
    now = clock.now()
    exchanged = await db.fetchval(
        EXCHANGE, given.session_id, given.digest, digest, now, now + rules.REFRESH_TTL
    )  # one statement is a transaction of its own
    if not exchanged:
        async with db.transaction() as tx:
            await service.end_sessions(tx, [given.session_id], why="reuse")
        _look_again(await queries.find_member_of_session(given.session_id))
        raise Unauthenticated("this refresh token does not hold")
    access_token = tokens.make_access_token(given.session_id, tokens.MEMBER)
    return Tokens(access_token=access_token, refresh_token=next_token, expires_in=_ACCESS_S)


async def logout(session_id: int, identity_id: int, member_id: int | None, *, everywhere: bool) -> None:
    """End this session, or every session and every device of the member: what was lost must not pay any more."""
    async with db.transaction() as tx:
        over = await service.sessions_of(tx, identity_id) if everywhere else [session_id]
        await service.end_sessions(tx, over, why="logout")
        if everywhere and member_id is not None:
            await service.revoke_all_devices(tx, member_id)
    _look_again(member_id)


def _look_again(member_id: int | None) -> None:
    """Have the member's open sockets look at once whether their sessions stand."""
    if member_id is not None:
        live.push(member_id, SESSION_CHECK, {})
