"""Shops and tills."""

from __future__ import annotations

from zoneinfo import ZoneInfoNotFoundError

from backend.auth import commands, queries, schemas
from backend.auth.errors import AlreadyExists
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller, Store, Terminal
from backend.kernel import clock
from backend.kernel.errors import invalid
from backend.kernel.http import Router

router = Router(tag="auth")


@router.get("/v1/admin/stores", guard=staff(Permission.STORES_READ), summary="门店列表")
async def list_stores(caller: StaffCaller) -> schemas.StoreList:
    """The shops the caller may see: all, or the own one."""
    return schemas.StoreList(items=await queries.list_stores(only=caller.store_id))


@router.post(
    "/v1/admin/stores", guard=staff(Permission.STORES_WRITE), status=201, errors=(AlreadyExists,), summary="新增门店"
)
async def create_store(body: schemas.CreateStore) -> Store:
    """Add a shop."""
    try:
        clock.zone(body.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid("/timezone", "is not an IANA time zone") from None
    store = Store(id=body.id, name=body.name, timezone=body.timezone, address=body.address)
    await commands.create_store(store)
    return store


@router.get("/v1/admin/terminals", guard=staff(Permission.TERMINALS_MANAGE), summary="收银终端列表")
async def list_terminals(caller: StaffCaller, query: schemas.TerminalQuery) -> schemas.TerminalList:
    """The tills of the shops the caller may see."""
    wanted = query.store_id or caller.store_id
    if not caller.reaches(wanted):
        return schemas.TerminalList(items=[])
    return schemas.TerminalList(items=[_view(item) for item in await queries.list_terminals(store_id=wanted)])


@router.post(
    "/v1/admin/terminals",
    guard=staff(Permission.TERMINALS_MANAGE),
    status=201,
    errors=(AlreadyExists,),
    summary="新增收银终端",
)
async def create_terminal(caller: StaffCaller, body: schemas.CreateTerminal) -> schemas.TerminalSecret:
    """Add a till; its secret is shown this once."""
    terminal_id, secret = await commands.create_terminal(caller, body.store_id, body.name, body.id)
    return schemas.TerminalSecret(id=terminal_id, store_id=body.store_id, secret=secret)


@router.post(
    "/v1/admin/terminals/{terminal_id}/rotate-secret", guard=staff(Permission.TERMINALS_MANAGE), summary="更换终端密钥"
)
async def rotate_secret(
    caller: StaffCaller, terminal_id: schemas.TerminalId, body: schemas.RotateSecret | None
) -> schemas.TerminalSecret:
    """Give a till a new secret, shown this once; the one before holds for ``overlap_s`` more."""
    overlap_s = (body or schemas.RotateSecret()).overlap_s
    secret = await commands.rotate_terminal(caller, terminal_id, overlap_s=overlap_s)
    terminal = await queries.get_terminal(terminal_id)
    return schemas.TerminalSecret(
        id=terminal.id, store_id=terminal.store_id, secret=secret, previous_until=terminal.previous_until
    )


@router.post(
    "/v1/admin/terminals/{terminal_id}/revoke", guard=staff(Permission.TERMINALS_MANAGE), status=204, summary="停用终端"
)
async def revoke_terminal(caller: StaffCaller, terminal_id: schemas.TerminalId) -> None:
    """Let a till in no more."""
    await commands.revoke_terminal(caller, terminal_id)


def _view(terminal: Terminal) -> schemas.TerminalView:
    return schemas.TerminalView(
        id=terminal.id,
        store_id=terminal.store_id,
        name=terminal.name,
        created_at=terminal.created_at,
        previous_until=terminal.previous_until,
        revoked_at=terminal.revoked_at,
    )
