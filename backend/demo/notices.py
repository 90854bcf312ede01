"""What the demo chain tells: announcements that some members have read, and a handbook for members and for staff."""

from __future__ import annotations

from datetime import datetime, timedelta

from backend.audience.types import Audience
from backend.auth import queries as auth
from backend.auth.types import Role, StaffCaller
from backend.kernel import clock, db
from backend.kernel.http import Idempotency
from backend.notices.commands import announcements, handbook
from backend.notices.schemas import AnnouncementIn, ChapterIn, DraftIn
from backend.notices.types import Visibility

READ_BY = {"summer": 640, "members": 1_180, "store": 96}
"""How many of the members have read it."""

MEMBERS_DAY = """
每月 **18 日** 全场消费得双倍积分，线上线下都算。

1. 结账时出示会员码
2. 积分当天到账，次年年底前有效

积分怎么用，见 [服务手册](#/handbook)。
"""
HOURS = """
应邻居们的要求，各店营业时间延长一小时：

| 门店 | 时间 |
| --- | --- |
| 南京路店 | 8:00–23:00 |
| 徐家汇店 | 8:00–23:00 |
| 西湖店 | 8:30–22:30 |

> 节假日以门店公告为准
"""
TASTING = "邀您到店品鉴当季新茶，带上会员码即可入席。"
LOCKER = "门口新装了自提柜，凭 **自提码** 二十四小时可取。"
_GOLD = Audience(levels=("gold", "black"))

ANNOUNCEMENTS = (
    (
        "members",
        None,
        AnnouncementIn(title="每月 18 日双倍积分", summary="门店、商城同享", body=MEMBERS_DAY, pinned=True),
    ),
    ("summer", None, AnnouncementIn(title="门店营业时间调整", summary="即日起延长一小时", body=HOURS)),
    ("gold", None, AnnouncementIn(title="金卡专享：新茶试饮会", summary="每店二十席", body=TASTING, audience=_GOLD)),
    ("store", "S003", AnnouncementIn(title="西湖店自提柜启用", summary="随到随取", body=LOCKER)),
)

EARN = """
每消费 1 元得 1 积分，等级越高倍数越高。

- 100 积分抵 1 元
- 优惠券抵扣的部分不计积分
- 退货会扣回相应积分

积分在获得次年的年底过期，过期前会提醒您。
"""
LEVELS = """
| 等级 | 累计消费 | 折扣 |
| --- | --- | --- |
| 银卡 | 500 元 | 97 折 |
| 金卡 | 2000 元 | 95 折 |
| 黑金 | 8000 元 | 92 折 |
"""
RETURNS = """
**七天内** 凭小票或订单可以退货，**十五天内** 可以换货。

1. 商品完好、配件齐全
2. 生鲜、贴身用品除外
3. 退款按原路退回：余额、积分、优惠券一并退还

网上买的，在 [我的订单](#/orders) 里申请。
"""
DELIVERY = "江浙沪满 99 元包邮，其他地区按重量计费。选自提的，备货完成后会通知您，凭自提码到店取货。"
OPENING = """
1. 开店前核对备用金，检查收银机网络
2. 断网时继续收银，恢复后补登积分
3. 打烊后清点、交班，记录差异
"""
CALLING = "先报店名和姓名，再送祝福。**不要推销。** 顾客不方便就道歉结束，把任务标为跳过并写明原因。"
CODE = "会员码一个码完成识别、折扣和支付。余额、积分、优惠券都在里面。"

CHAPTERS = (
    ("points", None, "会员与积分", Visibility.EVERYONE, CODE),
    ("earn", "points", "积分怎么来、怎么用", Visibility.EVERYONE, EARN),
    ("levels", "points", "会员等级", Visibility.EVERYONE, LEVELS),
    ("shopping", None, "购物与售后", Visibility.EVERYONE, "线上线下同价，库存以下单时为准。"),
    ("returns", "shopping", "退货与换货", Visibility.EVERYONE, RETURNS),
    ("delivery", "shopping", "配送与自提", Visibility.EVERYONE, DELIVERY),
    ("gold", "points", "金卡专属服务", Visibility.LEVELS, "免费礼品包装、优先配送，直接[联系客服](#/chat)即可。"),
    ("staff", None, "店务手册", Visibility.STAFF, "仅供员工阅读。"),
    ("opening", "staff", "开店与打烊", Visibility.STAFF, OPENING),
    ("calling", "staff", "生日问候怎么说", Visibility.STAFF, CALLING),
)


async def load() -> None:
    """Write and publish all of it, as head office and the store's manager would."""
    await _write_handbook()
    now = clock.now()
    for number, (name, store_id, body) in enumerate(ANNOUNCEMENTS):
        caller = await _caller(store_id)
        made, _ = await announcements.create(caller, body, Idempotency(f"demo-{name}", b"demo"))
        await announcements.publish(caller, made.id, made.version)
        await _age(made.id, now - timedelta(days=3 * number + 1), READ_BY.get(name, 0), store_id)


async def _write_handbook() -> None:
    admin = (await _caller(None)).staff_id
    ids: dict[str, str] = {}
    for sort, (name, parent, title, visibility, body) in enumerate(CHAPTERS):
        levels = ("gold", "black") if visibility is Visibility.LEVELS else ()
        chapter = ChapterIn(
            title=title,
            body=body,
            sort=sort,
            visibility=visibility,
            levels=levels,
            parent_id=ids[parent] if parent else None,
        )
        made, _ = await handbook.create(admin, chapter, Idempotency(f"demo-{name}", b"demo"))
        ids[name] = made.id
        if made.current is None:
            await handbook.publish(admin, made.id, 1)
    draft = DraftIn(
        title="退货与换货",
        body=f"{RETURNS}\n大件商品可以约上门取件。\n",
        note="加上门取件，待客服确认",
        revision=0,
    )
    if (await handbook.get_chapter(ids["returns"])).draft is None:
        await handbook.save_draft(admin, ids["returns"], draft)


async def _caller(store_id: str | None) -> StaffCaller:
    role = Role.ADMIN if store_id is None else Role.MANAGER
    staff_id = await db.fetchval(
        "SELECT id FROM auth_staff WHERE role = $1 AND store_id IS NOT DISTINCT FROM $2 ORDER BY id LIMIT 1",
        role.value,
        store_id,
    )
    return await auth.get_caller(staff_id)


async def _age(announcement_id: str, since: datetime, readers: int, store_id: str | None) -> None:
    """It was published a while ago, and so many members have read it since."""
    async with db.transaction() as tx:
        connection = db.raw(tx)
        await connection.execute(
            "UPDATE notice_announcement SET starts_at = $2, published_at = $2 WHERE id = $1", announcement_id, since
        )
        await connection.execute(
            "INSERT INTO notice_receipt (member_id, announcement_id, read_at)"
            " SELECT id, $1, $2::timestamptz + number * interval '97 seconds' FROM ("
            "   SELECT id, row_number() OVER (ORDER BY md5(id::text || $1)) AS number FROM member"
            "    WHERE $4::text IS NULL OR store_id = $4) m WHERE number <= $3"
            " ON CONFLICT DO NOTHING",
            announcement_id,
            since,
            readers,
            store_id,
        )
