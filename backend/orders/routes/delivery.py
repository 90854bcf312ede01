"""The phone's address book, what a store sends, and head office's rules of delivery."""

from __future__ import annotations

from backend.auth.guards import member, staff
from backend.auth.types import MemberCaller, Permission, StaffCaller
from backend.kernel.errors import NotFound, Unavailable, ValidationFailed
from backend.kernel.http import Router
from backend.members.errors import FieldLocked

from .. import addresses, queries
from ..commands import addresses as book
from ..commands import delivery_rules
from ..errors import AddressBookFull, DeliveryRulesFull
from ..rules import delivery as rules
from ..schemas.delivery import (
    AddressesOut,
    AddressIn,
    AddressOut,
    DeliveryOfferOut,
    DeliveryOfferQuery,
    DeliveryRuleIn,
    DeliveryRulesOut,
)
from ..types import DeliveryRule
from ..views.delivery import address_out

router = Router(tag="orders")

_ADDRESSES = "/v1/member/addresses"
_ADDRESS = f"{_ADDRESSES}/{{address_id}}"
_RULES = "/v1/admin/mall/delivery-rules"


@router.get(_ADDRESSES, guard=member, summary="收货地址")
async def list_addresses(caller: MemberCaller) -> AddressesOut:
    """The address book, masked but for the end of each street: the default first."""
    return AddressesOut([address_out(one, listed=True) for one in await addresses.list_addresses(caller.member_id)])


@router.post(
    _ADDRESSES,
    guard=member,
    status=201,
    summary="新增收货地址",
    errors=(AddressBookFull, FieldLocked, Unavailable, ValidationFailed),
)
async def add_address(caller: MemberCaller, body: AddressIn) -> AddressOut:
    """Add an address, at most twenty. One that is in the book already is not added again, so a retry adds nothing."""
    return address_out(await book.add(caller.member_id, body))


@router.get(_ADDRESS, guard=member, summary="收货地址详情", errors=(NotFound,))
async def get_address(caller: MemberCaller, address_id: str) -> AddressOut:
    """One address, whole."""
    return address_out(await addresses.get_address(caller.member_id, address_id[:64]))


@router.put(
    _ADDRESS, guard=member, summary="修改收货地址", errors=(FieldLocked, NotFound, Unavailable, ValidationFailed)
)
async def replace_address(caller: MemberCaller, address_id: str, body: AddressIn) -> AddressOut:
    """Change an address as a whole; orders keep the one they were placed with."""
    return address_out(await book.replace(caller.member_id, address_id, body))


@router.delete(_ADDRESS, guard=member, summary="删除收货地址", errors=(NotFound, Unavailable))
async def drop_address(caller: MemberCaller, address_id: str) -> None:
    """Take an address out of the book; orders keep it."""
    await book.drop(caller.member_id, address_id)


@router.get("/v1/member/mall/delivery", guard=member, summary="门店配送", errors=(ValidationFailed,))
async def get_offer(caller: MemberCaller, query: DeliveryOfferQuery) -> DeliveryOfferOut:
    """Whether a store sends goods, and from which sum on that may cost nothing; says nothing of any address."""
    return DeliveryOfferOut(*rules.free_from_at(await queries.delivery_rules(), query.store_id))


@router.get(_RULES, guard=staff(Permission.DELIVERY_MANAGE), summary="配送规则")
async def list_rules(caller: StaffCaller) -> DeliveryRulesOut:
    """The delivery rules, newest first, also those that are not in force."""
    return DeliveryRulesOut(await queries.list_delivery_rules())


@router.post(
    _RULES,
    guard=staff(Permission.DELIVERY_MANAGE),
    status=201,
    summary="新建配送规则",
    errors=(ValidationFailed, DeliveryRulesFull),
)
async def create_rule(caller: StaffCaller, body: DeliveryRuleIn) -> DeliveryRule:
    """Say what sending costs from some stores to some regions."""
    return await delivery_rules.create(body, caller.staff_id)


@router.put(
    f"{_RULES}/{{rule_id}}",
    guard=staff(Permission.DELIVERY_MANAGE),
    summary="修改配送规则",
    errors=(NotFound, ValidationFailed),
)
async def replace_rule(caller: StaffCaller, rule_id: str, body: DeliveryRuleIn) -> DeliveryRule:
    """Change a rule as a whole; orders that were placed keep what they cost."""
    return await delivery_rules.replace(rule_id, body, caller.staff_id)
