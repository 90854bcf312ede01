"""Structured logs on stderr, ours and every library's, through one redaction; one JSON object a line.

``log = logging.get(__name__)`` and ``log.info("ledger.posted", transfer_id=…)``: an event name that never varies, and
values as keywords. Whatever happens, logging raises nothing and writes no phone, openid, code, token or name.
"""

from __future__ import annotations

import json
import logging as stdlib
import sys
import traceback
from types import TracebackType
from typing import Any, cast

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from . import clock
from .config import Settings
from .redaction import redact, redact_mapping, redact_text

LEVELS = {"debug": stdlib.DEBUG, "info": stdlib.INFO, "warning": stdlib.WARNING}

# They say at INFO what nobody needs or nobody may see (URLs with secrets, SQL with arguments, decrypted bodies).
QUIET = ("httpx", "httpcore", "uvicorn.access", "uvicorn.error", "tortoise", "asyncpg", "wechatpayv3", "wechatpy",
         "procrastinate", "psycopg", "psycopg.pool", "websockets", "PIL", "multipart")  # fmt: skip

_OWN_KEYS = frozenset({"event", "level", "at", "logger"})


def configure(settings: Settings) -> None:
    """Send our logs and every library's to stderr in the form the settings ask for; the last call counts."""
    level = LEVELS[settings.log_level]
    _processors[-1] = _console if settings.log_format == "console" else _json
    structlog.configure(
        processors=_processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Stream,
        cache_logger_on_first_use=True,
    )
    root = stdlib.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _StdlibHandler)]:
        root.removeHandler(handler)
    root.addHandler(_StdlibHandler())
    root.setLevel(level)
    for name in QUIET:
        stdlib.getLogger(name).setLevel(stdlib.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # it may have been given handlers of its own
        stdlib.getLogger(name).handlers.clear()
        stdlib.getLogger(name).propagate = True
    sys.excepthook = _log_uncaught


def get(name: str) -> FilteringBoundLogger:
    """The logger of a module; usable at import time, before ``configure``."""
    return cast(FilteringBoundLogger, structlog.get_logger(name))


class _Stream:
    """Where finished lines go; structlog makes one per logger. A broken stream is nobody's error."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def msg(self, line: str) -> None:
        try:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            return

    debug = info = warning = error = critical = exception = log = fatal = failure = warn = err = msg


def _stamp(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    if "level" not in event:
        event["level"] = "error" if method == "exception" else method
    name = getattr(logger, "name", "")
    if name and "logger" not in event:
        event["logger"] = name
    event["at"] = clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Turn ``exc_info`` into text without local variables, which hold what must not be shown."""
    info = event.pop("exc_info", None)
    if not info:
        return event
    if isinstance(info, BaseException):
        error: BaseException | None = info
    elif isinstance(info, tuple):
        error = info[1]
    else:
        error = sys.exc_info()[1]
    if error is not None:
        event["exception"] = "".join(traceback.format_exception(error, limit=-25, chain=True)).rstrip()
    return event


def _redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    own = {key: event[key] for key in ("at", "level") if key in event}
    try:
        text = redact_text(str(event.get("event", "")))
        rest = redact_mapping({key: value for key, value in event.items() if key not in _OWN_KEYS})
    except Exception as error:  # a value whose str() raises must not end a request
        return own | {"event": "logging.failed", "error": type(error).__name__}
    if "logger" in event:
        own["logger"] = event["logger"]
    return own | {"event": text} | rest


def _json(_: WrappedLogger, __: str, event: EventDict) -> str:
    try:
        return msgspec.json.encode(event, enc_hook=str).decode()
    except (ValueError, TypeError, OverflowError, RecursionError):
        return json.dumps(redact(event), default=str)


def _console(_: WrappedLogger, __: str, event: EventDict) -> str:
    event.pop("logger", None)
    at, level, name = event.pop("at", ""), event.pop("level", ""), event.pop("event", "")
    trace = event.pop("exception", "")
    parts = [f"{key}={_json(None, '', {'': value})[4:-1]}" for key, value in event.items()]
    line = " ".join([at[11:19], f"{level:<8}", _one_line(name), *parts])
    return f"{line}\n{trace}" if trace else line


def _one_line(text: str) -> str:
    """Without control characters: a value from outside must not be able to begin a line of its own."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


# The last one renders; `configure` chooses it. One list for good: cached loggers keep it.
_processors: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    _stamp,
    _exception,
    _redact,
    _json,
]


class _StdlibHandler(stdlib.Handler):
    """Brings a library's record into the same line, through the same processors."""

    _stream = _Stream()

    def emit(self, record: stdlib.LogRecord) -> None:
        try:
            event: Any = {"event": record.getMessage(), "level": record.levelname.lower(), "logger": record.name}
            if record.exc_info:
                event["exc_info"] = record.exc_info
            for processor in _processors:
                event = processor(self._stream, record.levelname.lower(), event)
            self._stream.msg(str(event))
        except Exception:
            self._stream.msg('{"level":"error","event":"logging.failed"}')


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    get("huiyuan").critical("process.failed", exc_info=(kind, error, trace))
