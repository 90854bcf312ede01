"""Whether what went over the wire and must not be known ever stands in a log, all through the tests.

Every client of the tests tells what it sent and was answered: tokens, codes, secrets and phone numbers in it are kept.
Every line that our loggers and the libraries' write is kept too, at every level and before anything is taken out of it.
Where one of the former is in one of the latter, the line is put through the redaction that production has; what still
is there is a finding. At the end of each module there must be none.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

from backend.kernel import logging as kernel
from backend.kernel.config import Settings
from backend.kernel.redaction import redact_text

MOST_LINES = 200_000
LEAST_CHARS = 8

_FIELDS = re.compile(
    rb'"(access_token|refresh_token|scan_token|token|secret|totp_secret|js_code|phone_code|receipt_code|code|password'
    rb'|handle|openid|touser|FromUserName)"\s*:\s*"([^"\\]{8,512})"'
)
_BEARER = re.compile(r"Bearer ([\w.-]+)")
_PHONE = re.compile(rb"(?<![0-9A-Za-z.])1[3-9]\d{9}(?![0-9A-Za-z.])")
_PLAIN_WORD = re.compile(r"[a-z][a-z_.]*")
_CODE = re.compile(r"(?=.*\d)[0-9A-Z-]{10,}")  # a member's, a coupon's, a table's; not a refusal's, nor a level's
_RUN = re.compile(r"[0-9A-Za-z_-]{8,}")
_OPENID = re.compile(r"openid-[0-9A-Za-z_-]{3,}")


class Watch:
    """What must not be logged, and what was."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self.lines: deque[str] = deque(maxlen=MOST_LINES)

    def sent(self, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        """Take note of a request or an answer."""
        for name, value in headers:
            if name.lower() == b"authorization":
                self.secrets.update(_parts(match[1] for match in _BEARER.finditer(value.decode("latin-1"))))
        if len(body) > 100_000:
            return
        found = ((match[1], match[2].decode("utf-8", "replace")) for match in _FIELDS.finditer(body))
        self.secrets.update(_parts(word for name, word in found if _is_secret(name, word)))
        self.secrets.update(match[0].decode() for match in _PHONE.finditer(body))

    def logged(self, line: str) -> None:
        """Take note of a line."""
        self.lines.append(line)

    def findings(self) -> list[str]:
        """The lines that would hold a secret in production, too; each is told once, and all are forgotten."""
        found = [line for line in self.lines if self._tells(line) and self._tells(redact_text(line))]
        self.lines.clear()
        self.secrets.clear()
        return found

    def _tells(self, line: str) -> bool:
        return not self.secrets.isdisjoint(_RUN.findall(line)) or _OPENID.search(line) is not None


def _is_secret(name: bytes, word: str) -> bool:
    return bool(_CODE.fullmatch(word)) if name == b"code" else not _PLAIN_WORD.fullmatch(word)


def _parts(words: Iterable[str]) -> Iterator[str]:
    """A token as its pieces between dots, of which one alone would tell enough."""
    for word in words:
        yield from (part for part in word.split(".") if len(part) >= LEAST_CHARS and not part.startswith("eyJ"))


watch = Watch()


def _note(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    info = event.get("exc_info")
    error = info if isinstance(info, BaseException) else None
    trace = "".join(traceback.format_exception(error)) if error else ""
    watch.logged(f"{dict(event)!r} {trace}")
    return event


class _Libraries(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Take note of what a library says."""
        try:
            line = record.getMessage()
        except (TypeError, ValueError):
            return
        trace = (
            "".join(traceback.format_exception(record.exc_info[1])) if record.exc_info and record.exc_info[1] else ""
        )
        watch.logged(f"{record.name} {line} {trace}")


def begin() -> None:
    """Hear every line of this process from now on, also where a test configures the logs as a program does."""
    kernel._processors.insert(0, _note)
    structlog.configure(processors=[_note, *structlog.get_config()["processors"]])
    logging.getLogger().addHandler(_Libraries())


@contextmanager
def configured(settings: Settings) -> Iterator[None]:
    """The logs as a program with these settings writes them, for as long as the block lasts.

    No logger keeps what it was then: other tests of this process read theirs.
    """
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level, hook, last = list(root.handlers), root.level, sys.excepthook, kernel._processors[-1]
    kernel.configure(settings)
    structlog.configure(cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)
        root.handlers[:] = handlers
        root.setLevel(level)
        sys.excepthook, kernel._processors[-1] = hook, last
