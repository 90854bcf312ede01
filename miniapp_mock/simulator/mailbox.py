"""The demo's mailbox: what its mail server took, and pages to read it, under ``/mock/mail``.

A letter is shown as a mail program would: its HTML in a frame that runs no script and reaches nothing but this server
(the picture that says it was opened is asked for), its links in windows of their own, the button that unsubscribes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html import escape
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .smtp import Envelope
from .state import Store
from .wire import json_response

KEPT = 500
PAGE = 100
_CHINA = timezone(timedelta(hours=8))

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mail (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, return_path text NOT NULL, recipient text NOT NULL,
    subject text NOT NULL, content bytea NOT NULL, at timestamptz NOT NULL);
CREATE INDEX IF NOT EXISTS mail_recipient ON mail (lower(recipient), seq);
"""
_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
_LETTER_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'self';"
    " sandbox allow-popups allow-popups-to-escape-sandbox"
)
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
_CSS = """
:root { color-scheme: light dark; font: 16px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; }
body { max-width: 820px; margin: 0 auto; padding: 24px; }
h1 { font-size: 22px; } h2 { font-size: 19px; margin: 0 0 8px; overflow-wrap: anywhere; }
ol { list-style: none; padding: 0; } li { border-top: 1px solid #8884; }
li a { display: block; padding: 12px 0; color: inherit; text-decoration: none; overflow-wrap: anywhere; }
li strong { display: block; } .note { color: #6b7280; font-size: 14px; }
@media (prefers-color-scheme: dark) { .note { color: #a1a7b3; } }
iframe { width: 100%; height: 460px; border: 1px solid #8884; border-radius: 8px; }
iframe { background: #fff; color-scheme: light; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; } button { font: inherit; padding: 8px 16px; }
"""


def _system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class MailConfig:
    """Where letters are kept, and the clock."""

    database_url: str
    now: Callable[[], datetime] = field(default=_system_clock, compare=False)


class Mailbox:
    """The mailbox as an ASGI application, and the place where the mail server puts what it takes."""

    def __init__(self, config: MailConfig) -> None:
        self._config = config
        self._store = Store(config.database_url, _SCHEMA)
        self.app = Starlette(
            routes=[
                Route("/", self._list),
                Route("/mail.css", self._css),
                Route("/sent", self._sent),
                Route("/{seq:int}", self._show),
                Route("/{seq:int}/letter", self._letter),
                Route("/{seq:int}/source", self._source),
            ]
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        await self.app(scope, receive, send)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._store.aclose()

    async def take(self, letter: Envelope) -> None:
        """Keep a letter, once for each recipient; the oldest go when there are more than ``KEPT``."""
        subject = str(_parsed(letter.content).get("subject", "")).replace("\0", "")[:200]
        async with self._store.transaction() as connection:
            for recipient in letter.recipients:
                await connection.execute(
                    "INSERT INTO mail (return_path, recipient, subject, content, at) VALUES ($1, $2, $3, $4, $5)",
                    letter.return_path, recipient, subject, letter.content, self._config.now(),
                )  # fmt: skip
            await connection.execute("DELETE FROM mail WHERE seq <= (SELECT max(seq) FROM mail) - $1", KEPT)

    async def _rows(self, request: Request) -> list[Any]:
        return await self._store.fetch(
            "SELECT * FROM mail WHERE lower(recipient) = lower($1) OR $1 = '' ORDER BY seq DESC LIMIT $2",
            request.query_params.get("to", "").replace("\0", ""),
            PAGE,
        )

    async def _list(self, request: Request) -> Response:
        lines = [
            f'<li><a href="{row["seq"]}"><strong>{escape(row["subject"] or "（无标题）")}</strong>'
            f'<span class="note">{escape(row["recipient"])} · {_stamp(row["at"])}</span></a></li>'
            for row in await self._rows(request)
        ]
        refused = "nobody@…（无此邮箱）、full@…（已满）、busy@…（稍后再试）"
        body = "".join(
            (
                "<h1>演示邮箱</h1><p class=note>惠员演示发出的邮件都在这里，不会发往任何地方。",
                f"想看退信与重试：收件人填 {refused}。</p>",
                f"<ol>{''.join(lines)}</ol>"
                if lines
                else "<p>还没有邮件。在手机页“消息 → 消息设置 → 邮箱”里绑定一个试试。</p>",
            )
        )
        return _page("演示邮箱", body)

    async def _show(self, request: Request) -> Response:
        row = await self._row(request)
        message = _parsed(row["content"])
        facts = [("收件人", row["recipient"]), ("发件人", str(message.get("from", ""))), ("时间", _stamp(row["at"]))]
        lines = "".join(f"<div class=note>{name}：{escape(value)}</div>" for name, value in facts)
        leave = str(message.get("list-unsubscribe", "")).strip("<> ")
        button = ""
        if leave.startswith(("http://", "https://")) and "\n" not in leave:
            button = (
                f'<form method="post" action="{escape(_path(leave))}">'
                '<button name="List-Unsubscribe" value="One-Click">退订（邮箱的一键退订）</button></form>'
            )
        frame = (
            f'<iframe src="{row["seq"]}/letter" title="邮件正文" sandbox="allow-popups allow-popups-to-escape-sandbox">'
        )
        return _page(
            row["subject"],
            f'<p><a href="./">‹ 全部邮件</a></p><h2>{escape(row["subject"])}</h2>{lines}{button}<p>{frame}</iframe></p>'
            f'<p class=note><a href="{row["seq"]}/source">原文</a></p>',
        )

    async def _letter(self, request: Request) -> Response:
        """The letter's HTML, or its text where it has none."""
        message = _parsed((await self._row(request))["content"])
        part = message.get_body(("html",))
        if part is not None:
            html = _text(part).replace("<head>", '<head><base target="_blank">', 1)
        else:
            plain = message.get_body(("plain",))
            html = f"<!doctype html><pre>{escape(_text(plain) if plain else '')}</pre>"
        return Response(html, headers={**_HEADERS, "Content-Security-Policy": _LETTER_POLICY}, media_type="text/html")

    async def _source(self, request: Request) -> Response:
        row = await self._row(request)
        headers = {**_HEADERS, "Content-Security-Policy": "default-src 'none'; sandbox"}
        return Response(bytes(row["content"]), headers=headers, media_type="text/plain")

    async def _sent(self, request: Request) -> Response:
        """The same for programs: ``{"items": [{"id", "to", "return_path", "subject", "text", "html", "at"}]}``."""
        items = []
        for row in await self._rows(request):
            message = _parsed(row["content"])
            parts = {kind: message.get_body((kind,)) for kind in ("plain", "html")}
            items.append(
                {
                    "id": row["seq"],
                    "to": row["recipient"],
                    "return_path": row["return_path"],
                    "subject": row["subject"],
                    "text": _text(parts["plain"]) if parts["plain"] else "",
                    "html": _text(parts["html"]) if parts["html"] else "",
                    "unsubscribe": str(message.get("list-unsubscribe", "")).strip("<> "),
                    "at": row["at"],
                }
            )
        return json_response({"items": items})

    async def _css(self, request: Request) -> Response:
        return Response(_CSS, headers=_HEADERS, media_type="text/css")

    async def _row(self, request: Request) -> Any:
        seq = request.path_params["seq"]
        row = await self._store.fetchrow("SELECT * FROM mail WHERE seq = $1", seq) if seq < 2**63 else None
        if row is None:
            raise HTTPException(404)
        return row


def build_mail(config: MailConfig) -> Mailbox:
    """The mailbox, to be mounted under ``/mock/mail``."""
    return Mailbox(config)


def _parsed(content: bytes) -> EmailMessage:
    parsed = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(bytes(content))
    assert isinstance(parsed, EmailMessage)
    return parsed


def _text(part: Any) -> str:
    """A part's text; bytes that are none of its character set are shown as such."""
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError, KeyError):
        return bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace")


def _path(url: str) -> str:
    """An address of this very server without its host: the page's policy lets forms go nowhere else."""
    return "/" + url.split("://", 1)[1].partition("/")[2]


def _stamp(at: datetime) -> str:
    return at.astimezone(_CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _page(title: str, body: str) -> Response:
    return Response(
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><title>{escape(title)}</title>'
        f'<link rel="stylesheet" href="/mock/mail/mail.css"></head><body>{body}</body></html>',
        headers={**_HEADERS, "Content-Security-Policy": _POLICY},
        media_type="text/html",
    )
