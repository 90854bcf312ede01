"""What subscribers ask for."""

from __future__ import annotations

from backend.kernel import ids
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Router
from backend.kernel.paging import make_cursor, read_cursor

from .. import queries, schemas, views
from ..commands import numbering
from ..errors import FeedExpired
from ..guards import subscriber
from ..types import SubscriberCaller

router = Router(tag="feeds")


@router.get("/v1/feeds/members", guard=subscriber, summary="会员变更流", errors=(ValidationFailed, FeedExpired))
async def read_feed(caller: SubscriberCaller, query: schemas.FeedQuery) -> schemas.FeedOut:
    """What was changed, in order; whoever keeps `next_cursor` misses nothing and sees nothing twice.

    An entry in which the caller may see nothing is left out, so a page may have fewer items than asked for, or none:
    `more` says whether to go on. Entries are kept for 400 days.
    """
    await numbering.number(rounds=1)
    head = await queries.head()
    after = head.first - 1 if query.cursor is None else _read(query.cursor)
    if not head.first - 1 <= after <= head.seq:  # behind the end: the database came back from before
        raise FeedExpired
    entries = await queries.list_entries(after, query.limit)
    last = entries[-1].seq if entries else after
    items = await views.shown(entries, caller.subscriber)
    return schemas.FeedOut(items, make_cursor(str(last)), more=last < head.seq)


@router.get("/v1/feeds/members/{member_id}", guard=subscriber, summary="会员当前资料", errors=(NotFound,))
async def read_member(caller: SubscriberCaller, member_id: str) -> schemas.SnapshotItem:
    """One member as it is now."""
    number = ids.read_bigint(member_id)
    items, _ = await views.snapshot(number - 1, 1, caller.subscriber) if number else ([], None)
    if not items or items[0].member.id != member_id:
        raise NotFound("there is no such member")
    return items[0]


@router.get("/v1/feeds/snapshot", guard=subscriber, summary="会员全量", errors=(ValidationFailed,))
async def read_snapshot(caller: SubscriberCaller, query: schemas.SnapshotQuery) -> schemas.SnapshotOut:
    """All members as they are now, by id; then the feed from the first page's `feed_cursor` on."""
    await numbering.number(rounds=1)
    head = await queries.head()
    after = 0 if query.cursor is None else _read(query.cursor)
    items, following = await views.snapshot(after, query.limit, caller.subscriber)
    cursor = make_cursor(str(following)) if following is not None else None
    return schemas.SnapshotOut(items, cursor, make_cursor(str(head.seq)))


def _read(cursor: str) -> int:
    parts = read_cursor(cursor, 1)
    if parts is None or not (parts[0].isascii() and parts[0].isdigit() and len(parts[0]) <= 19):
        raise invalid("/query/cursor", "not a cursor of this list")
    number = int(parts[0])
    if number >= 1 << 63:
        raise invalid("/query/cursor", "not a cursor of this list")
    return number
