"""Letters as the demo chain writes them: texts of its own, members who want them, a batch on its way, one planned."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from backend.audience.types import Audience
from backend.auth import queries as auth
from backend.auth.types import StaffCaller
from backend.kernel import clock, db
from backend.kernel.db import Tx
from backend.kernel.vault import vault
from backend.messages import service
from backend.messages.commands import batches, templates
from backend.messages.errors import MessageTemplateConflict
from backend.messages.queries import addresses
from backend.messages.schemas import BatchIn, TemplateIn, TextIn, VariableIn, VersionIn
from backend.messages.types import Channel, Purpose, VariableKind

NEWS = TemplateIn(
    code="promo.new_goods",
    purpose=Purpose.MARKETING,
    title="{what}上新了",
    body="{member_name}，{what}到店了，{until} 前会员价 {price}，快来尝鲜。",
    channels=(Channel.INBOX, Channel.SMS, Channel.EMAIL),
    texts={Channel.SMS: TextIn(body="{what}到店，{until}前会员价{price}。")},
    variables=(
        VariableIn(name="what", label="商品", sample="妃子笑荔枝"),
        VariableIn(name="until", kind=VariableKind.DATE, label="截止日"),
        VariableIn(name="price", kind=VariableKind.MONEY, label="会员价", sample="1980"),
    ),
)
SENT = VersionIn(
    title="订单已发货",
    body="{member_name}，您的订单已全部发出，请留意收货。",
    channels=(Channel.INBOX, Channel.WECHAT),
    texts={
        Channel.WECHAT: TextIn(
            template_id="DEMO-ORDER-SENT", fields={"thing1": "您的订单已发货", "thing4": "请留意收货，{member_name}"}
        )
    },
)
WILLING = 3
"""Of so many members one wants marketing, in the inbox, by SMS and by e-mail."""


async def load() -> None:
    """Write the texts, note who wants what, start one batch and plan another."""
    office = await admin()
    now = clock.now()
    with suppress(MessageTemplateConflict):  # a load that was cut short is done again
        await templates.create_template(NEWS, office.staff_id)
    await templates.write_version("order.sent", SENT, office.staff_id)
    await _agree()
    done, _ = await batches.create_batch(_batch("荔枝上新", "妃子笑荔枝", now, 1_980), office, "demo-batch-1")
    await batches.move_batch(done.id, "start", office)
    later = _batch("年货节预告", "年货礼盒", now, 19_800, send_at=now + timedelta(days=14))
    planned, _ = await batches.create_batch(later, office, "demo-batch-2")
    await batches.move_batch(planned.id, "start", office)
    await batches.create_batch(_batch("会员日提醒（草稿）", "会员日商品", now, 990), office, "demo-batch-3")


def _batch(title: str, what: str, now: datetime, price_fen: int, send_at: datetime | None = None) -> BatchIn:
    until = clock.days_after(clock.local_date(send_at or now, "Asia/Shanghai"), 7)
    return BatchIn(
        title=title,
        template=NEWS.code,
        values={"what": what, "until": until.isoformat(), "price": str(price_fen)},
        audience=Audience(store_ids=("S001",)),
        link="#/mall",
        send_at=send_at,
    )


async def _agree() -> None:
    """Some members want to hear of offers, and everybody of care, as members of a chain that asks at registration."""
    ids = [row["id"] for row in await db.fetch("SELECT id FROM member WHERE status = 'active' ORDER BY id LIMIT 200")]
    async with db.transaction() as tx:
        for number, member_id in enumerate(ids):
            await service.set_consent(tx, member_id, Channel.INBOX, Purpose.CARE, granted=True, by="member")
            if number % WILLING == 0:
                for channel in NEWS.channels:
                    await service.set_consent(tx, member_id, channel, Purpose.MARKETING, granted=True, by="member")
                await _give_email(tx, member_id)


async def _give_email(tx: Tx, member_id: int) -> None:
    """An address of a domain that nobody has, confirmed; in the demo what is sent there is read in its mailbox."""
    address = f"member-{member_id % 100_000}@mail.example"
    await db.raw(tx).execute(
        "INSERT INTO message_email (member_id, sealed, address_index, confirmed_at, updated_at)"
        " VALUES ($1, $2, $3, $4, $4) ON CONFLICT DO NOTHING",
        member_id,
        vault().seal(address.encode(), context=addresses.EMAIL_CONTEXT),
        addresses.email_index(address),
        clock.now(),
    )


async def admin() -> StaffCaller:
    """Head office, as the one who asked."""
    staff_id = await db.fetchval("SELECT id FROM auth_staff WHERE role = 'admin' ORDER BY id LIMIT 1")
    return await auth.get_caller(staff_id)
