"""SMS by a gateway over HTTP, which knows a repeat by the delivery's id. The interface: docs/messages-sms.md."""

from __future__ import annotations

import asyncio
import secrets

import httpx
import msgspec

from backend.kernel import clock, logging
from backend.kernel.config import Settings
from backend.kernel.outbound import AddressRefused, PublicOnly

from ..delivery import segments, signing
from ..delivery.sms_text import text_of
from ..types import Channel, Purpose
from . import Outgoing, Refused, Sent, TryAgain

log = logging.get(__name__)

TOTAL_S = 20.0
MOST_ANSWER = 16 * 1024

_TIMEOUT = httpx.Timeout(10.0, connect=5.0, pool=5.0)
_FINAL = {
    "number_invalid": "unknown_address",
    "number_blocked": "declined",
    "content_refused": "content_refused",
    "too_long": "too_long",
    "conflict": "outcome_unknown",
}
"""What the gateway says that no repeat will change, and what we call it."""


class SmsRequest(msgspec.Struct, frozen=True):
    """What the gateway is asked to send."""

    id: str
    phone: str
    text: str
    kind: str

    def __repr__(self) -> str:
        return f"<sms {self.id}>"


class _Answer(msgspec.Struct, frozen=True):
    message_id: str = ""
    code: str = ""


class Sms:
    """The driver: one gateway, a few connections that are kept."""

    channel = Channel.SMS
    repeats_safely = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = httpx.URL(settings.sms_url.rstrip("/") + "/messages")
        inner = httpx.AsyncHTTPTransport(trust_env=False, limits=httpx.Limits(max_connections=16))
        self._client = httpx.AsyncClient(
            transport=inner if settings.sms_internal else PublicOnly(inner),
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "huiyuan", "Accept-Encoding": "identity"},
        )

    async def send(self, outgoing: Outgoing) -> Sent:
        """Hand the message to the gateway; sending one again that it has taken answers as the first time."""
        text = text_of(outgoing, self._settings)
        if segments.count(text) > segments.MOST:
            raise Refused("too_long")
        kind = "service" if outgoing.purpose is Purpose.SERVICE else "marketing"
        body = msgspec.json.encode(SmsRequest(outgoing.delivery_id, outgoing.address, text, kind))
        status, answer, after_s = await self._ask(body)
        if status in (200, 201) and answer is not None:
            return Sent(provider_id=answer.message_id[:200])
        if status < 500 and answer is not None and answer.code in _FINAL:
            raise Refused(_FINAL[answer.code], bounced=answer.code == "number_invalid")
        if status != 429:
            log.warning("messages.sms_refused", status=status)
        raise TryAgain(after_s=after_s, reason="busy" if status in (429, 503) else "gateway_refuses")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _ask(self, body: bytes) -> tuple[int, _Answer | None, float]:
        """Status, answer (None where it is none of ours to read), and the seconds that a later try should wait."""
        target = self._url.raw_path.decode("ascii")
        authorization = signing.header(
            "sms", self._settings.sms_secret, "POST", target, clock.unix(), secrets.token_urlsafe(16), body
        )
        headers = {"Authorization": authorization, "Content-Type": "application/json"}
        try:
            async with asyncio.timeout(TOTAL_S):
                return await self._exchange(body, headers)
        except AddressRefused:
            log.error("messages.sms_refused", reason="address_refused")
            raise TryAgain(after_s=300.0, reason="address_refused") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            log.warning("messages.sms_unreachable", error=type(error).__name__)
            raise TryAgain(reason="unreachable") from None

    async def _exchange(self, body: bytes, headers: dict[str, str]) -> tuple[int, _Answer | None, float]:
        async with self._client.stream("POST", self._url, content=body, headers=headers) as answer:
            content = bytearray()
            async for piece in answer.aiter_bytes():
                content += piece
                if len(content) > MOST_ANSWER:
                    return answer.status_code, None, 60.0
            return answer.status_code, _read(bytes(content)), _wait(answer.headers.get("retry-after", ""))


def _read(content: bytes) -> _Answer | None:
    try:
        return msgspec.json.decode(content, type=_Answer)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def _wait(text: str) -> float:
    return min(float(text), 3600.0) if text.isascii() and text.isdigit() and len(text) < 6 else 60.0
