"""A letter as an SMS: one line, signed before, with the way to unsubscribe behind what needs consent."""

from __future__ import annotations

from urllib.parse import urlsplit

from backend.kernel.config import Settings

from ..channels import Outgoing
from ..types import Channel, Purpose
from . import mail

UNSUBSCRIBE = "，回TD退订"


def framed(body: str, purpose: Purpose, settings: Settings) -> str:
    """A text with what stands before and behind every message."""
    text = mail.one_line(body)
    if purpose is not Purpose.SERVICE:
        text = text.rstrip("。.，,；; ") + UNSUBSCRIBE
    return f"【{settings.sms_signature or settings.chain_name}】{text}"


def text_of(outgoing: Outgoing, settings: Settings) -> str:
    """The message as it goes out; addresses of our own in it go by a signed link, others as they are."""
    sender = mail.sender_of(settings)
    body = mail.one_line(outgoing.body)
    own = urlsplit(sender.base_url).netloc, urlsplit(sender.pages_url).netloc
    targets = [target for target in mail.targets_in(body) if urlsplit(target).netloc in own]
    letter_id = outgoing.delivery_id.rpartition("-")[0]
    followed = mail.Followed(letter_id, Channel.SMS, sender, targets)
    return framed(mail.with_addresses(body, followed, str), outgoing.purpose, settings)
