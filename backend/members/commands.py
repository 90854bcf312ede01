"""Use cases of members; each opens the one transaction it needs, and talks to WeChat before it."""

from __future__ import annotations

import asyncpg
import msgspec
from msgspec import UNSET

from backend.auth import queries as auth_queries
from backend.auth import service as auth
from backend.auth.types import SESSION_CHECK, DeviceSecret, Login, MemberCaller, SessionCaller, StaffCaller, Standing
from backend.kernel import clock, db, events, ids, live, logging
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, invalid
from backend.wechat import service as wechat

from . import locks, queries, rules, service
from .errors import AlreadyRegistered, LevelExists, PhoneTaken, PinRequired, StatusConflict
from .events import HomeStoreChanged, MemberRegistered, ProfileCompleted
from .schemas import ChangeProfile, LevelBody, PutPin, Register
from .types import Gender, Member, NewMember, Status

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
            await _note_completed(tx, member_id)
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
        member_id = await service.create_member(tx, new)
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
    await db.raw(tx).execute(
        "UPDATE member SET name = $2, birthday = coalesce(birthday, $3), gender = $4,"
        " store_id = coalesce(store_id, $5), referrer_id = coalesce(referrer_id, $6), updated_at = $7 WHERE id = $1",
        known["id"],
        new.name if anew else known["name"],
        new.birthday,
        new.gender.value if known["gender"] == Gender.UNKNOWN else known["gender"],
        new.store_id,
        new.referrer_id if new.referrer_id != known["id"] else None,
        clock.now(),
    )
    if anew:
        await service.set_status(tx, known["id"], new.status)


async def _record_consents(tx: db.Tx, member_id: int) -> None:
    now = clock.now()
    await db.raw(tx).executemany(
        "INSERT INTO member_consent (id, member_id, kind, version, agreed_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (member_id, kind, version) DO NOTHING",
        [(ids.new_bigint(), member_id, kind, version, now) for kind, version in rules.CONSENT_VERSIONS.items()],
    )


async def change_profile(member_id: int, body: ChangeProfile) -> Member:
    """Change the fields that were sent; the rest stays."""
    if body.birthday is not UNSET:
        rules.check_birthday(body.birthday, clock.local_date(clock.now(), settings().timezone))
    if body.store_id is not UNSET:
        await auth_queries.check_store(body.store_id, "/store_id")
    name = UNSET if body.name is UNSET else rules.clean_name(body.name)
    async with db.transaction() as tx:
        row = await locks.lock_member(tx, member_id)
        attributes = msgspec.json.decode(row["attributes"])
        if body.attributes is not UNSET:
            attributes = rules.merge_attributes(attributes, body.attributes)
        await db.raw(tx).execute(
            "UPDATE member SET name = $2, birthday = $3, gender = $4, store_id = $5, attributes = $6, updated_at = $7"
            " WHERE id = $1",
            member_id,
            row["name"] if name is UNSET else name,
            row["birthday"] if body.birthday is UNSET else body.birthday,
            row["gender"] if body.gender is UNSET else body.gender.value,
            row["store_id"] if body.store_id is UNSET else body.store_id,
            msgspec.json.encode(attributes).decode(),
            clock.now(),
        )
        await _note_completed(tx, member_id)
        if body.store_id is not UNSET and body.store_id != row["store_id"]:
            await events.publish(tx, HomeStoreChanged(member_id=member_id))
    return await queries.get_member(member_id)


async def _note_completed(tx: db.Tx, member_id: int) -> None:
    """Tell of a profile that says everything."""
    (row,) = await db.fetch_in(tx, "SELECT birthday, gender FROM member WHERE id = $1", member_id)
    if row["birthday"] is not None and row["gender"] != Gender.UNKNOWN:
        await events.publish(tx, ProfileCompleted(member_id=member_id))


async def put_pin(member_id: int, body: PutPin) -> None:
    """Set the payment PIN.

    Replacing one needs the current one, or a phone code of the member's own number, which also unlocks. The first one
    needs neither: without a PIN the session alone approves, so asking for more here would protect nothing.
    """
    if body.phone_code is not None:
        await _check_own_phone(member_id, body.phone_code)
    elif body.current_pin is not None:
        await service.check_pin(member_id, body.current_pin)
    proven = body.phone_code is not None or body.current_pin is not None
    pin_hash = await auth.hash_secret(service.peppered(member_id, body.pin))
    async with db.transaction() as tx:
        await locks.lock_member(tx, member_id)
        if not proven and await db.fetch_in(tx, "SELECT 1 FROM member_pin WHERE member_id = $1", member_id):
            raise PinRequired("give the current PIN, or a phone code")
        await service.put_pin(tx, member_id, pin_hash)


async def _check_own_phone(member_id: int, phone_code: str) -> None:
    phone = await wechat.phone_number(phone_code)
    if queries.phone_index(phone) != await queries.find_phone_index(member_id):
        raise invalid("/phone_code", "is not of this member's phone number")


async def create_device(caller: MemberCaller, name: str) -> DeviceSecret:
    """Enrol a phone for codes without a network."""
    name = rules.clean_name(name)
    async with db.transaction() as tx:
        await locks.lock_member(tx, caller.member_id)
        return await auth.create_device(tx, caller.member_id, name, session_id=caller.session_id)


async def revoke_device(member_id: int, device_id: str) -> None:
    """End an enrolled phone; its codes are dead from now on."""
    async with db.transaction() as tx:
        await auth.revoke_device(tx, member_id, _row_id(device_id))


async def rotate_device(member_id: int, device_id: str) -> DeviceSecret:
    """Give an enrolled phone a new handle."""
    async with db.transaction() as tx:
        return await auth.rotate_device(tx, member_id, _row_id(device_id))


_MOVES: dict[str, tuple[frozenset[Status], Status]] = {
    "approve": (frozenset({Status.PENDING}), Status.ACTIVE),
    "reject": (frozenset({Status.PENDING}), Status.NONE),
    "freeze": (frozenset({Status.ACTIVE}), Status.FROZEN),
    "unfreeze": (frozenset({Status.FROZEN}), Status.ACTIVE),
}


async def move_member(caller: StaffCaller, member_id: str, move: str) -> Member:
    """Approve, reject, freeze or unfreeze a member of a store the caller may see; repeated, it changes nothing."""
    sources, target = _MOVES[move]
    row_id = _row_id(member_id)
    async with db.transaction() as tx:
        row = await locks.lock_member(tx, row_id)
        if not caller.reaches(row["store_id"]):
            raise NotFound("there is no such member")
        status = Status(row["status"])
        if status in sources:
            await service.set_status(tx, row_id, target)
            if move == "approve":
                await events.publish(tx, MemberRegistered(member_id=row_id))
        elif status is not target:
            raise StatusConflict(f"the member is {status.value}")
    live.push(row_id, SESSION_CHECK, {})
    log.info("members.moved", member_id=row_id, staff_id=caller.staff_id, move=move)
    return await queries.get_member(row_id)


async def get_for_staff(caller: StaffCaller, member_id: str) -> Member:
    """A member of a store the caller may see; another store's is ``NotFound``."""
    member = await queries.get_member(_row_id(member_id))
    if not caller.reaches(member.store_id):
        raise NotFound("there is no such member")
    return member


def _row_id(text: str) -> int:
    row_id = ids.read_bigint(text)
    if row_id is None:
        raise NotFound
    return row_id


async def create_level(code: str, level: LevelBody) -> None:
    """Add a level; members reach it with their next sale."""
    await _write_level(
        "INSERT INTO member_level (code, name, discount_bp, points_multiplier_bp, growth_from_fen, benefits)"
        " VALUES ($1, $2, $3, $4, $5, $6::jsonb) RETURNING code",
        code,
        level,
    )


async def change_level(code: str, level: LevelBody) -> None:
    """Replace a level; its members have the new terms within seconds."""
    await _write_level(
        "UPDATE member_level SET name = $2, discount_bp = $3, points_multiplier_bp = $4, growth_from_fen = $5,"
        " benefits = coalesce($6::jsonb, benefits) WHERE code = $1 RETURNING code",
        code,
        level,
    )


async def _write_level(sql: str, code: str, level: LevelBody) -> None:
    benefits = None if level.benefits is None else msgspec.json.encode(level.benefits).decode()
    try:
        async with db.transaction() as tx:
            written = await db.fetch_in(
                tx,
                sql,
                code,
                level.name,
                level.discount_bp,
                level.points_multiplier_bp,
                level.growth_from_fen,
                benefits,
            )
            if not written:
                raise NotFound("there is no such level")
            if not await db.fetch_in(tx, "SELECT 1 FROM member_level WHERE growth_from_fen = 0"):
                raise invalid("/growth_from_fen", "one level must begin at 0: new members have it")
    except asyncpg.UniqueViolationError:
        raise LevelExists from None
    queries.forget_levels()
