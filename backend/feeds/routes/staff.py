"""What staff do with subscribers."""

from __future__ import annotations

import msgspec

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, limits
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Router
from backend.kernel.paging import place_cursor, read_place

from .. import queries, rules, schemas, views
from ..commands import delivering, subscribers
from ..errors import NoAddress, SubscriberConflict, SubscriberEnded, TooManySubscribers
from ..types import Subscriber, SubscriberState

router = Router(tag="feeds")

_MANAGE = staff(Permission.FEEDS_MANAGE)
_ALL = "/v1/admin/feeds/subscribers"
_ONE = f"{_ALL}/{{subscriber_id}}"
PINGS_AN_HOUR = 60


@router.get(_ALL, guard=_MANAGE, summary="数据订阅方列表")
async def list_subscribers() -> schemas.SubscribersOut:
    """Every subscriber, how far each is, and which fields there are to choose from."""
    head = await queries.head()
    return schemas.SubscribersOut(
        items=[_out(one, head.seq) for one in await queries.list_subscribers()],
        last=head.seq,
        fields=await views.fields(),
    )


@router.post(_ALL, guard=_MANAGE, status=201, summary="新增数据订阅方", errors=(ValidationFailed, TooManySubscribers))
async def create_subscriber(caller: StaffCaller, body: schemas.SubscriberIn) -> schemas.SubscriberMade:
    """Make a subscriber, told what happens from now on. Its key and its signing secret are shown this once."""
    await _check(body.fields, body.url)
    made = await subscribers.create(body.name, body.fields, body.url, caller, partner=body.partner)
    return schemas.SubscriberMade(subscriber=await _shown(made.id), key=made.key, secret=made.secret)


@router.get(_ONE, guard=_MANAGE, summary="数据订阅方", errors=(NotFound,))
async def get_subscriber(subscriber_id: str) -> schemas.SubscriberOut:
    """One subscriber."""
    return await _shown(subscriber_id)


@router.put(
    _ONE,
    guard=_MANAGE,
    summary="修改数据订阅方",
    errors=(NotFound, ValidationFailed, SubscriberConflict, SubscriberEnded),
)
async def change_subscriber(subscriber_id: str, body: schemas.SubscriberChange) -> schemas.SubscriberOut:
    """Let this be its name, its fields and its address, served or paused. A suspended one is called again."""
    await _check(body.fields, body.url)
    before = await queries.get_subscriber(subscriber_id)
    changed = msgspec.structs.replace(
        before,
        name=body.name,
        fields=tuple(body.fields),
        url=body.url,
        state=SubscriberState.ACTIVE if body.active else SubscriberState.PAUSED,
        partner=before.partner if body.partner is None else body.partner,
    )
    await subscribers.change(subscriber_id, body.version, changed)
    return await _shown(subscriber_id)


@router.delete(_ONE, guard=_MANAGE, status=204, summary="终止数据订阅方", errors=(NotFound, SubscriberEnded))
async def end_subscriber(subscriber_id: str) -> None:
    """Its key is dead and its address is called no more, for good."""
    await subscribers.end(subscriber_id)


@router.post(f"{_ONE}/key", guard=_MANAGE, summary="更换订阅方密钥", errors=(NotFound, SubscriberEnded))
async def renew_key(subscriber_id: str) -> schemas.KeyOut:
    """Another key, shown this once; the one before stays good for a day."""
    key = await subscribers.renew_key(subscriber_id)
    return schemas.KeyOut(key, clock.now() + rules.OVERLAP)


@router.post(f"{_ONE}/secret", guard=_MANAGE, summary="更换推送签名密钥", errors=(NotFound, SubscriberEnded))
async def renew_secret(subscriber_id: str) -> schemas.SecretOut:
    """Another signing secret, shown this once; for a day deliveries carry both signatures."""
    secret = await subscribers.renew_secret(subscriber_id)
    return schemas.SecretOut(secret, clock.now() + rules.OVERLAP)


@router.post(
    f"{_ONE}/replay",
    guard=_MANAGE,
    summary="重新推送",
    errors=(NotFound, ValidationFailed, SubscriberEnded, NoAddress),
)
async def replay(subscriber_id: str, body: schemas.ReplayIn) -> schemas.SubscriberOut:
    """Deliver everything after a number again."""
    await subscribers.replay(subscriber_id, body.after)
    return await _shown(subscriber_id)


@router.post(f"{_ONE}/ping", guard=_MANAGE, summary="测试推送", errors=(NotFound, NoAddress))
async def ping(subscriber_id: str) -> schemas.PingOut:
    """Call the address now, with nothing in it, and say what it answered."""
    await limits.hit(f"feeds:ping:{subscriber_id}", PINGS_AN_HOUR, 3600)
    outcome = await delivering.ping(subscriber_id)
    return schemas.PingOut(outcome.id, outcome.status, outcome.took_ms, outcome.error)


@router.get(f"{_ONE}/deliveries", guard=_MANAGE, summary="推送记录", errors=(NotFound, ValidationFailed))
async def list_deliveries(subscriber_id: str, query: schemas.DeliveriesQuery) -> schemas.DeliveriesOut:
    """A page of the calls of the address in the last 30 days, newest first."""
    await queries.get_subscriber(subscriber_id)
    before = read_place(query.cursor)
    found = await queries.list_deliveries(subscriber_id, before=before, limit=query.limit + 1)
    page = found[: query.limit]
    cursor = place_cursor(page[-1].at, page[-1].id) if len(found) > query.limit else None
    items = [schemas.DeliveryOut(**msgspec.structs.asdict(one)) for one in page]
    return schemas.DeliveriesOut(items, cursor)


async def _check(fields: list[str], url: str | None) -> None:
    known = {field.code for field in await views.fields()}
    for place, field in enumerate(fields):
        if field not in known:
            raise invalid(f"/fields/{place}", "there is no such field of members")
    if url is not None and not rules.is_address(url):
        raise invalid("/url", "must be http:// or https://, without a user, a fragment or a space")


async def _shown(subscriber_id: str) -> schemas.SubscriberOut:
    head = await queries.head()
    return _out(await queries.get_subscriber(subscriber_id), head.seq)


def _out(one: Subscriber, last: int) -> schemas.SubscriberOut:
    return schemas.SubscriberOut(
        **msgspec.structs.asdict(one) | {"fields": list(one.fields)},
        behind=0 if one.url is None else max(0, last - one.delivered),
    )
