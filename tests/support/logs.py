"""Whether what went over the wire and must not be known ever stands in a log, all through the tests.

Every client of the tests tells what it sent and was answered: tokens, codes, secrets, phone numbers, e-mail addresses,
members' names and what they wrote are kept. Every line that our loggers and the libraries' write is kept too, at every
level, with its traceback and context and before anything is taken out of it. Where one of the former is in one of the
latter, the line is put through what production does to it; what still is there is a finding. What other processes
wrote to their logs (``printed``) went through that already. At the end of each module there must be no finding.
"""

from __future__ import annotations

import logging
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from backend.kernel import logging as kernel
from backend.kernel.config import Settings

MOST_LINES = 200_000
LEAST_CHARS = 8

_FIELDS = re.compile(
    rb'"(access_token|refresh_token|scan_token|token|secret|totp_secret|js_code|phone_code|receipt_code|code|password'
    rb'|handle|openid|touser|FromUserName)"\s*:\s*"([^"\\]{8,512})"'
)
_TEXTS = re.compile(rb'"(email|text|content|remark)"\s*:\s*"([^"\\]{12,2000})"')
_NAME = re.compile(rb'"name"\s*:\s*"([^"\\]{2,40})"')
_BEARER = re.compile(r"Bearer ([\w.-]+)")
_PHONE = re.compile(rb"(?<![0-9A-Za-z.])1[3-9]\d{9}(?![0-9A-Za-z.])")
_PLAIN_WORD = re.compile(r"[a-z][a-z_.]*")
_CODE = re.compile(r"(?=.*\d)[0-9A-Z-]{10,}")  # a member's, a coupon's, a table's; not a refusal's, nor a level's
_RUN = re.compile(r"[0-9A-Za-z_-]{8,}")
_OPENID = re.compile(r"openid-[0-9A-Za-z_-]{3,}")
_SHAPES = re.compile(r"\beyJ[\w-]{8,}\.|(?<![\w.-])1[3-9]\d{9}(?![\w.-])|(?<!\d)70\d{18}(?!\d)|\bBearer [\w.-]{8,}")
"""What no line has that went through the redaction: a JWT, a phone number, a member code, a bearer's token."""

TESTS_OWN = ("mail", "mail.log", "aiosmtpd")
"""Loggers of servers that are the tests' own."""

Event = dict[str, Any]


class Watch:
    """What must not be logged, and what was."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self.words: set[str] = set()
        self.lines: deque[tuple[str, Event | None]] = deque(maxlen=MOST_LINES)

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
        texts = (match[2].decode("utf-8", "replace") for match in _TEXTS.finditer(body))
        self.words.update(text for text in texts if "@" in text or not text.isascii())
        if b'"phone_code"' in body:  # somebody registers
            names = (match[1].decode("utf-8", "replace") for match in _NAME.finditer(body))
            self.words.update(name for name in names if not name.isascii())  # else any number might hold it

    def logged(self, event: Event) -> None:
        """Take note of what is logged, as it was said."""
        self.lines.append((repr(event), event))

    def printed(self, text: str) -> None:
        """Take note of what another process wrote to its log."""
        self.lines.extend((line, None) for line in text.splitlines())

    def printed_in(self, data: Path) -> None:
        """Take note of the logs of programs that ran on this data directory."""
        for log in sorted(data.glob("*.log")):
            self.printed(log.read_text("utf-8", "replace"))

    def findings(self) -> list[str]:
        """The lines that hold a secret in production, too; each is told once, and all are forgotten."""
        words = re.compile("|".join(map(re.escape, self.words)) or r"(?!)")
        found = [line for line, event in self.lines if self._is_finding(line, event, words)]
        self.lines.clear()
        self.secrets.clear()
        self.words.clear()
        return found

    def _tells(self, line: str, words: re.Pattern[str]) -> bool:
        known = not self.secrets.isdisjoint(_RUN.findall(line)) or words.search(line) is not None
        return known or _OPENID.search(line) is not None

    def _is_finding(self, line: str, event: Event | None, words: re.Pattern[str]) -> bool:
        if event is None:
            return self._tells(line, words) or _SHAPES.search(line) is not None
        return self._tells(line, words) and self._tells(str(kernel._redact(None, "", event)), words)


def _is_secret(name: bytes, word: str) -> bool:
    return bool(_CODE.fullmatch(word)) if name == b"code" else not _PLAIN_WORD.fullmatch(word)


def _parts(words: Iterable[str]) -> Iterator[str]:
    """A token as its pieces between dots, of which one alone would tell enough."""
    for word in words:
        yield from (part for part in word.split(".") if len(part) >= LEAST_CHARS and not part.startswith("eyJ"))


watch = Watch()


def _said(event: MutableMapping[str, Any]) -> Event:
    """All that an event says, wherever among the processors this is asked: its context and traceback too."""
    whole = structlog.contextvars.merge_contextvars(None, "", dict(event))
    return dict(kernel._exception(None, "", whole))


def _note(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    watch.logged(_said(event))
    return event


class _Libraries(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Take note of what a library says."""
        try:
            line = record.getMessage()
        except (TypeError, ValueError):
            return
        watch.logged(_said({"event": line, "logger": record.name, "exc_info": record.exc_info}))


def begin() -> None:
    """Hear every line of this process from now on, also where a test configures the logs as a program does.

    Libraries say as much as they do where a program is set to ``debug``.
    """
    kernel._processors.insert(0, _note)
    structlog.configure(processors=[_note, *structlog.get_config()["processors"]])
    root = logging.getLogger()
    root.addHandler(_Libraries())
    root.setLevel(logging.DEBUG)
    for name in kernel.QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in TESTS_OWN:
        logging.getLogger(name).setLevel(logging.CRITICAL)


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
