"""Who may call: the guards that routes name. Each reads the row that decides; a token alone lets nobody in."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from starlette.websockets import WebSocket

from backend.kernel import clock
from backend.kernel.config import settings
from backend.kernel.errors import Forbidden, Unauthenticated
from backend.kernel.http import Request, Response, Work
from backend.kernel.trail import kept_by

from . import nonces, queries, rules, tills, tokens, trails
from .errors import MemberExpired, MemberFrozen, RegistrationPending, RegistrationRequired
from .types import MemberCaller, Permission, SessionCaller, StaffCaller, Standing, TerminalCaller


class NotPermitted(Forbidden):
    """This caller may not do that."""

    def __init__(self, caller: StaffCaller) -> None:
        super().__init__()
        self.caller = caller


class SecondFactorRequired(NotPermitted):
    """This role needs a second factor: set one up first."""

    code = "second_factor_required"


_DUMMY_KEY = b"-" * 43
_REFUSED = {
    Standing.NONE: RegistrationRequired,
    Standing.PENDING: RegistrationPending,
    Standing.FROZEN: MemberFrozen,
    Standing.EXPIRED: MemberExpired,
}


async def _session(token: str | None) -> SessionCaller:
    named = tokens.read_access_token(token, tokens.MEMBER) if token else None
    row = await queries.find_session(named[0]) if named else None
    if named is None or row is None:
        raise Unauthenticated
    session_id, member_id = named[0], row["member_id"]
    return SessionCaller(
        session_id=session_id,
        identity_id=row["identity_id"],
        openid=row["openid"],
        standing=Standing(row["standing"]),
        member_id=member_id,
        token_expires_at=named[1],
        rate_key=f"session:{session_id}" if member_id is None else f"member:{member_id}",
        rate_per_minute=settings().rate_member_per_minute,
    )


def _bearer(request: Request) -> str | None:
    match = rules.BEARER.match(request.headers.get("authorization", ""))
    return match[1] if match else None


class SessionGuard:
    """Lets in whoever is logged in through WeChat, registered or not."""

    name = "session"
    scheme: str | None = "memberBearer"

    async def authenticate(self, request: Request) -> SessionCaller:
        """The session that the token names, as its row stands now."""
        return await _session(_bearer(request))


class MemberGuard:
    """Lets in members; ``standings`` says which (by default active ones)."""

    scheme: str | None = "memberBearer"
    may_forbid = True

    def __init__(self, name: str, standings: frozenset[Standing]) -> None:
        self.name = name
        self._standings = standings

    async def authenticate(self, request: Request) -> MemberCaller:
        """The member for whom the token's session acts now."""
        return self._member(await _session(_bearer(request)))

    async def authenticate_ws(self, websocket: WebSocket) -> MemberCaller:
        """The same for a WebSocket, whose token comes as the subprotocol ``bearer.<token>``."""
        offered = websocket.scope.get("subprotocols", [])
        given = [item.removeprefix("bearer.") for item in offered if item.startswith("bearer.")]
        return self._member(await _session(given[0] if len(given) == 1 else None))

    def _member(self, session: SessionCaller) -> MemberCaller:
        if session.standing not in self._standings:
            refusal = _REFUSED.get(session.standing, Forbidden)
            raise refusal
        assert session.member_id is not None
        return MemberCaller(
            session_id=session.session_id,
            member_id=session.member_id,
            openid=session.openid,
            token_expires_at=session.token_expires_at,
            rate_key=session.rate_key,
            rate_per_minute=session.rate_per_minute,
        )


class TerminalGuard:
    """Lets in tills that sign their requests. Source: the contract, section POS."""

    name = "terminal"
    scheme: str | None = "terminalHmac"

    async def authenticate(self, request: Request) -> TerminalCaller:
        """The till; refused for a wrong signature, a clock more than 300 s off, or a nonce used before."""
        headers = request.headers
        match = rules.TERMINAL_HEADER.match(headers.get("authorization", ""))
        if match is None:
            raise Unauthenticated
        terminal_id, timestamp, nonce, signature = match.groups()
        keys = await tills.find_keys(terminal_id)
        text = rules.signed_text(
            request.method, request.target, timestamp, nonce, headers.get("idempotency-key", ""), request.body
        )
        if keys is None:
            rules.signature_matches(_DUMMY_KEY, text, signature)  # an unknown terminal takes as long as a known one
            raise Unauthenticated
        if not rules.signature_matches(keys.secret, text, signature) and not _matches_previous(keys, text, signature):
            raise Unauthenticated
        if abs(clock.unix() - int(timestamp)) > rules.SKEW_S:
            raise Unauthenticated("the timestamp is more than 300 s off; set the terminal's clock")
        if not await nonces.spend(terminal_id, nonce):
            raise Unauthenticated("this nonce was used already")
        return TerminalCaller(
            terminal_id=terminal_id,
            store_id=keys.store_id,
            rate_key=f"terminal:{terminal_id}",
            rate_per_minute=settings().rate_terminal_per_minute,
        )


def _matches_previous(keys: tills.TillKeys, text: bytes, signature: str) -> bool:
    """Whether the secret before the last rotation signed it, and its time is not over."""
    if keys.previous is None or keys.previous_until is None or clock.now() >= keys.previous_until:
        return False
    return rules.signature_matches(keys.previous, text, signature)


class StaffGuard:
    """Lets in staff who hold one of some permissions; which store's things they see, ``caller.reaches`` decides."""

    scheme: str | None = "staffBearer"
    may_forbid = True

    def __init__(self, permissions: frozenset[Permission]) -> None:
        self.permissions = permissions
        self.name = ":".join(("staff", *(one for one in Permission if one in permissions)))

    async def authenticate(self, request: Request) -> StaffCaller:
        """The person whom the token's session belongs to, with role and store as they are now."""
        token = _bearer(request)
        named = tokens.read_access_token(token, tokens.STAFF) if token else None
        row = await queries.find_staff_session(named[0]) if named else None
        if named is None or row is None:
            raise Unauthenticated
        bare = bool(row["bare"])
        held = frozenset() if bare else rules.held(row["role"], row["store_id"], *queries.changed(row))
        caller = StaffCaller(
            staff_id=row["staff_id"],
            session_id=named[0],
            role=row["role"],
            store_id=row["store_id"],
            permissions=held,
            rate_key=f"staff:{row['staff_id']}",
            rate_per_minute=settings().rate_member_per_minute,
        )
        if self.permissions and not self.permissions & held:
            raise SecondFactorRequired(caller) if bare else NotPermitted(caller)
        return caller

    async def watch(self, route: Any, request: Request, caller: StaffCaller, work: Work) -> Response:
        """Have the call in the audit log, with what it does and how it ends."""
        trail = trails.CallTrail(trails.who(caller), trails.what(route, request))
        with kept_by(trail):
            try:
                answer = await work()
            except Exception as error:
                await trails.finish(trail, *trails.outcome_of(error))
                raise
            return await trails.kept(trail, answer)

    async def refused(self, route: Any, request: Request, error: Forbidden) -> None:
        """Have it in the audit log that somebody tried what they may not do."""
        if isinstance(error, NotPermitted):
            trail = trails.CallTrail(trails.who(error.caller), trails.what(route, request))
            await trails.finish(trail, *trails.outcome_of(error))


session = SessionGuard()
"""Logged in through WeChat, registered or not; the caller is a ``SessionCaller``."""

member = MemberGuard("member", frozenset({Standing.ACTIVE}))
"""An active member; the caller is a ``MemberCaller``."""

registered = MemberGuard("registered", frozenset(Standing) - {Standing.NONE})
"""A member in whatever standing: for reading one's own profile."""

terminal = TerminalGuard()
"""A till; the caller is a ``TerminalCaller``."""


@lru_cache(maxsize=256)
def _staff_guard(permissions: frozenset[Permission]) -> StaffGuard:
    return StaffGuard(permissions)


def staff(*permissions: Permission) -> StaffGuard:
    """Staff who hold one of these permissions; the caller is a ``StaffCaller``.

    Without any it lets in everybody who is logged in: for what concerns nobody but the caller.
    """
    return _staff_guard(frozenset(permissions))
