"""Logging in and registering."""

from __future__ import annotations

import msgspec

from backend.auth import queries as auth_queries
from backend.auth import service as auth
from backend.auth.types import SESSION_CHECK, Login, SessionCaller, Standing
from backend.kernel import clock, db, events, ids, live, logging
from backend.kernel.config import settings
from backend.kernel.errors import invalid
from backend.wechat import service as wechat

from .. import locks, queries, rules, service
from ..errors import AlreadyRegistered, PhoneTaken
from ..events import MemberRegistered
from ..schemas import Register
from ..types import Actor, ActorKind, Gender, Member, NewMember, Status

log = logging.get(__name__)


async def login(js_code: str) -> Login:
    """Begin a session of whoever WeChat says the code stands for."""
    who = await wechat.login(js_code)
    async with db.transaction() as tx:
        opened = await auth.open_session(tx, who.openid)
    if opened.member_id is not None:
        live.push(opened.member_id, SESSION_CHECK, {})  # one more session may have ended the oldest
    return opened


async def register(caller: SessionCaller, body: Register) -> Member:
    """Make the caller a member, or give the caller the member whose phone this is.

    WeChat vouches for the phone number, so it proves who somebody is: a member whom nobody's WeChat is bound to yet
    (made by staff, imported) becomes the caller's, with what was missing filled in. One that is bound is refused.
    """
    if caller.standing is not Standing.NONE:
        raise AlreadyRegistered
    new = await _checked(body)
    phone = await wechat.phone_number(body.phone_code)
    if not rules.is_phone(phone):
        raise invalid("/phone_code", "stands for a number that is none")
    async with db.transaction() as tx:
        member_id = await _find_or_create(tx, msgspec.structs.replace(new, phone=phone))
        identity = await auth.lock_identity(tx, caller.identity_id)
        if identity.member_id is not None:
            raise AlreadyRegistered
        await _record_consents(tx, member_id)
        (row,) = await db.fetch_in(tx, "SELECT status FROM member WHERE id = $1", member_id)
        await auth.bind_identity(tx, identity.id, member_id, Standing(row["status"]))
        if row["status"] == Status.ACTIVE:
            await events.publish(tx, MemberRegistered(member_id=member_id))
            await service.note_completed(tx, member_id)
    log.info("members.registered", member_id=member_id, status=row["status"])
    return await queries.get_member(member_id)


async def _checked(body: Register) -> NewMember:
    """What the body asks for, with every field judged; the phone is still to come."""
    rules.check_consents(body.consents)
    rules.check_birthday(body.birthday, clock.local_date(clock.now(), settings().timezone))
    name = rules.clean_name(body.name)
    await auth_queries.check_store(body.store_id, "/store_id")
    referrer_id = None
    if body.referrer_code is not None:
        referrer_id = await queries.find_id_by_number(body.referrer_code)
        if referrer_id is None:
            raise invalid("/referrer_code", "is no member's number")
    return NewMember(
        phone="",
        name=name,
        status=Status.PENDING if settings().registration_approval else Status.ACTIVE,
        birthday=body.birthday,
        gender=body.gender or Gender.UNKNOWN,
        store_id=body.store_id,
        referrer_id=referrer_id,
    )


async def _find_or_create(tx: db.Tx, new: NewMember) -> int:
    """The member with that phone, free to be bound; locked, so that two registrations cannot both have it."""
    index = queries.phone_index(new.phone)
    known = await locks.lock_by_phone(tx, index)
    if known is None:
        member_id = await service.create_member(tx, new, by=Actor(ActorKind.MEMBER))
        if member_id is not None:
            return member_id
        known = await locks.lock_by_phone(tx, index)  # somebody else was quicker
        assert known is not None
    if await auth.is_bound(tx, known["id"]):
        raise PhoneTaken
    await _complete(tx, known, new)
    return int(known["id"])


async def _complete(tx: db.Tx, known: db.Record, new: NewMember) -> None:
    """Fill in what was not known of a member; somebody who was refused before registers anew."""
    anew = known["status"] == Status.NONE
    filled = {
        "name": new.name if anew else known["name"],
        "birthday": known["birthday"] or new.birthday,
        "gender": new.gender.value if known["gender"] == Gender.UNKNOWN else known["gender"],
        "store_id": known["store_id"] or new.store_id,
        "referrer_id": known["referrer_id"] or (new.referrer_id if new.referrer_id != known["id"] else None),
    }
    by = Actor.member(known["id"])
    await service.write_profile(tx, known, filled, by=by)
    if anew:
        await service.set_status(tx, known["id"], new.status, by=by)


async def _record_consents(tx: db.Tx, member_id: int) -> None:
    now = clock.now()
    await db.raw(tx).executemany(
        "INSERT INTO member_consent (id, member_id, kind, version, agreed_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (member_id, kind, version) DO NOTHING",
        [(ids.new_bigint(), member_id, kind, version, now) for kind, version in rules.CONSENT_VERSIONS.items()],
    )
