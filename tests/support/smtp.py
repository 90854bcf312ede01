"""A mail server in the tests' own process, of a library that knows the protocol from its other side.

It answers what a test tells it to: by recipient, or to the next command of a kind.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

logging.getLogger("mail.log").disabled = True
"""The library's server writes down every line it reads, addresses too; ours is what is under test."""


@dataclass
class Taken:
    """One letter that the server took."""

    return_path: str
    recipients: list[str]
    raw: bytes
    over_tls: bool
    user: str | None

    @property
    def message(self) -> EmailMessage:
        """The letter, parsed."""
        parsed = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(self.raw)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def text(self, subtype: str) -> str:
        """The text of its part of that type (``plain``, ``html``)."""
        part = self.message.get_body((subtype,))
        assert part is not None
        return str(part.get_content())


@dataclass
class MailServer:
    """Where it listens, what it took, and what it answers to the next ``MAIL``, ``RCPT`` or ``DATA``."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    sessions: int = 0
    answers: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    hangs_up: set[str] = field(default_factory=set)
    _transports: list[asyncio.Transport] = field(default_factory=list)

    def next(self, command: str, *answers: str) -> None:
        """Answer the next commands of that kind so; ``hang up`` closes the connection instead."""
        self.answers.setdefault(command, []).extend(answers)

    def hang_up(self) -> None:
        """Close every connection there is."""
        for transport in self._transports:
            transport.abort()
        self._transports.clear()

    def _answer(self, command: str, server: SMTP) -> str | None:
        waiting = self.answers.get(command)
        answer = waiting.pop(0) if waiting else None
        if answer == "hang up":
            server.transport.abort()
            raise ConnectionResetError
        return answer

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self._answer("MAIL", server):
            return answer
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self._answer("RCPT", server) or self.refused.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self._answer("DATA", server)
        if answer and not answer.startswith("250"):
            return answer
        assert isinstance(envelope.content, bytes)
        data: Any = session.auth_data
        user = data.login.decode() if session.authenticated else None
        over_tls = server.transport.get_extra_info("ssl_object") is not None
        taken = Taken(envelope.mail_from or "", list(envelope.rcpt_tos), envelope.content, over_tls, user)
        self.taken.append(taken)
        return answer or "250 2.0.0 taken"


class _Counting(SMTP):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        handler: Any = self.event_handler
        if self.transport is None:  # else TLS begins on it
            handler.sessions += 1
        handler._transports.append(transport)
        super().connection_made(transport)


@asynccontextmanager
async def mail_server(
    *,
    starttls: ssl.SSLContext | None = None,
    implicit: ssl.SSLContext | None = None,
    user: str = "",
    password: str = "",
) -> AsyncIterator[MailServer]:
    """A server on a port of its own for as long as the block lasts; with ``user`` it asks for a login."""
    handler = MailServer()

    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        right = data.login == user.encode() and data.password == password.encode()
        return AuthResult(success=right, handled=right, auth_data=data if right else None)

    def make() -> SMTP:
        with warnings.catch_warnings():  # of a login without STARTTLS: the library does not see the TLS below it
            warnings.simplefilter("ignore", UserWarning)
            return _Counting(
                handler,
                hostname="mail.test",
                enable_SMTPUTF8=False,
                tls_context=starttls,
                require_starttls=starttls is not None,
                authenticator=authenticate if user else None,
                auth_required=bool(user),
                auth_require_tls=starttls is not None,
            )

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=implicit)
    handler.port = server.sockets[0].getsockname()[1]
    try:
        yield handler
    finally:
        server.close()
        handler.hang_up()
        await asyncio.sleep(0)


def make_authority(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that signs itself: its file, and the server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "mail.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "mail.key").write_bytes(private)
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, folder / "mail.key")
    return pem, context
