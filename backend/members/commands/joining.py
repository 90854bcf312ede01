"""Logging in and registering."""

from __future__ import annotations

from typing import Any

import msgspec

from backend.auth import queries as auth_queries
from backend.auth import service as auth
from backend.auth.types import SESSION_CHECK, Login, SessionCaller, Standing
from backend.kernel import clock, db, events, live, logging
from backend.kernel.config import settings
from backend.kernel.errors import invalid
from backend.wechat import service as wechat

from .. import joins, locks, queries, rules, service
from ..errors import AlreadyRegistered, PhoneTaken, RegistrationRejected
from ..events import MemberRegistered
from ..schemas import Register
from ..service import Joined
from ..types import Actor, Gender, Member, NewMember, Reach, Status

log = logging.get(__name__)


async def login(js_code: str, agent: str | None = None) -> Login:
    """Begin a session of whoever WeChat says the code stands for; ``agent`` is what their program calls itself."""
    who = await wechat.login(js_code)
    most = (await auth_queries.control()).member_sessions
    async with db.transaction() as tx:
        opened = await auth.open_session(tx, who.openid, agent=agent, most=most)
    if opened.member_id is not None:
        live.push(opened.member_id, SESSION_CHECK, {})  # one more session may have ended the oldest
    return opened


async def register(caller: SessionCaller, body: Register) -> Member:
    """Make the caller a member, or give the caller the member whose phone this is.

    WeChat vouches for the phone number, so it proves who somebody is: a member whom nobody's WeChat is bound to yet
    (made by staff, imported) becomes the caller's, with what was missing filled in. One that is bound is refused.
    Whoever is new, or was refused before, is judged; ``RegistrationRejected`` says why not.
    """
    if caller.standing is not Standing.NONE:
        raise AlreadyRegistered
    new = await _checked(body)
    phone = await wechat.phone_number(body.phone_code)
    if not rules.is_phone(phone):
        raise invalid("/phone_code", "stands for a number that is none")
    applicant = joins.Applicant(
        channel=joins.Channel.PHONE,
        phone=phone,
        name=new.name,
        birthday=new.birthday,
        store_id=new.store_id,
        referred=new.referrer_id is not None,
        attributes=body.attributes or {},
        identity_id=caller.identity_id,
    )
    verdict = await joins.judging().judge(applicant)
    async with db.transaction() as tx:
        joined = await _join(tx, caller, msgspec.structs.replace(new, phone=phone, status=verdict.status))
        await _write_attributes(tx, joined, body.attributes or {})
        await joins.judging().applied(
            tx, joined.member_id, applicant, verdict if joined.anew else None, joined.kept_name
        )
        if joined.status is not Status.NONE:
            await _bind(tx, caller, joined.member_id, joined.status)
    log.info("members.registered", member_id=joined.member_id, status=joined.status)
    if joined.status is Status.NONE:
        raise RegistrationRejected(verdict.reason)
    return await queries.get_member(joined.member_id)


async def _join(tx: db.Tx, caller: SessionCaller, new: NewMember) -> Joined:
    """A phone that is taken may be the caller's own, who asked twice at once because an answer was late."""
    try:
        return await service.join(tx, new)
    except PhoneTaken:
        if (await auth.lock_identity(tx, caller.identity_id)).member_id is not None:
            raise AlreadyRegistered from None
        raise


async def _bind(tx: db.Tx, caller: SessionCaller, member_id: int, status: Status) -> None:
    identity = await auth.lock_identity(tx, caller.identity_id)
    if identity.member_id is not None:
        raise AlreadyRegistered
    await service.record_joining(tx, member_id)
    await auth.bind_identity(tx, identity.id, member_id, Standing(status))
    if status is Status.ACTIVE:
        await events.publish(tx, MemberRegistered(member_id=member_id))
        await service.note_completed(tx, member_id)


async def _checked(body: Register) -> NewMember:
    """What the body asks for, with every field judged; the phone is still to come."""
    rules.check_consents(body.consents)
    rules.check_birthday(body.birthday, clock.local_date(clock.now(), settings().timezone))
    name = rules.clean_name(body.name)
    await _check_attributes(body.attributes or {})
    await auth_queries.check_store(body.store_id, "/store_id")
    referrer_id = None
    if body.referrer_code is not None:
        referrer_id = await queries.find_id_by_number(body.referrer_code)
        if referrer_id is None:
            raise invalid("/referrer_code", "is no member's number")
    return NewMember(
        phone="",
        name=name,
        status=Status.NONE,
        birthday=body.birthday,
        gender=body.gender or Gender.UNKNOWN,
        store_id=body.store_id,
        referrer_id=referrer_id,
    )


async def _check_attributes(given: dict[str, Any]) -> None:
    """Refuse before WeChat is asked: a phone code is good once."""
    definitions = await queries.attributes()
    known = {one.code: one for one in definitions}
    values = rules.attributes.merge({}, given, known, Reach.MEMBER)
    rules.attributes.check_required(values, definitions, Reach.MEMBER)


async def _write_attributes(tx: db.Tx, joined: Joined, given: dict[str, Any]) -> None:
    """Note what was said; who was a member already keeps what they had."""
    if not given:
        return
    row = await locks.lock_member(tx, joined.member_id)
    stored = msgspec.json.decode(row["attributes"])
    said = {code: value for code, value in given.items() if joined.anew or code not in stored}
    values = rules.attributes.merge(stored, said, await locks.hold_attributes(tx, said), Reach.MEMBER)
    await service.write_profile(tx, row, {"attributes": values}, by=Actor.member(joined.member_id))
