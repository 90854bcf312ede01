"""E-mail by SMTP: a few connections, kept and used again, every wait bounded.

What the server answers decides: 4xx is tried again, 5xx about the recipient is a bounce, 5xx about us (sender, login)
is ours to mend and tried again. Where the connection ends after the letter was handed over and before the answer,
nobody knows whether it goes; SMTP knows no repeat by its id, so it is not sent a second time.

Source: RFC 5321 (4.2 replies, 4.5.3.2 time-outs), RFC 3207 (STARTTLS), RFC 3463 (enhanced status codes).
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib import errors as smtp

from backend.kernel import clock, logging
from backend.kernel.config import Settings

from ..delivery import mail
from ..delivery.bounces import is_dead_address
from ..types import Channel
from . import Outgoing, Refused, Sent, TryAgain

log = logging.get(__name__)

LINES = 4
"""Connections of a process; a server that is slow to take one letter holds up few others."""
PATIENCE_S = 12.0
OPEN_S = 15.0
DATA_S = 30.0
"""What a letter waits for a connection; what the server has to take the recipient, and then the letter."""
IDLE_S = 30.0
MOST_LETTERS = 100
"""After so long without a letter, or so many, a new connection: servers end old ones when it suits them."""

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_SCHEMES = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class Smtp:
    """The driver: one server, a few connections, the one used last first."""

    channel = Channel.EMAIL
    repeats_safely = False

    def __init__(self, settings: Settings) -> None:
        self._sender = mail.sender_of(settings)
        self._settings = settings
        self._idle: list[_Line] = []
        self._room = asyncio.Semaphore(LINES)

    async def send(self, outgoing: Outgoing) -> Sent:
        """Hand the letter to the mail server; ``TryAgain`` or ``Refused`` where it does not take it."""
        letter = mail.compose(outgoing, self._sender, clock.now())
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._room.acquire()
        except TimeoutError:
            raise TryAgain(after_s=5.0) from None
        line = self._idle.pop() if self._idle else _Line(self._settings)
        try:
            await line.send(letter)
        finally:
            self._idle.append(line)
            self._room.release()
        return Sent()

    async def aclose(self) -> None:
        """End the connections that are idle; one that sends ends with its process."""
        while self._idle:
            self._idle.pop().close()


class _Line:
    """One connection to the mail server, which carries one letter at a time; opened when it is needed."""

    def __init__(self, settings: Settings) -> None:
        self._server = settings
        self._smtp: aiosmtplib.SMTP | None = None
        self._sent = 0
        self._used_at = 0.0

    async def send(self, letter: mail.Mail) -> None:
        """Hand a letter over; afterwards the connection is fit for the next, or closed."""
        try:
            await self._exchange(letter)
        except BaseException as error:
            await self._mend(error)
            raise

    def close(self) -> None:
        """End the connection, without a word: what servers see all day."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    async def _exchange(self, letter: mail.Mail) -> None:
        try:
            async with asyncio.timeout(OPEN_S):
                connection = await self._open_with_sender(letter.return_path)
                await self._recipient(connection, letter.recipient)
        except TimeoutError:
            raise TryAgain(reason="unreachable") from None
        await self._data(connection, letter.content)
        self._sent += 1
        self._used_at = time.monotonic()

    async def _open_with_sender(self, return_path: str) -> aiosmtplib.SMTP:
        """A connection that has taken MAIL FROM; one that died while it was kept is opened anew, once."""
        if kept := self._kept():
            try:
                await self._mail_from(kept, return_path)
                return kept
            except TryAgain as again:
                if again.reason != "unreachable":
                    raise
        self.close()
        fresh = await self._connect()
        await self._mail_from(fresh, return_path)
        return fresh

    def _kept(self) -> aiosmtplib.SMTP | None:
        kept = self._smtp
        if kept is None or not kept.is_connected or self._sent >= MOST_LETTERS:
            return None
        return kept if time.monotonic() - self._used_at < IDLE_S else None

    async def _connect(self) -> aiosmtplib.SMTP:
        self._smtp, self._sent = client_of(self._server), 0
        try:
            await self._smtp.connect()
        except smtp.SMTPAuthenticationError as error:
            raise _ours("login_refused", error.code) from None
        except smtp.SMTPConnectResponseError as error:
            raise TryAgain(reason="busy" if error.code < 500 else "server_refuses") from None
        except (smtp.SMTPException, ssl.SSLError, OSError, ValueError) as error:
            # ValueError: what the library says to a login over a connection without TLS, for one.
            log.warning("messages.smtp_unreachable", error=type(error).__name__)
            raise TryAgain(reason="unreachable") from None
        self._used_at = time.monotonic()
        return self._smtp

    async def _mail_from(self, connection: aiosmtplib.SMTP, return_path: str) -> None:
        try:
            await connection.mail(return_path, encoding="ascii")
        except smtp.SMTPResponseException as error:
            if error.code == 421:
                raise TryAgain(reason="unreachable") from None
            raise (TryAgain(reason="busy") if error.code < 500 else _ours("sender_refused", error.code)) from None
        except (smtp.SMTPException, OSError):
            raise TryAgain(reason="unreachable") from None

    async def _recipient(self, connection: aiosmtplib.SMTP, recipient: str) -> None:
        try:
            await connection.rcpt(recipient, encoding="ascii")
        except smtp.SMTPRecipientRefused as error:
            raise refusal(error.code, error.message) from None
        except smtp.SMTPResponseException as error:
            raise refusal(error.code, error.message) from None
        except (smtp.SMTPException, OSError):
            raise TryAgain(reason="unreachable") from None

    async def _data(self, connection: aiosmtplib.SMTP, content: bytes) -> None:
        try:
            await connection.data(content, timeout=DATA_S)
        except smtp.SMTPResponseException as error:
            raise refusal(error.code, error.message, about_content=True) from None
        except (smtp.SMTPException, OSError):
            raise Refused("outcome_unknown") from None

    async def _mend(self, error: BaseException) -> None:
        """Make the connection fit for the next letter after a refusal of this one, or end it."""
        if self._smtp is None:
            return
        answered = isinstance(error, Refused | TryAgain) and error.reason not in ("outcome_unknown", "unreachable")
        if answered and self._smtp.is_connected:
            try:
                await self._smtp.rset()
                return
            except (smtp.SMTPException, OSError):
                pass
        self.close()


def refusal(code: int, said: str, *, about_content: bool = False) -> TryAgain | Refused:
    """What an answer of the server means for this letter.

    4xx: later. 5xx: never; a bounce where it says so of the mailbox. An enhanced status goes before the bare code.
    """
    if code < 500:
        return TryAgain(reason="busy")
    found = _ENHANCED.search(said or "")
    status = (int(found[1]), int(found[2]), int(found[3])) if found else None
    if status is None:
        dead = not about_content and code in (550, 551, 553)
    else:
        dead = is_dead_address(*status)
    if dead:
        return Refused("unknown_address", bounced=True)
    if code == 552 or (status is not None and status[1:] == (2, 2)):
        return Refused("mailbox_full")
    return Refused("content_refused" if about_content else "recipient_refused")


def _ours(reason: str, code: int) -> TryAgain:
    """A refusal that is not about this letter: somebody must look at the settings, and then it goes."""
    log.error("messages.smtp_refused", reason=reason, status=code)
    return TryAgain(after_s=300.0, reason=reason)


def client_of(settings: Settings) -> aiosmtplib.SMTP:
    """A client for the mail server that the settings name; nothing is connected yet."""
    parts = urlsplit(settings.smtp_url)
    tls = None
    if parts.scheme != "smtp":
        tls = ssl.create_default_context(cafile=settings.smtp_ca_file or None)
    return aiosmtplib.SMTP(
        hostname=parts.hostname,
        port=parts.port or _SCHEMES[parts.scheme],
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        local_hostname=urlsplit(settings.base_url).hostname or "localhost",
        timeout=OPEN_S,
        use_tls=parts.scheme == "smtps",
        start_tls=parts.scheme == "smtp+starttls",
        tls_context=tls,
    )
