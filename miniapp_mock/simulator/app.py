"""The ASGI application: every path of the simulator, one platform behind them."""

from __future__ import annotations

import logging

import asyncpg
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .bills import Bills
from .config import SimulatorConfig
from .crypto import PlatformKeys
from .customers import Customers
from .media import Media
from .miniprogram import MiniProgram
from .notify import Notifier
from .pay import Pay
from .payer import Payer
from .platform import Platform
from .push import Push
from .receipts import Receipts
from .refunds import Refunds
from .shipping import Shipping
from .state import Store
from .wire import json_response

log = logging.getLogger("miniapp_mock")


class Simulator:
    """The simulated platform as an ASGI application; it connects to its database at the first request."""

    def __init__(self, config: SimulatorConfig) -> None:
        store, keys = Store(config.database_url), PlatformKeys(config)
        self.platform = Platform(config, store, keys, Notifier(config, store, keys))
        self._app = _routes(self.platform)
        self._resumed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and not self._resumed:
            try:
                await self.start()
            except (OSError, asyncpg.PostgresError) as error:
                log.error("the simulator cannot reach its database: %s", type(error).__name__)
                answer = json_response({"code": "SYSTEM_ERROR", "message": "系统异常，请稍后重试"}, 503)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def start(self) -> None:
        """Connect, and send the notifications that an earlier process left behind; optional."""
        await self.platform.store.pool()
        self._resumed = True
        self.platform.notifier.wake()

    async def aclose(self) -> None:
        """Stop sending notifications (they stay stored) and close the connections."""
        await self.platform.notifier.aclose()
        await self.platform.store.aclose()

    def certificate_pem(self) -> str:
        """The platform's certificate, for a merchant's directory of trusted keys."""
        return self.platform.keys.certificate_pem()


def build(config: SimulatorConfig) -> Simulator:
    """The simulator for one merchant, to be mounted under ``/mock/wechat``."""
    return Simulator(config)


def _routes(platform: Platform) -> Starlette:
    mini, push = MiniProgram(platform), Push(platform)
    shipping, receipts = Shipping(platform, mini), Receipts(platform, push)
    media = Media(platform, mini)
    customers = Customers(platform, push, media)
    pay = (Pay(platform), Refunds(platform), Bills(platform), Payer(platform))
    parts = (mini, media, customers, shipping, receipts, *pay, push)
    app = Starlette(
        routes=[route for part in parts for route in part.routes()],
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )
    app.router.redirect_slashes = False
    return app


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = {404: "RESOURCE_NOT_EXISTS", 405: "METHOD_NOT_ALLOWED"}.get(status, "INVALID_REQUEST")
    return json_response({"code": code, "message": "no such call"}, status)


async def _failed(request: Request, error: Exception) -> Response:
    log.error("the simulator failed: %s at %s", type(error).__name__, request.scope.get("route"))
    return json_response({"code": "SYSTEM_ERROR", "message": "系统异常，请稍后重试"}, 500)
