"""A mail server that takes letters and delivers none: RFC 5321 as far as a client needs it, read by other eyes than the
driver's (``backend/messages/channels/email.py``).

It listens where it is told and does nothing else: no TLS, no login, no relaying. Everything is bounded: sessions,
lines, recipients, bytes, mistakes and seconds.

Source: RFC 5321 (4.1 commands, 4.5.1 the least a server knows, 4.5.2 dots), RFC 1870 (SIZE), RFC 2034 and RFC 3463
(enhanced status codes).
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

log = logging.getLogger("miniapp_mock")

MOST_SESSIONS = 32
MOST_LINE = 4096
MOST_BYTES = 1024 * 1024
MOST_RECIPIENTS = 20
MOST_MISTAKES = 20
IDLE_S = 60.0
LETTER_S = 120.0

EXTENSIONS = ("8BITMIME", f"SIZE {MOST_BYTES}", "ENHANCEDSTATUSCODES", "PIPELINING")
REFUSED = {
    "nobody": "550 5.1.1 there is no such mailbox",
    "full": "552 5.2.2 the mailbox is full",
    "busy": "451 4.3.0 try again later",
}
"""What mailboxes of these names answer, at any domain, so that each outcome can be shown."""

_PATH = r":\s*<([!-;=?-~]*)>((?: +[!-~]+)*) *\Z"
_FROM = re.compile("FROM" + _PATH, re.IGNORECASE)
_TO = re.compile("TO" + _PATH, re.IGNORECASE)
_SIZE = re.compile(r"SIZE=(\d{1,12})\Z", re.IGNORECASE)
_BODY = re.compile(r"BODY=(7BIT|8BITMIME)\Z", re.IGNORECASE)


@dataclass
class Envelope:
    """One letter on its way: who it is from and for, and its bytes with CRLF."""

    return_path: str
    recipients: list[str] = field(default_factory=list)
    content: bytes = b""


Take = Callable[[Envelope], Awaitable[None]]
"""Keeps a letter; what it raises is answered with 451, so that the client tries again."""


class _Hangup(Exception):
    """The client is gone, too slow, or no client of ours; the last word was said."""


class MailServer:
    """Takes letters on a listening socket until it is cancelled."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._sessions = 0

    async def serve(self, listening: socket.socket) -> None:
        """Serve until cancelled."""
        server = await asyncio.start_server(self._meet, sock=listening, limit=MOST_LINE)
        async with server:
            await server.serve_forever()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._sessions += 1
        try:
            if self._sessions > MOST_SESSIONS:
                writer.write(b"421 4.3.2 too many connections\r\n")
            else:
                await _Session(reader, writer, self._take).run()
        except (_Hangup, OSError, asyncio.IncompleteReadError, TimeoutError):
            pass
        finally:
            self._sessions -= 1
            writer.close()


class _Session:
    """One connection: commands in the order that the protocol wants them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, take: Take) -> None:
        self._reader = reader
        self._writer = writer
        self._take = take
        self._greeted = False
        self._letter: Envelope | None = None
        self._mistakes = 0

    async def run(self) -> None:
        """Talk until the client quits."""
        await self._say("220 mail.example the demo's mailbox")
        while True:
            async with asyncio.timeout(IDLE_S):
                line = await self._line()
            text = line.decode("ascii", "replace")
            verb, _, rest = text.partition(" ")
            answer = await self._answer(verb.upper(), rest)
            await self._say(answer)
            if answer.startswith("221"):
                return
            self._mistakes += answer.startswith("50")
            if self._mistakes > MOST_MISTAKES:
                await self._say("421 4.7.0 too many mistakes")
                return

    async def _answer(self, verb: str, rest: str) -> str:
        match verb:
            case "EHLO" | "HELO":
                return self._hello(verb, rest)
            case "MAIL":
                return self._mail(rest)
            case "RCPT":
                return self._recipient(rest)
            case "DATA":
                return await self._data(rest)
            case "RSET":
                self._letter = None
                return "250 2.0.0 forgotten"
            case "NOOP":
                return "250 2.0.0 yes"
            case "VRFY":
                return "252 2.0.0 send some mail, and see"
            case "QUIT":
                return "221 2.0.0 bye"
        return "500 5.5.2 there is no such command"

    def _hello(self, verb: str, rest: str) -> str:
        if not rest.strip():
            return "501 5.5.4 say who you are"
        self._greeted, self._letter = True, None
        if verb == "HELO":
            return "250 mail.example"
        lines = ["mail.example", *EXTENSIONS]
        return "\r\n".join(f"250{' ' if line is lines[-1] else '-'}{line}" for line in lines)

    def _mail(self, rest: str) -> str:
        if not self._greeted or self._letter is not None:
            return "503 5.5.1 not now"
        found = _FROM.match(rest)
        if found is None:
            return "501 5.1.7 that is no address"
        for parameter in found[2].split():
            size = _SIZE.match(parameter)
            if size and int(size[1]) > MOST_BYTES:
                return "552 5.3.4 the letter is too large"
            if not size and not _BODY.match(parameter):
                return "555 5.5.4 that is not understood"
        self._letter = Envelope(found[1])
        return "250 2.1.0 from you"

    def _recipient(self, rest: str) -> str:
        if self._letter is None:
            return "503 5.5.1 not now"
        found = _TO.match(rest)
        if found is None or not found[1]:
            return "501 5.1.3 that is no address"
        if found[2].strip():
            return "555 5.5.4 that is not understood"
        if len(self._letter.recipients) >= MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        if refusal := REFUSED.get(found[1].partition("@")[0].lower()):
            return refusal
        self._letter.recipients.append(found[1])
        return "250 2.1.5 to them"

    async def _data(self, rest: str) -> str:
        letter = self._letter
        if rest.strip():
            return "501 5.5.4 nothing goes there"
        if letter is None or not letter.recipients:
            return "503 5.5.1 not now"
        self._letter = None
        await self._say("354 go on, and end with a dot")
        async with asyncio.timeout(LETTER_S):
            content = await self._content()
        if content is None:
            return "552 5.3.4 the letter is too large"
        letter.content = content
        try:
            await self._take(letter)
        except Exception as error:  # whatever it is, the client is told that the letter is not here
            log.error("the mailbox cannot keep a letter: %s", type(error).__name__)
            return "451 4.3.0 try again later"
        return "250 2.0.0 taken"

    async def _content(self) -> bytes | None:
        """The letter up to the line with nothing but a dot; None where it is more than a letter may be."""
        content = bytearray()
        size = 0
        while (line := await self._line()) != b".":
            line = line[1:] if line.startswith(b".") else line
            size += len(line) + 2
            if size > 4 * MOST_BYTES:
                await self._say("552 5.3.4 the letter is too large")
                raise _Hangup
            if size <= MOST_BYTES:
                content += line + b"\r\n"
        return bytes(content) if size <= MOST_BYTES else None

    async def _line(self) -> bytes:
        """The next line without its end, which is CRLF and nothing else: a lone LF ends no line and no letter."""
        try:
            return (await self._reader.readuntil(b"\r\n"))[:-2]
        except asyncio.LimitOverrunError:
            await self._say("500 5.5.2 the line is too long")
            raise _Hangup from None

    async def _say(self, text: str) -> None:
        self._writer.write(f"{text}\r\n".encode("ascii"))
        await self._writer.drain()
