"""What letters go out by: the mail server and the SMS gateway, complete, safe, and there."""

from __future__ import annotations

import asyncio
import ssl
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from backend.kernel.config import Settings

from .findings import Report, Subject
from .network import is_local

CONNECT_S = 5.0


async def mail(subject: Subject) -> Report:
    """Can e-mail be sent, over TLS, by a server that lets us in?"""
    settings = subject.settings
    report = Report("no mail server: no e-mail is sent")
    if not settings.smtp_url:
        return report
    parts = urlsplit(settings.smtp_url)
    if not settings.mail_from:
        report.error(
            "mail_from_missing",
            "HUIYUAN_SMTP_URL is set, HUIYUAN_MAIL_FROM is not",
            causes="no e-mail is sent",
            do="set it to the chain's name and an address of its own domain: 惠员便利 <service@example.com>",
        )
    if parts.scheme == "smtp" and not is_local(parts.hostname or ""):
        report.error(
            "mail_without_tls",
            f"e-mail goes to {parts.hostname} without TLS",
            causes="the password, and every letter with its address, can be read on the way",
            do="use smtp+starttls:// (port 587) or smtps:// (port 465)",
        )
    if not settings.mail_report_secret:
        report.warn(
            "bounces_not_reported",
            "HUIYUAN_MAIL_REPORT_SECRET is not set",
            causes="bounces are not heard of; letters go on to dead addresses, until providers refuse all of them",
            do="set it, and have the mail server post bounces, see docs/messages-channels.md",
        )
    if not report.findings:
        await _try_server(settings, report)
    report.well = f"{parts.hostname} lets us in, from {parseaddr(settings.mail_from)[1]}"
    return report


async def _try_server(settings: Settings, report: Report) -> None:
    """Connect, log in, and leave again."""
    import aiosmtplib

    from backend.messages.channels.email import client_of

    client = client_of(settings)
    try:
        async with asyncio.timeout(CONNECT_S):
            await client.connect()
            await client.quit()
    except aiosmtplib.SMTPAuthenticationError as error:
        report.error(
            "mail_login_refused",
            f"the mail server refuses the login ({error.code})",
            causes="no e-mail is sent; letters wait and are given up",
            do="set user and password in HUIYUAN_SMTP_URL, percent-encoded",
        )
    except (aiosmtplib.SMTPException, ssl.SSLError, OSError, ValueError, TimeoutError) as error:
        report.error(
            "mail_unreachable",
            f"{client.hostname}:{client.port} cannot be used ({type(error).__name__})",
            causes="no e-mail is sent; letters wait and are given up",
            do="check HUIYUAN_SMTP_URL, the firewall, and for a certificate of one's own HUIYUAN_SMTP_CA_FILE",
        )
    finally:
        client.close()


def sms(subject: Subject) -> Report:
    """Is the SMS gateway reached over TLS, with a secret?"""
    settings = subject.settings
    report = Report("no SMS gateway: no SMS is sent")
    if not settings.sms_url:
        return report
    parts = urlsplit(settings.sms_url)
    report.well = f"{parts.hostname}, signed"
    if not settings.sms_secret:
        report.error(
            "sms_secret_missing",
            "HUIYUAN_SMS_URL is set, HUIYUAN_SMS_SECRET is not",
            causes="no SMS is sent, and nothing that the gateway reports is taken",
            do="agree on 32 random characters or more with the gateway",
        )
    if subject.production and parts.scheme != "https" and not settings.sms_internal:
        report.error(
            "sms_without_tls",
            f"messages go to {parts.hostname} without TLS",
            causes="every member's phone number and message can be read on the way",
            do="use https://, or HUIYUAN_SMS_INTERNAL=true where the gateway stands in your own network",
        )
    return report


def labels(subject: Subject) -> Report:
    """Is the font for labels one that can be embedded?"""
    name = subject.settings.label_font_file
    report = Report(name or "the reader's own Song")
    if name and not _is_truetype(Path(name)):
        report.error(
            "label_font",
            f"HUIYUAN_LABEL_FONT_FILE {name} is no TrueType font",
            causes="labels cannot be printed",
            do="name a .ttf or .ttc file; .otf files with PostScript outlines cannot be embedded",
        )
    return report


def _is_truetype(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) in (b"\x00\x01\x00\x00", b"true", b"ttcf")
    except OSError:
        return False
