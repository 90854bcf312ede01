"""The running server, as tests see it."""

from __future__ import annotations

from dataclasses import dataclass

from backend.kernel.config import Settings


@dataclass(frozen=True)
class Server:
    """Where the server of this test module listens, and its settings."""

    base_url: str
    settings: Settings
