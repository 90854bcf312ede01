"""Passwords and PINs: argon2id in a few threads, so that the loop goes on and a flood cannot take all memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from backend.kernel.errors import Unavailable

T = TypeVar("T")

THREADS = 2
MAX_WAITING = 64

# 19 MiB, two passes, one lane. Source: OWASP, Password Storage Cheat Sheet (argon2id).
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
_waiting = 0


async def hash_secret(secret: str) -> str:
    """The argon2id hash of a password."""
    return await _run(lambda: _hasher.hash(secret))


async def matches(hashed: str, secret: str) -> bool:
    """Whether the password is the one that was hashed."""
    return await _run(lambda: _verify(hashed, secret))


async def waste_time() -> None:
    """Take as long as ``matches``: an unknown name must not answer sooner."""
    await matches(_dummy(), "-")


def _verify(hashed: str, secret: str) -> bool:
    try:
        return _hasher.verify(hashed, secret)
    except (VerificationError, InvalidHashError):
        return False


_dummy_hash = ""


def _dummy() -> str:
    global _dummy_hash
    if not _dummy_hash:
        _dummy_hash = _hasher.hash("nobody's password")
    return _dummy_hash


async def _run(work: Callable[[], T]) -> T:
    global _waiting
    if _waiting >= MAX_WAITING:
        raise Unavailable(retry_after_s=2)
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, work)
    finally:
        _waiting -= 1
