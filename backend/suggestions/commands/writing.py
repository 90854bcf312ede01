"""What writers do: members under their names, and those who have a ticket or a receipt."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

import msgspec

from backend.kernel import clock, db, drawing, limits, pictures, readable
from backend.kernel.db import Tx
from backend.kernel.errors import FieldError, NotFound
from backend.kernel.http import Idempotency
from backend.kernel.vault import vault
from backend.ledger.errors import IdempotencyConflict
from backend.mall import service as mall
from backend.members import queries as members

from .. import locks, queries, rules, tickets
from ..errors import AttachmentRefused, BoxClosed, NameRequired, TicketSpent
from ..models import Message, Picture
from ..models import Suggestion as Row
from ..queries.keys import today
from ..queries.suggestions import receipt_digest
from ..schemas import AddIn, AnonymousIn, NamedIn, RatingIn
from ..types import Author, Box, BoxState, Suggestion, SuggestionState, TicketCaller

A_DAY = 20
"""Suggestions that a member may sign in 24 hours."""

PREFIX, ID_CHARS = "G", 15
"""Of a suggestion's id: a letter, random characters, a check character."""

_DAY_S = 86_400


def _id(*parts: str) -> str:
    """The id of what is made under a key: the same for the same, so that a retry finds what it made."""
    digest = hashlib.sha256("\n".join(parts).encode()).digest()
    return PREFIX + readable.make(int.from_bytes(digest[:10], "big"), ID_CHARS)


# -- under a name


async def write_named(box_id: str, body: NamedIn, member_id: int, idem: Idempotency) -> tuple[str, bool]:
    """Put a signed suggestion into a box, once per key; its id, True for a retry."""
    text = rules.check_text(body.text)
    for number in await members.ids_of(member_id):
        if await _was_said(_message_id(f"member {number}", idem.key), idem):
            return _id(str(number), idem.key), True
    suggestion_id, message_id = _id(str(member_id), idem.key), _message_id(f"member {member_id}", idem.key)
    await limits.hit(f"suggestion:{member_id}", A_DAY, _DAY_S)
    async with db.transaction() as tx:
        now = clock.now()
        await _once(tx, message_id)
        if (known := await queries.messages_in(tx, message_id)) is not None:
            _check_same(known[1], idem.request_hash.hex())
            return suggestion_id, True
        _check_open(await locks.hold_box(tx, box_id))
        await _create(tx, suggestion_id, box_id, member_id=member_id, receipt=None, at=now)
        await mall.use_uploads(tx, member_id, body.pictures, used_for=suggestion_id, at=now)
        await _say(tx, suggestion_id, 1, text, body.pictures, message_id, idem.request_hash.hex(), at=now)
    return suggestion_id, False


async def add_named(suggestion_id: str, body: NamedIn, member_id: int, idem: Idempotency) -> bool:
    """Add to one's own suggestion, once per key; True for a retry."""
    text, numbers = rules.check_text(body.text), await members.ids_of(member_id)
    message_ids = [_message_id(f"member {number} {suggestion_id}", idem.key) for number in numbers]
    async with db.transaction() as tx:
        now = clock.now()
        found = await _own(tx, suggestion_id, member_id)
        for message_id in message_ids:
            if (known := await queries.messages_in(tx, message_id)) is not None:
                _check_same(known[1], idem.request_hash.hex())
                return True
        rules.check_adding(found)
        await mall.use_uploads(tx, member_id, body.pictures, used_for=suggestion_id, at=now)
        await _add(tx, found, text, body.pictures, message_ids[0], idem.request_hash.hex(), at=now)
    return False


async def rate_named(suggestion_id: str, body: RatingIn, member_id: int) -> None:
    """Say how good the answer to one's own suggestion was; said again, the last word counts."""
    async with db.transaction() as tx:
        await _rate(tx, await _own(tx, suggestion_id, member_id), body)


async def _own(tx: Tx, suggestion_id: str, member_id: int) -> Suggestion:
    found = await locks.lock_suggestion(tx, suggestion_id)
    if found.member_id != member_id:
        raise NotFound("there is no such suggestion")
    return found


# -- without one


async def write_anonymous(body: AnonymousIn, caller: TicketCaller) -> tuple[str, str, bool]:
    """Put a suggestion into a box for a ticket; receipt, id, and True where this ticket brought it before.

    The receipt follows from the ticket and a key of ours, so a retry after a lost answer is told it again, though
    nothing that is stored leads to it.
    """
    text = rules.check_text(body.text)
    digest, request = tickets.digest_of(caller.key_id, caller.nonce), _request(body)
    receipt = tickets.receipt_from(vault().derive("suggestion receipt", caller.nonce))
    if (known := await _spent(digest, request)) is not None:
        return receipt, known, True
    drawn = await _draw(body.pictures)
    suggestion_id = PREFIX + readable.make(secrets.randbits(5 * ID_CHARS), ID_CHARS)
    async with db.transaction() as tx:
        spent = await db.fetch_in(
            tx,
            "INSERT INTO suggestion_spent (digest, key_id, request, suggestion_id, fresh_on)"
            " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING 1",
            digest,
            caller.key_id,
            request,
            suggestion_id,
            today(),
        )
        if spent:
            box = await locks.hold_box(tx, body.box_id)
            _check_open(box)
            if not box.anonymous:
                raise NameRequired
            await _create(tx, suggestion_id, box.id, member_id=None, receipt=receipt_digest(receipt), at=None)
            shown = await _keep(tx, suggestion_id, drawn)
            await _say(tx, suggestion_id, 1, text, shown, secrets.token_hex(32), "", at=None)
    if not spent:  # the same request was quicker by another way
        known = await _spent(digest, request)
        assert known is not None
        return receipt, known, True
    return receipt, suggestion_id, False


async def add_anonymous(suggestion_id: str, body: AddIn, idem: Idempotency) -> bool:
    """Add to the suggestion whose receipt was shown, once per key; True for a retry."""
    text, message_id = rules.check_text(body.text), _message_id(f"receipt {suggestion_id}", idem.key)
    if await _was_said(message_id, idem):
        return True
    drawn = await _draw(body.pictures)
    async with db.transaction() as tx:
        found = await locks.lock_suggestion(tx, suggestion_id)
        if (known := await queries.messages_in(tx, message_id)) is not None:
            _check_same(known[1], idem.request_hash.hex())
            return True
        rules.check_adding(found)
        shown = await _keep(tx, suggestion_id, drawn)
        await _add(tx, found, text, shown, message_id, idem.request_hash.hex(), at=None)
    return False


async def rate_anonymous(suggestion_id: str, body: RatingIn) -> None:
    """The same as a member's word, by whoever has the receipt."""
    async with db.transaction() as tx:
        await _rate(tx, await locks.lock_suggestion(tx, suggestion_id), body)


def _request(body: AnonymousIn) -> str:
    return hashlib.sha256(msgspec.json.encode(body)).hexdigest()


async def _spent(digest: str, request: str) -> str | None:
    """The suggestion that this ticket brought; ``TicketSpent`` where that was another than this."""
    row = await db.fetchrow("SELECT request, suggestion_id FROM suggestion_spent WHERE digest = $1", digest)
    if row is None:
        return None
    if row["request"] != request:
        raise TicketSpent
    found: str = row["suggestion_id"]
    return found


async def _draw(sent: Sequence[bytes]) -> list[pictures.Picture]:
    """The pictures that were sent, drawn anew: nothing but pixels is kept."""
    drawn = []
    for index, data in enumerate(sent):
        try:
            drawn.append(await drawing.redraw(data))
        except pictures.NotAPicture as error:
            raise AttachmentRefused(str(error), errors=(FieldError(f"/pictures/{index}", str(error)),)) from error
    return drawn


async def _keep(tx: Tx, suggestion_id: str, drawn: Sequence[pictures.Picture]) -> list[str]:
    kept = [secrets.token_hex(32) for _ in drawn]
    for picture_id, one in zip(kept, drawn, strict=True):
        await Picture.create(
            using_db=tx, id=picture_id, suggestion_id=suggestion_id, large=one.large, small=one.small, fresh_on=today()
        )
    return kept


# -- both


def _message_id(scope: str, key: str) -> str:
    return hashlib.sha256(f"{scope}\n{key}".encode()).hexdigest()


async def _once(tx: Tx, message_id: str) -> None:
    """The same request at the same time waits here for the first."""
    await db.raw(tx).execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", message_id)


async def _was_said(message_id: str, idem: Idempotency) -> bool:
    request = await db.fetchval("SELECT request FROM suggestion_message WHERE id = $1", message_id)
    if request is None:
        return False
    _check_same(request, idem.request_hash.hex())
    return True


def _check_same(was: str, request: str) -> None:
    if was != request:
        raise IdempotencyConflict


def _check_open(box: Box) -> None:
    if box.state is not BoxState.OPEN:
        raise BoxClosed


async def _create(
    tx: Tx, suggestion_id: str, box_id: str, *, member_id: int | None, receipt: str | None, at: datetime | None
) -> None:
    await Row.create(
        using_db=tx,
        id=suggestion_id,
        box_id=box_id,
        member_id=member_id,
        receipt=receipt,
        state=SuggestionState.OPEN.value,
        day=today(),
        at=at,
        messages=1,
        unanswered=1,
        fresh_on=today() if at is None else None,
        version=1,
    )


async def _say(
    tx: Tx,
    suggestion_id: str,
    seq: int,
    text: str,
    shown: Sequence[str],
    message_id: str,
    request: str,
    *,
    at: datetime | None,
) -> None:
    await Message.create(
        using_db=tx,
        id=message_id,
        suggestion_id=suggestion_id,
        seq=seq,
        author=Author.WRITER.value,
        text=text,
        pictures=list(shown),
        day=today(),
        at=at,
        request=request,
        fresh_on=today() if at is None else None,
    )


async def _add(
    tx: Tx,
    found: Suggestion,
    text: str,
    shown: Sequence[str],
    message_id: str,
    request: str,
    *,
    at: datetime | None,
) -> None:
    """What is added makes it the staff's turn again, also where it was closed."""
    await _say(tx, found.id, found.messages + 1, text, shown, message_id, request, at=at)
    await (
        Row.filter(id=found.id)
        .using_db(tx)
        .update(
            state=SuggestionState.OPEN.value,
            closed_at=None,
            messages=found.messages + 1,
            unanswered=found.unanswered + 1,
            fresh_on=today() if at is None else None,
            version=found.version + 1,
        )
    )


async def _rate(tx: Tx, found: Suggestion, body: RatingIn) -> None:
    rules.check_rating(found)
    await (
        Row.filter(id=found.id)
        .using_db(tx)
        .update(
            rating=body.rating,
            rating_text=body.text.strip(),
            fresh_on=today() if found.member_id is None else None,
            version=found.version + 1,
        )
    )
