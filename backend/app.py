"""The HTTP application: every domain's routes over the kernel, and in demo mode the simulator and the pages."""

from __future__ import annotations

import pkgutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import asyncpg

from backend.kernel import clock, config, db, events, migrations
from backend.kernel.config import Settings, SettingsError

if TYPE_CHECKING:
    from backend.kernel.http import Check, Router
    from backend.kernel.http.app import HttpApp
    from miniapp_mock.simulator import MailConfig, MisConfig, SimulatorConfig, SmsConfig

# In the order of the layers, lowest first; a domain without HTTP is not listed.
ROUTES = (
    "backend.wechat.routes",
    "backend.auth.routes",
    "backend.approvals.routes",
    "backend.members.routes",
    "backend.merging.routes",
    "backend.feeds.routes",
    "backend.membercards.routes",
    "backend.privacy.routes",
    "backend.registration.routes",
    "backend.messages.routes",
    "backend.lifecycle.routes",
    "backend.groups.routes",
    "backend.wallet.routes",
    "backend.coupons.routes",
    "backend.points.routes",
    "backend.rebates.routes",
    "backend.giftcards.routes",
    "backend.passes.routes",
    "backend.stamps.routes",
    "backend.cards.routes",
    "backend.mall.routes",
    "backend.stock.routes",
    "backend.overrides.routes",
    "backend.discounts.routes",
    "backend.identities.routes",
    "backend.orders.routes",
    "backend.gifts.routes",
    "backend.pos.routes",
    "backend.reconciliation.routes",
    "backend.shifts.routes",
    "backend.surveys.routes",
    "backend.notices.routes",
    "backend.suggestions.routes",
    "backend.cases.routes",
    "backend.conversations.routes",
    "backend.care.routes",
    "backend.contact.routes",
)

SIMULATOR_PATH = "/mock/wechat"
SMS_PATH = "/mock/sms"
MAIL_PATH = "/mock/mail"
MIS_PATH = "/mock/mis"


@asynccontextmanager
async def resources(settings: Settings) -> AsyncIterator[None]:
    """What a process that serves requests has open: pools, Redis, the ledger's writer, the live channel.

    Closed in reverse, so that what was handed to the ledger is posted before its connections go. Raises
    ``SettingsError`` where the database does not let us in.
    """
    from backend.kernel import live, redis
    from backend.ledger import service as ledger
    from backend.messages import channels
    from backend.wechat import service as wechat

    config.use(settings)
    if settings.clock_file:
        clock.follow(Path(settings.clock_file))
    async with AsyncExitStack() as stack:
        try:
            await db.open_pools(settings)
        except (*db.UNREACHABLE, asyncpg.PostgresError) as error:
            raise SettingsError(f"HUIYUAN_DATABASE_URL: cannot connect ({type(error).__name__}: {error})") from error
        stack.push_async_callback(db.close_pools)
        await redis.open_client(settings)
        stack.push_async_callback(redis.close_client)
        await live.start(settings)
        stack.push_async_callback(live.stop)
        await ledger.open_writer(settings)
        stack.push_async_callback(ledger.close_writer)
        await wechat.open_client(settings)
        stack.push_async_callback(wechat.close_client)
        stack.push_async_callback(channels.close)
        yield


def create_app(settings: Settings) -> HttpApp:
    """The ASGI application; whoever runs it holds ``resources`` open around it."""
    from backend.coupons import queries as coupons
    from backend.kernel.http import build_app, database_check, redis_check
    from backend.mall import queries as mall

    config.use(settings)
    # With them come the templates of letters, and what each domain holds of members; in the order of the layers, as the
    # worker has them.
    names = [name.removesuffix(".routes") for name in ROUTES]
    above = names.index("backend.merging") + 1
    events.load([*names[:above], "backend.audience", *names[above:]])
    coupons.name_categories_by(mall.category_names)
    mounts = _demo_mounts(settings) if settings.demo else _console_mounts(settings)

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for _path, mounted in mounts:
                if hasattr(mounted, "aclose"):
                    stack.push_async_callback(mounted.aclose)
            yield

    return build_app(
        routers(),
        lifespan=lifespan,
        mounts=mounts,
        checks=(database_check, _migrations_check(), redis_check),
        settings=settings,
    )


def routers() -> list[Router]:
    """Every domain's routers: ``routes.router``, or where routes is a package, that of each of its modules."""
    found: list[Router] = []
    for name in ROUTES:
        for module in _modules(name):
            found += [module.router] if hasattr(module, "router") else []
    return found


def _modules(name: str) -> list[ModuleType]:
    module = import_module(name)
    inner = pkgutil.iter_modules(module.__path__) if hasattr(module, "__path__") else ()
    return [module, *(import_module(f"{name}.{info.name}") for info in inner)]


def _migrations_check() -> Check:
    """Ready only on the schema this release was written for; asked until it is once so, migrations never vanish."""
    from backend.kernel.http import Check

    seen = False

    async def probe() -> None:
        nonlocal seen
        if not seen and (lacking := await migrations.missing(db.fetch)):
            raise RuntimeError(f"migrations not applied: {', '.join(lacking)}")
        seen = True

    return Check(name="migrations", probe=probe)


def _console_mounts(settings: Settings) -> Sequence[tuple[str, Any]]:
    """Outside of the demo: of the pages the staff console alone, unless the chain wants none."""
    if not settings.console:
        return []
    from miniapp_mock import pages

    return [("", pages.build(settings.chain_name, settings.brand_color, console_only=True))]


def _demo_mounts(settings: Settings) -> Sequence[tuple[str, Any]]:
    from miniapp_mock import pages, simulator

    return [
        (SIMULATOR_PATH, simulator.build(simulator_config(settings))),
        (SMS_PATH, simulator.build_sms(sms_config(settings))),
        (MAIL_PATH, simulator.build_mail(mail_config(settings))),
        (MIS_PATH, simulator.build_mis(mis_config(settings))),
        ("", pages.build(settings.chain_name, settings.brand_color)),
    ]


def simulator_config(settings: Settings) -> SimulatorConfig:
    """The simulator's side of the demo's secrets: it holds the platform's private key and the merchant's public one."""
    from backend.engines import datadir
    from miniapp_mock.simulator import SimulatorConfig

    data = Path(settings.demo_data)
    return SimulatorConfig(
        database_url=_simulator_url(data),
        base_url=settings.base_url,
        app_id=settings.wechat_app_id,
        app_secret=settings.wechat_app_secret,
        mch_id=settings.wechat_mch_id,
        mch_public_key_pem=(data / "keys" / "merchant_public.pem").read_text(),
        mch_serial=settings.wechat_mch_serial,
        api_v3_key=settings.wechat_api_v3_key,
        push_token=settings.wechat_push_token,
        encoding_aes_key=settings.wechat_encoding_aes_key,
        platform_private_key_pem=(data / "keys" / "platform_private.pem").read_text(),
        platform_serial=datadir.secrets_of(data).platform_serial,
        now=clock.now,
    )


def sms_config(settings: Settings) -> SmsConfig:
    """The simulated SMS gateway's side: the same secret, and where to report."""
    from miniapp_mock.simulator import SmsConfig

    return SmsConfig(
        database_url=_simulator_url(Path(settings.demo_data)),
        base_url=settings.base_url,
        secret=settings.sms_secret,
        now=clock.now,
    )


def mail_config(settings: Settings) -> MailConfig:
    """The demo's mailbox: where it keeps what its mail server took."""
    from miniapp_mock.simulator import MailConfig

    return MailConfig(database_url=_simulator_url(Path(settings.demo_data)), now=clock.now)


def mis_config(settings: Settings) -> MisConfig:
    """The demo's other system of the chain: where it keeps what it was told."""
    from miniapp_mock.simulator import MisConfig

    return MisConfig(database_url=_simulator_url(Path(settings.demo_data)), now=clock.now)


def _simulator_url(data: Path) -> str:
    from backend.engines import embedded

    urls = embedded.running_urls(data)
    if urls is None:
        raise SettingsError(f"HUIYUAN_DEMO_DATA: no engines run on {data}; start with `huiyuan demo`")
    return urls["simulator"]
