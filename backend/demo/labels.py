"""Members who are written to by post, with an address each, and a sheet of labels for them."""

from __future__ import annotations

import itertools

from backend.audience.types import Audience
from backend.kernel import db
from backend.members import queries as members
from backend.messages import service
from backend.messages.channel_schemas import SheetIn
from backend.messages.commands import labels
from backend.messages.types import Channel, Purpose
from backend.orders import addresses as books
from backend.orders.commands import addresses
from backend.orders.schemas.delivery import AddressIn

from .messages import admin

MEMBERS = 40
WITHOUT_CONSENT = 8
"""Of every so many with an address one does not want letters by post."""

PLACES = (
    ("320106", "江苏省", "南京市", "鼓楼区", "中山北路 {n} 号 3 幢 502 室"),
    ("310115", "上海市", "上海市", "浦东新区", "世纪大道 {n} 号 12 层"),
    ("330106", "浙江省", "杭州市", "西湖区", "文三路 {n} 号 华星时代广场 A 座 806 室"),
    ("440305", "广东省", "深圳市", "南山区", "科技园南区 高新南七道 {n} 号"),
    ("650104", "新疆维吾尔自治区", "乌鲁木齐市", "新市区", "北京南路 {n} 号 高新花园小区 12 号楼 3 单元 401 室"),
)


async def load() -> None:
    """Give some members an address, note who wants letters, and ask for their labels; a job prints them."""
    rows = await db.fetch(
        "SELECT id, member_no, name, phone_sealed FROM member WHERE status = 'active' ORDER BY id DESC LIMIT $1",
        MEMBERS,
    )
    for number, (row, place) in enumerate(zip(rows, itertools.cycle(PLACES), strict=False), 1):
        region, province, city, district, street = place
        body = AddressIn(
            name=row["name"],
            phone=members.open_phone(row["phone_sealed"]),
            region=region,
            province=province,
            city=city,
            district=district,
            street=street.format(n=number * 7),
        )
        if not await books.list_addresses(row["id"]):  # a load that was cut short is done again
            await addresses.add(row["id"], body)
        if number % WITHOUT_CONSENT:
            async with db.transaction() as tx:
                await service.set_consent(tx, row["id"], Channel.POST, Purpose.MARKETING, granted=True, by="member")
    meant = Audience(member_nos=tuple(row["member_no"] for row in rows))
    await labels.ask_for(SheetIn(audience=meant, skip=3, purpose=Purpose.MARKETING), await admin(), "demo-labels")
