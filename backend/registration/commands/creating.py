"""Staff and tills make members of people in front of them, who claim it later with their phone."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from backend.auth import queries as auth
from backend.auth.types import StaffCaller, TerminalCaller
from backend.kernel import clock, db, logging, trail
from backend.kernel.config import settings
from backend.kernel.errors import invalid
from backend.membercards import queries as cards
from backend.membercards import service as membercards
from backend.membercards.types import Handing, Way
from backend.members import joins
from backend.members import queries as members
from backend.members import service as member_service
from backend.members.errors import PhoneTaken, RegistrationRejected
from backend.members.types import Actor, Gender, Member, NewMember, Status
from backend.privacy import queries as privacy_queries
from backend.privacy import service as privacy
from backend.privacy.types import Place

from ..queries import applications
from ..rules import rows as rules
from ..schemas.imports import CreateAtTill, CreateIn

log = logging.get(__name__)

SENT_AGAIN = timedelta(minutes=10)
"""How long the same call is the same member: its answer may have been lost on the way."""


async def create_by_staff(body: CreateIn, caller: StaffCaller) -> Member:
    """Make a member of the caller's store, or of any for head office, with a card where one is named.

    The policy is asked as for everybody (channel ``staff``). ``PhoneTaken``; ``RegistrationRejected``; the refusals of
    a card. ``ConsentOutdated`` where they were shown another text than the one in force. Sent again within ten minutes
    the same call is the member whom it made.
    """
    if body.store_id is not None and not caller.reaches(body.store_id):
        raise invalid("/store_id", "there is no such store")
    await auth.check_store(body.store_id, "/store_id")
    store_id = body.store_id or caller.store_id
    handing = Handing(Way.COUNTER, staff_id=caller.staff_id, store_id=caller.store_id)
    return await _create(body, store_id, joins.Channel.STAFF, Actor.staff(caller.staff_id), handing)


async def create_at_till(body: CreateAtTill, terminal: TerminalCaller) -> Member:
    """The same at a till, of its store (channel ``till``)."""
    handing = Handing(Way.COUNTER, store_id=terminal.store_id)
    return await _create(body, terminal.store_id, joins.Channel.TILL, Actor(kind=Actor.staff(0).kind), handing)


async def _create(
    body: CreateAtTill, store_id: str | None, channel: joins.Channel, by: Actor, handing: Handing
) -> Member:
    new = _checked(body, store_id)
    known = {purpose.code for purpose in await privacy_queries.list_purposes()}
    for index, one in enumerate(body.consents):
        if one.purpose not in known:
            raise invalid(f"/consents/{index}/purpose", "there is no such purpose")
    applicant = joins.Applicant(
        channel=channel, phone=new.phone, name=new.name, birthday=new.birthday, store_id=store_id
    )
    verdict = await joins.judging().judge(applicant)
    if verdict.status is Status.NONE:
        raise RegistrationRejected(verdict.reason)
    if (made := await _made_before(new, body, channel)) is not None:
        return made
    async with db.transaction() as tx:
        new = msgspec.structs.replace(new, status=verdict.status)
        member_id = await member_service.create_member(tx, new, by=by)
        if member_id is None:
            raise PhoneTaken
        if body.card_no is not None:
            await member_service.lock(tx, member_id)
            await membercards.issue(tx, member_id, body.card_no, handing)
        await privacy.record_registering(
            tx,
            {member_id: {one.purpose: one.version for one in body.consents}},
            place=Place.TILL if channel is joins.Channel.TILL else Place.STAFF,
            staff_id=handing.staff_id,
            note=body.consents_note,
        )
        await joins.judging().applied(tx, member_id, applicant, verdict, None)
        trail.named(str(member_id))
    log.info("registration.created", member_id=member_id, channel=channel.value)
    return await members.get_member(member_id)


async def _made_before(new: NewMember, body: CreateAtTill, channel: joins.Channel) -> Member | None:
    """Whom the very same call made a moment ago; None for nobody, and where anything differs: consents, too."""
    member_id = await members.find_id_by_phone(new.phone)
    if member_id is None or not await applications.made_since(member_id, channel, clock.now() - SENT_AGAIN):
        return None
    found = await members.get_member(member_id)
    asked = (new.name, new.birthday, new.gender, new.store_id)
    if asked != (found.name, found.birthday, found.gender, found.store_id):
        return None
    if not await _agreed(member_id, {one.purpose for one in body.consents}):
        return None
    if body.card_no is None:
        return found
    held = await cards.find_held(member_id)
    return found if held is not None and held.number == body.card_no else None


async def _agreed(member_id: int, purposes: set[str]) -> bool:
    """Whether a member agreed to all of these, and said yes to no other."""
    granted = [one for one in await privacy_queries.list_consents(member_id) if one.granted]
    said = {one.purpose.code for one in granted if one.at is not None}
    return said <= purposes <= {one.purpose.code for one in granted}


def _checked(body: CreateAtTill, store_id: str | None) -> NewMember:
    """The fields as a row of an import would have them judged."""
    today = clock.local_date(clock.now(), settings().timezone)
    known = rules.Known(levels=(), stores=(store_id,) if store_id else (), today=today)
    cells = [body.phone, body.name, _text(body.birthday)]
    row = rules.read_row(1, ["phone", "name", "birthday"], cells, known)
    if not isinstance(row, rules.NewRow):
        raise invalid(f"/{row[0].field}", row[0].message)
    return NewMember(
        phone=row.phone,
        name=row.name,
        status=Status.NONE,
        birthday=row.birthday,
        gender=body.gender or Gender.UNKNOWN,
        store_id=store_id,
    )


def _text(on: date | None) -> str:
    return on.isoformat() if on else ""
