"""Who stands at the till when the code on the phone is not at hand: asked by number, confirmed by themselves."""

from __future__ import annotations

from datetime import UTC, datetime

from backend.auth import queries as auth
from backend.auth.types import TerminalCaller
from backend.identities import service
from backend.identities.types import TOKEN_FOR, Request, RequestState, Rights, Way
from backend.kernel import clock
from backend.kernel.errors import invalid

from ..identity_schemas import IdentifyIn, IdentifyOut
from ..rules.tokens import ScanToken, seal
from . import scan
from .identify import scan_key


async def ask(body: IdentifyIn, terminal: TerminalCaller) -> IdentifyOut:
    """Ask who has this number; the answer is the same whether or not anybody has."""
    given = [(way, value) for way, value in _ways(body) if value is not None]
    if len(given) != 1:
        raise invalid("/phone", "give one of phone, document and card_no")
    ((way, number),) = given
    store = await auth.get_store(terminal.store_id)
    now = clock.now()
    request = await service.ask(
        way, number, terminal_id=terminal.terminal_id, store_id=store.id, store_name=store.name, now=now
    )
    return _waiting(request)


def _ways(body: IdentifyIn) -> tuple[tuple[Way, str | None], ...]:
    return (Way.PHONE, body.phone), (Way.DOCUMENT, body.document), (Way.CARD, body.card_no)


async def show(request_id: str, terminal: TerminalCaller) -> IdentifyOut:
    """How it stands; once confirmed, who it is, and a token that stands for a scan."""
    return await _shown(await service.get(request_id, terminal.terminal_id, clock.now()), terminal)


async def confirm(request_id: str, pin: str, terminal: TerminalCaller) -> IdentifyOut:
    """Confirm by the PIN that the member typed at the till."""
    now = clock.now()
    request = await service.get(request_id, terminal.terminal_id, now)
    return await _shown(await service.confirm_by_pin(request, pin, now), terminal)


async def send_code(request_id: str, purpose: Rights, terminal: TerminalCaller) -> IdentifyOut:
    """Have a code sent to the member by SMS; the answer is the same where there is none."""
    now = clock.now()
    request = await service.get(request_id, terminal.terminal_id, now)
    return _waiting(await service.send_code(request, purpose, now))


async def confirm_by_code(request_id: str, code: str, terminal: TerminalCaller) -> IdentifyOut:
    """Confirm by the code that the member read out."""
    now = clock.now()
    request = await service.get(request_id, terminal.terminal_id, now)
    return await _shown(await service.confirm_by_code(request, code, now), terminal)


def _waiting(request: Request) -> IdentifyOut:
    return IdentifyOut(
        id=str(request.id), state=request.state.value, expires_at=request.expires_at, rights=None, scan=None
    )


async def _shown(request: Request, terminal: TerminalCaller) -> IdentifyOut:
    if request.state is not RequestState.CONFIRMED or request.decided_at is None or request.member_id is None:
        return _waiting(request)
    until = request.decided_at + TOKEN_FOR
    if until <= clock.now():
        return IdentifyOut(id=str(request.id), state="expired", expires_at=until, rights=None, scan=None)
    token = ScanToken(
        request.member_id,
        0,
        request.id,
        terminal.terminal_id,
        terminal.store_id,
        int(until.timestamp()),
        earn_only=request.rights is Rights.EARN,
    )
    found = await scan.described(
        request.member_id,
        terminal.store_id,
        seal(token, scan_key()),
        datetime.fromtimestamp(token.expires_at, tz=UTC),
    )
    return IdentifyOut(
        id=str(request.id),
        state=request.state.value,
        expires_at=until,
        rights=request.rights.value if request.rights else None,
        scan=found,
    )
