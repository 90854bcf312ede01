"""Load the demo chain into a fresh database, once; say what a client of the demo needs to know, every time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from backend import worker
from backend.auth import service as auth
from backend.auth.types import Store
from backend.kernel import clock, db
from backend.kernel.config import Settings
from backend.kernel.vault import vault
from backend.ledger import service as ledger
from backend.ledger.plans import encode
from backend.members import queries as members
from backend.members import rules as member_rules

from . import (
    attributes,
    audience,
    care,
    chats,
    contact,
    coupons,
    feeds,
    gift_cards,
    gifts,
    labels,
    levels,
    mall,
    member_cards,
    merging,
    messages,
    notices,
    orders,
    papers,
    passes,
    places,
    points,
    privacy,
    rebates,
    reconciliation,
    registration,
    sold,
    staff,
    stamps,
    stock,
    stored_value,
    surveys,
    tills,
    voice,
)
from .catalogue import CATEGORIES, make_articles
from .history import OFFERS, MemberYear, Stores
from .people import Person, make_people

MEMBERS = 2000
LANES = 2
CHUNK = 50

STORES = (
    Store(id="S001", name="南京路店", timezone="Asia/Shanghai", address="上海市黄浦区南京东路 100 号"),
    Store(id="S002", name="徐家汇店", timezone="Asia/Shanghai", address="上海市徐汇区虹桥路 1 号"),
    Store(id="S003", name="西湖店", timezone="Asia/Shanghai", address="杭州市西湖区曙光路 15 号"),
)
TILLS = 2
BASIC_DISCOUNT_BP = 200
LEVELS = (
    ("silver", "银卡会员", 300, 12_000, 50_000),
    ("gold", "金卡会员", 500, 15_000, 200_000),
    ("black", "黑金会员", 800, 20_000, 800_000),
)


async def load(settings: Settings, say: Callable[[str], None], *, people: bool = True) -> dict[str, Any]:
    """Load what is missing and return ``{"terminals", "staff", "gift_cards", "shoppers"}``, or only the chain of it.

    The secrets are derived from the data directory's master key: the same at every start, different everywhere else.
    """
    worker.load()  # what domains bring along for letters is declared beside their handlers
    await db.open_pools(settings)
    try:
        for table, words, fill in _steps(settings, say, people=people):
            if not await db.fetchval(f"SELECT true FROM {table} LIMIT 1"):  # noqa: S608 - a name of ours
                say(words)
                await fill()
        told = {"gift_cards": gift_cards.told(), "shoppers": await orders.told()} if people else {}
    finally:
        await db.close_pools()
    return {"terminals": _terminals(), "staff": _staff()} | told


Step = tuple[str, str, Callable[[], Awaitable[None]]]
"""A table that is not empty once the step was done, what is said of it, and the step."""


def _steps(settings: Settings, say: Callable[[str], None], *, people: bool) -> list[Step]:
    """Everything in its order: what is there already is left as it is."""

    async def members() -> None:
        # At once: a load that was cut short before is done again, its keys make that safe.
        await _load_members(settings, say)
        await sold.count(clock.now())

    async def conversations() -> None:
        await chats.load(settings)

    async def at_tills() -> None:
        await _load_tills(settings)

    async def bills() -> None:
        await reconciliation.load(settings)

    async def subscribers() -> None:
        await feeds.load(settings)

    of_chain: list[Step] = [
        ("auth_store", "stores, tills, staff, articles", _load_chain),
        ("mall_product", "the mall", _load_mall),
    ]
    of_people: list[Step] = [
        ("member", "members", members),
        ("audience_bought", "what they bought", audience.count_year),
        ("membercard_type", "member cards", member_cards.load),
        ("coupon_template", "coupons", _load_coupons),
        ("pass_product", "passes", _load_passes),
        ("giftcard_product", "gift cards", _load_gift_cards),
        ("stamp_campaign", "campaign cards", _load_campaigns),
        ("points_rule", "earning rules, points between friends", points.load),
        ("shift", "tills: limits, discounts, shifts", at_tills),
        ("group_account", "levels, stages, groups", levels.load),
        ("member_attribute", "attributes of members", attributes.load),
        ("rebate_scheme", "rebates: schemes, last month's statements", rebates.load),
        ("wallet_refund", "refunds of recharges", stored_value.load),
        ("merging_merge", "members who joined twice, what groups' owners allot", merging.load),
        ("suggestion_box", "suggestion boxes", _load_boxes),
        ("feedback_case", "feedback", _load_cases),
        ("feedback_gift", "what feedback gives", voice.load_gifts),
    ]
    of_shops: list[Step] = [
        ("stock_level", "stock", _load_stock),
        ("orders_delivery_rule", "delivery", orders.load_rules),
        ("orders_spot", "tables and shelves", orders.load_spots),
    ]
    of_shoppers: list[Step] = [
        ("stock_document", "purchasing", papers.load),
        ("orders_order", "orders", orders.load_orders),
        ("gifts_gift", "gifts for points", gifts.load),
        ("conversation_rule", "customer service", conversations),
        ("notice_announcement", "announcements, the handbook", notices.load),
        ("message_batch", "letters", messages.load),
        ("message_sheet", "address labels", labels.load),
        ("care_task", "care", care.load),
        ("survey_project", "surveys", surveys.load),
        ("contact_look", "who was looked up", contact.load),
        ("privacy_consent", "consents, somebody's data, who leaves", privacy.load),
        ("feed_subscriber", "other systems", subscribers),
        ("reconciliation_bill", "WeChat's bills, what stores owe each other", bills),
        ("approval", "what waits for a second person", staff.load_approvals),
        ("registration_policy", "registrations, a table from an old system, memberships that end", registration.load),
        ("auth_audit", "the audit log", staff.load_log),
    ]
    return of_chain + (of_people if people else []) + of_shops + (of_shoppers if people else [])


async def _load_mall() -> None:
    store_ids = [store.id for store in STORES]
    async with db.transaction() as tx:
        await mall.load(tx, store_ids, clock.now())
        await places.load_pictures(tx, store_ids, clock.now())


async def _load_stock() -> None:
    await stock.fill([store.id for store in STORES], clock.now())


def _secret(purpose: str) -> str:
    return vault().derive(f"demo:{purpose}").hex()


def _terminals() -> list[dict[str, Any]]:
    return [
        {"id": terminal_id, "secret": _secret(f"terminal:{terminal_id}")[:32], "store_id": store.id}
        for store in STORES
        for terminal_id in _terminal_ids(store.id)
    ]


def _terminal_ids(store_id: str) -> tuple[str, ...]:
    return tuple(f"{store_id}-T{number}" for number in range(1, TILLS + 1))


def _staff() -> list[dict[str, Any]]:
    people = [{"username": "admin", "role": "admin", "store_id": None}]
    for number, store in enumerate(STORES, 1):
        people.append({"username": f"manager{number}", "role": "manager", "store_id": store.id})
        people.append({"username": f"clerk{number}", "role": "clerk", "store_id": store.id})
    people += [{"username": role, "role": role, "store_id": None} for role in staff.PEOPLE]
    return [
        person | {"password": _secret(f"staff:{person['username']}")[:20], "totp_secret": None} for person in people
    ]


async def _load_chain() -> None:
    hired = [(person, await auth.hash_secret(person["password"])) for person in _staff()]
    async with db.transaction() as tx:
        for store in STORES:
            await auth.create_store(tx, store)
        for terminal in _terminals():
            name = f"{terminal['id'][-1]} 号收银台"
            await auth.create_terminal(
                tx, terminal["store_id"], name, terminal_id=terminal["id"], secret=terminal["secret"]
            )
        for person, hashed in hired:
            await auth.create_staff(
                tx,
                username=person["username"],
                password_hash=hashed,
                role=person["role"],
                store_id=person["store_id"],
            )
        await _copy_rules(db.raw(tx))


async def _copy_rules(connection: asyncpg.Connection) -> None:
    """Levels, recharge offers, categories and articles."""
    await connection.execute("UPDATE member_level SET discount_bp = $1 WHERE code = 'basic'", BASIC_DISCOUNT_BP)
    await connection.copy_records_to_table(
        "member_level",
        records=LEVELS,
        columns=("code", "name", "discount_bp", "points_multiplier_bp", "growth_from_fen"),
    )
    now = clock.now()
    offers = [
        (f"R{pay // 100}", pay, bonus, points, False, True, number, now)
        for number, (pay, bonus, points) in enumerate(OFFERS, 1)
    ]
    await connection.copy_records_to_table(
        "wallet_offer",
        records=[("NEW100", 10_000, 1_000, 100, True, True, 0, now), *offers],
        columns=("id", "pay_fen", "bonus_fen", "points", "first_only", "active", "sort", "updated_at"),
    )
    await connection.copy_records_to_table(
        "mall_category",
        records=[(c.code, c.name, c.points_rate_bp) for c in CATEGORIES],
        columns=("code", "name", "points_rate_bp"),
    )
    await connection.copy_records_to_table(
        "mall_article",
        records=[(a.sku, a.barcode, a.name, a.category, a.unit_price_fen, a.cost_fen, True) for a in make_articles()],
        columns=("sku", "barcode", "name", "category_id", "unit_price_fen", "cost_fen", "active"),
    )


async def _load_members(settings: Settings, say: Callable[[str], None]) -> None:
    now = clock.now()
    levels = await members.list_levels()
    stores = Stores(tuple(store.id for store in STORES), {store.id: _terminal_ids(store.id) for store in STORES})
    articles = make_articles()
    years = [MemberYear(person, settings, levels, stores, articles) for person in make_people(MEMBERS, now)]
    owners = [await asyncpg.connect(**db.connect_args(settings.migrate_database_url)) for _ in range(LANES)]
    try:
        await owners[0].execute("SELECT ledger_make_partitions($1, 14)", (now - timedelta(days=366)).date())
        await _post_years(owners, years, now, say)
        await _copy_members(owners[0], years)
        await owners[0].execute("ANALYZE")
    finally:
        for owner in owners:
            await owner.close()


async def _load_tills(settings: Settings) -> None:
    """Tills post through the ledger's writer, which nothing else of a demo needs."""
    await ledger.open_writer(settings)
    try:
        await tills.load()
    finally:
        await ledger.close_writer()


async def _load_passes() -> None:
    await passes.load_products(clock.now())
    rows = await db.fetch("SELECT id FROM member ORDER BY created_at, id")
    await passes.hand_out([row["id"] for row in rows], clock.now())


async def _load_coupons() -> None:
    await coupons.load_templates(clock.now())
    rows = await db.fetch("SELECT id FROM member ORDER BY created_at, id")
    await coupons.hand_out([row["id"] for row in rows])


async def _load_gift_cards() -> None:
    rows = await db.fetch("SELECT id FROM member ORDER BY created_at, id")
    store = STORES[0]
    await gift_cards.load([row["id"] for row in rows], store.id, _terminal_ids(store.id)[0], clock.now())


async def _load_campaigns() -> None:
    """Stamps for some, and the first store's manager is the first member."""
    now = clock.now()
    await stamps.load_campaigns(now)
    rows = await db.fetch("SELECT id FROM member ORDER BY created_at, id")
    await stamps.begin_cards([row["id"] for row in rows], now)
    async with db.transaction() as tx:
        manager = await db.fetchval("SELECT id FROM auth_staff WHERE username = 'manager1'")
        await auth.link_member(tx, manager, rows[0]["id"])


async def _load_boxes() -> None:
    rows = await db.fetch("SELECT id FROM member ORDER BY created_at, id LIMIT 100")
    await voice.load_boxes([row["id"] for row in rows])


async def _load_cases() -> None:
    rows = await db.fetch("SELECT id FROM member ORDER BY created_at, id LIMIT 400")
    await voice.load_cases([row["id"] for row in rows])


async def _post_years(
    owners: list[asyncpg.Connection], years: list[MemberYear], now: datetime, say: Callable[[str], None]
) -> None:
    """Post every year through the offline door; plans are priced here while the lanes post the chunks before."""
    free: asyncio.Queue[asyncpg.Connection] = asyncio.Queue()
    for owner in owners:
        free.put_nowait(owner)

    async def post(owner: asyncpg.Connection, member_ids: list[int], texts: list[str]) -> None:
        try:
            await owner.execute("SELECT ledger_load($1, $2::text[]::jsonb[])", member_ids, texts)
        finally:
            free.put_nowait(owner)

    async with asyncio.TaskGroup() as tasks:
        for start in range(0, len(years), CHUNK):
            chunk = years[start : start + CHUNK]
            plans = [plan for year in chunk for plan in year.plans(now)]
            owner = await free.get()
            tasks.create_task(post(owner, [plan.member_id for plan in plans], [encode(plan) for plan in plans]))
            say(f"a year of sales: {min(start + CHUNK, len(years))} of {len(years)} members")


async def _copy_members(owner: asyncpg.Connection, years: list[MemberYear]) -> None:
    box = vault()
    no_sales = [year.person.member_id for year in years]
    await owner.execute(
        "INSERT INTO ledger_head (member_id) SELECT unnest($1::bigint[]) ON CONFLICT DO NOTHING", no_sales
    )

    def record(year: MemberYear) -> tuple[Any, ...]:
        person: Person = year.person
        return (
            person.member_id,
            member_rules.make_member_no(person.number * 41_000_017 + 7),
            person.name,
            box.seal(person.phone.encode(), context=members.PHONE_CONTEXT),
            members.phone_index(person.phone),
            person.birthday,
            person.gender,
            STORES[person.store].id,
            year.level.code,
            "active",
            year.growth_fen,
            "{}",
            person.joined_at,
            person.joined_at,
        )

    await owner.copy_records_to_table(
        "member",
        records=[record(year) for year in years],
        columns=(
            "id",
            "member_no",
            "name",
            "phone_sealed",
            "phone_index",
            "birthday",
            "gender",
            "store_id",
            "level_id",
            "status",
            "growth_fen",
            "attributes",
            "created_at",
            "updated_at",
        ),
    )


__all__ = ["OFFERS", "load"]
