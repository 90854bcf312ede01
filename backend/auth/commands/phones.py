"""Bind somebody of the staff to their phone: a ticket of the login, with its password, spent by the phone's member."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import asyncpg

from backend.auth import queries, service
from backend.auth.errors import AlreadyExists, LinkGone
from backend.auth.types import MemberCaller, StaffCaller
from backend.kernel import clock, db, ids, limits, logging
from backend.kernel.errors import NotFound

from .account import prove, proved

log = logging.get(__name__)

TICKET_FOR = timedelta(minutes=10)
TICKET_CHARS = 10
TRIES = 10
TRIES_WINDOW_S = 600


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()


async def begin(caller: StaffCaller, current: str) -> tuple[str, datetime]:
    """Make the ticket that the phone shows it is here with, for ten minutes; one of before is void.

    Raises ``PasswordWrong``, ``LoginLocked``; ``AlreadyExists`` while a phone is bound.
    """
    row = await prove(caller, current)
    ticket, expires_at = ids.new_short("", TICKET_CHARS), clock.now() + TICKET_FOR
    async with db.transaction() as tx:
        await proved(tx, row)
        made = await db.fetch_in(
            tx,
            "INSERT INTO auth_staff_phone (staff_id, digest, expires_at) VALUES ($1, $2, $3)"
            " ON CONFLICT (staff_id) DO UPDATE SET digest = $2, expires_at = $3"
            " WHERE auth_staff_phone.member_id IS NULL RETURNING staff_id",
            caller.staff_id,
            _digest(ticket),
            expires_at,
        )
        if not made:
            raise AlreadyExists("a phone is bound to this login; unbind it first")
    return ticket, expires_at


async def finish(ticket: str, member: MemberCaller) -> str:
    """Bind the member's phone to the login of the ticket, which is spent; returns the user name.

    Raises ``LinkGone`` for a ticket that is none, ``AlreadyExists`` where either side is bound to another.
    """
    await limits.hit(f"staff-phone:{member.member_id}", TRIES, TRIES_WINDOW_S)
    now = clock.now()
    try:
        async with db.transaction() as tx:
            rows = await db.fetch_in(
                tx,
                "UPDATE auth_staff_phone SET digest = NULL, expires_at = NULL, member_id = $2, proved_at = $3"
                " WHERE digest = $1 AND expires_at > $3 AND member_id IS NULL RETURNING staff_id",
                _digest(ticket.upper()),
                member.member_id,
                now,
            )
            if not rows:
                raise LinkGone
            staff_id: int = rows[0]["staff_id"]
            taken = await db.fetch_in(
                tx,
                "UPDATE auth_staff SET member_id = $2 WHERE id = $1 AND active"
                " AND (member_id IS NULL OR member_id = $2) RETURNING username",
                staff_id,
                member.member_id,
            )
            if not taken:
                raise AlreadyExists("this login stands for another member")
    except asyncpg.UniqueViolationError:
        raise AlreadyExists("this phone stands for somebody else of the staff") from None
    queries.forget_managers()
    log.info("auth.staff_phone_bound", staff_id=staff_id)
    username: str = taken[0]["username"]
    return username


async def unbind(caller: StaffCaller, current: str) -> None:
    """Let one's own phone speak for one no more; ``NotFound`` where none does."""
    row = await prove(caller, current)
    async with db.transaction() as tx:
        if not await service.forget_phone(tx, caller.staff_id):
            raise NotFound("no phone is bound to this login")
        await proved(tx, row)
    queries.forget_managers()


async def unbind_other(staff_id: str, caller: StaffCaller) -> None:
    """The same for somebody else: a lost phone; ``NotFound``, ``BeyondOneself``."""
    async with db.transaction() as tx:
        person = await service.lock_person(tx, staff_id, caller)
        if not await service.forget_phone(tx, person.id):
            raise NotFound("no phone is bound to this login")
    queries.forget_managers()
    log.info("auth.staff_phone_unbound", staff_id=person.id, by=caller.staff_id)
