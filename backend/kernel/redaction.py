"""Take secrets and personal data out of what is logged: by the key they stand under, and by what they look like.

The second net is for text nobody of us wrote: a library's message, an exception's detail, a URL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

REDACTED: Final = "[redacted]"

MAX_DEPTH: Final = 5
MAX_ITEMS: Final = 50
MAX_TEXT: Final = 16_384

_SECRET_WORDS = (
    "phone", "mobile", "openid", "unionid", "token", "secret", "pin", "password", "passwd", "authorization", "cookie",
    "signature", "credential", "credentials", "otp", "birthday", "email", "address", "subprotocol", "subprotocols",
)  # fmt: skip
# A word that is secret as the last of a key (js_code, session_key, member_name); alone too, but for `key`.
_SECRET_LAST = ("code", "name", "names", "codes", "keys", "key")
_HARMLESS: Final = frozenset({
    "key", "keys", "status_code", "error_code", "exit_code", "close_code", "problem_code", "return_code",
    "event_name", "task_name", "job_name", "queue_name", "file_name", "host_name", "logger_name", "worker_name",
    "table_name", "channel_name", "event_names", "token_count", "phone_count",
})  # fmt: skip
_HIDDEN_WORDS = frozenset(_SECRET_WORDS)
_HIDDEN_LAST = frozenset(_SECRET_LAST)

_NUMBERS: Final = ("_fen", "_id", "_ms", "_ns", "seq", "points", "count")  # counted or generated, however they look

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

# What must go whatever it stands in. Digits may be grouped by one space or hyphen.
_DIGITS = re.compile(
    r"(?<!\d)(?:"
    r"7[ -]?0(?:[ -]?\d){18}"  # a member code
    r"|(?:86[ -]?)?1[3-9]\d(?:[ -]?\d){8}"  # a mobile number
    r")(?!\d)"
)
_WORDS = re.compile(
    r"(?P<keep>"
    r"\bbearer[ .]\s*"
    r"|://(?=[^/\s@]*@)"  # user and password in an address
    r"|\bKey \([^)\n]*\)=|\bFailing row contains "  # PostgreSQL's detail of a refused row
    r"|[\"']?(?<![a-z])(?:js_?code|phone_?code|access_?token|refresh_?token|scan_?token|openid|unionid|session_?key"
    r"|app_?secret|secret|token|signature|sign|password|passwd|phone|mobile|pin|code|otp)[\"']?"
    r"\s*[=:]\s*(?:b?[\"'](?=[^\"']))?"
    r")"
    r"(?P<value>(?!\[redacted\])(?:\((?:[^()]|\([^()]*\))*\)?|[^\s&\"',;)}\]@]+))",
    re.IGNORECASE,
)
_HEADER = re.compile(r"(authorization[\"']?\s*[=:,]\s*b?[\"']?)[^\n\"']+", re.IGNORECASE)
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)"
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*"  # a JWT
    r"|openid-[^\s\"'&,;)}\]]+"
    r"|(?<![\w-])o(?=[a-z0-9_-]*[A-Z])[\w-]{27}(?![\w-])",  # an openid or unionid of WeChat
    re.DOTALL,
)


@lru_cache(maxsize=4096)
def is_secret_key(key: str) -> bool:
    """Whether what stands under this key must not be shown; camelCase, kebab-case and snake_case alike."""
    words = [word.lower() for word in _WORD.findall(key)]
    if not words or "_".join(words) in _HARMLESS:
        return False
    return words[-1] in _HIDDEN_LAST or not _HIDDEN_WORDS.isdisjoint(words) or "".join(words) in _HIDDEN_WORDS


def redact_text(text: str) -> str:
    """The text without mobile numbers, member codes, openids, tokens, keys and values named as one of them."""
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT] + "…"
    # Most of what is logged is short and harmless: look before the slow patterns run.
    lower = text.lower()
    if len(text) >= 28 or "openid-" in text or "eyJ" in text:
        text = _SHAPES.sub(REDACTED, text)
    if "authorization" in lower:
        text = _HEADER.sub(rf"\1{REDACTED}", text)
    if "=" in text or ":" in text or "(" in text or "bearer" in lower:
        text = _WORDS.sub(rf"\g<keep>{REDACTED}", text)
    return _DIGITS.sub(REDACTED, text) if len(text) >= 11 else text


def redact(value: Any, depth: int = 0) -> Any:
    """The value without what must not be logged; containers are copied, bounded in depth and length."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, str):
        return redact_text(value) if len(value) > 5 else value
    if isinstance(value, int):
        return REDACTED if _looks_secret(value) else value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return redact_mapping(value, depth + 1)
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth + 1) for _, item in zip(range(MAX_ITEMS), value, strict=False)]
    return redact_text(str(value))


def redact_mapping(values: Mapping[Any, Any], depth: int = 0) -> dict[str, Any]:
    """A copy of the mapping, each value redacted by its key and by its looks."""
    clean: dict[str, Any] = {}
    for _, (key, value) in zip(range(MAX_ITEMS), values.items(), strict=False):
        name = key if isinstance(key, str) else str(key)
        if is_secret_key(name):
            clean[name] = REDACTED if value not in (None, "") else value
        elif type(value) is int and name.endswith(_NUMBERS):
            clean[name] = value
        else:
            clean[redact_text(name) if depth else name] = redact(value, depth)
    return clean


def _looks_secret(number: int) -> bool:
    return 13_000_000_000 <= number <= 19_999_999_999 or 70 * 10**18 <= number < 71 * 10**18
