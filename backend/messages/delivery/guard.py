"""Who may report: a gateway whose request is signed with the secret of the settings, dated and new."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from backend.kernel import clock, db, redis
from backend.kernel.config import Settings, settings
from backend.kernel.errors import Unauthenticated
from backend.kernel.http import Request
from backend.kernel.redis import RedisDown

from . import signing


class GatewayGuard:
    """Lets in one gateway; the caller is its name."""

    challenge = signing.SCHEME
    may_forbid = False

    def __init__(self, key: str, secret: Callable[[Settings], str]) -> None:
        self.name = f"gateway:{key}"
        self.scheme: str | None = f"{key}Hmac"
        self._key = key
        self._secret = secret

    async def authenticate(self, request: Request) -> str:
        """Refused for a wrong signature, a clock 300 s off, a nonce used before, or where no secret is set."""
        match = signing.HEADER.match(request.headers.get("authorization", ""))
        secret = self._secret(settings())
        if match is None or not secret:
            raise Unauthenticated
        key, timestamp, nonce, signature = match.groups()
        right = signing.sign(secret, request.method, request.target, timestamp, nonce, request.body)
        if not hmac.compare_digest(right, signature) or key != self._key:
            raise Unauthenticated
        if abs(clock.unix() - int(timestamp)) > signing.SKEW_S:
            raise Unauthenticated("the timestamp is more than 300 s off; set the gateway's clock")
        if not await _spend(self._key, nonce):
            raise Unauthenticated("this nonce was used already")
        return self._key


async def _spend(key: str, nonce: str) -> bool:
    """Use a nonce, in Redis or else the database; False where it was used before."""
    try:
        reply = await redis.call("SET", f"gateway:{key}:{nonce}", "1", "NX", "EX", signing.NONCE_KEPT_S)
    except RedisDown:
        spent = await db.fetchval(
            "INSERT INTO message_nonce (key, nonce, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true",
            key,
            nonce,
            clock.now(),
        )
        return bool(spent)
    return reply is not None and reply is not False


sms = GatewayGuard("sms", lambda found: found.sms_secret)
"""The SMS gateway."""

mail = GatewayGuard("mail", lambda found: found.mail_report_secret)
"""The mail server that hands bounces over."""
