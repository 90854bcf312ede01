"""What the simulator must be told: both sides' keys, where its state is, where notifications go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))


def _system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class SimulatorConfig:
    """One merchant with one mini-program, as WeChat knows them.

    Attributes:
        database_url: the simulator's own database; its tables are created at the first use.
        base_url: the backend's address, where message pushes go.
        mch_public_key_pem: the merchant's public key (or certificate), PEM.
        api_v3_key: 32 ASCII characters.
        encoding_aes_key: 43 characters.
        platform_private_key_pem: the key that signs for the platform, PEM.
        platform_serial: serial of the platform's certificate, hexadecimal.
        platform_public_key_id: ``PUB_KEY_ID_…`` of the same key, or None where the merchant has only the certificate.
        now: the time in signatures and documents. Waiting (delays, retries) always follows the real clock.
        retry_factor: share of WeChat's waiting times between attempts to notify (15 s, 15 s, 30 s, 3 min…).
        refund_s: how long a refund is PROCESSING.
    """

    database_url: str
    base_url: str
    app_id: str
    app_secret: str
    mch_id: str
    mch_public_key_pem: str
    mch_serial: str
    api_v3_key: str
    push_token: str
    encoding_aes_key: str
    platform_private_key_pem: str
    platform_serial: str
    platform_public_key_id: str | None = None
    now: Callable[[], datetime] = field(default=_system_clock, compare=False)
    retry_factor: float = 1 / 15
    refund_s: float = 0.2

    def __post_init__(self) -> None:
        if len(self.api_v3_key.encode()) != 32:
            raise ValueError("api_v3_key must be 32 bytes")
        if len(self.encoding_aes_key) != 43:
            raise ValueError("encoding_aes_key must be 43 characters")
        int(self.platform_serial, 16)


def beijing_time(at: datetime) -> str:
    """RFC 3339 to the second in UTC+8, as the platform writes it: ``2026-11-23T19:20:00+08:00``."""
    return at.astimezone(BEIJING).isoformat(timespec="seconds")
