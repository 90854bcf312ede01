"""WeChat's subscribe messages, through the adapter: one for each time that the member said yes.

The adapter takes a new access token once where WeChat refuses the old one (40001, 42001), and never in a loop.
"""

from __future__ import annotations

from urllib.parse import quote

from backend.wechat import service as wechat
from backend.wechat.errors import MessageRefused, WechatBusy, WechatMisconfigured, WechatUnavailable

from ..types import Channel
from . import Outgoing, Refused, Sent, TryAgain

PAGE = "pages/index/index"
"""The mini-program's page that letters open; the letter's own address is its parameter ``to``."""

_REASONS = {"declined": "declined", "user_unknown": "unknown_address"}


class Wechat:
    """The driver. WeChat knows no repeat: what was under way when a worker died is not sent again."""

    channel = Channel.WECHAT
    repeats_safely = False

    async def send(self, outgoing: Outgoing) -> Sent:
        """Send one subscribe message; ``Refused`` where the member has not subscribed, or no longer."""
        if not outgoing.template_id:
            raise Refused("no_template")
        try:
            await wechat.send_subscribe_message(
                outgoing.address, outgoing.template_id, outgoing.fields, page=page_of(outgoing.link)
            )
        except MessageRefused as refused:
            reason = _REASONS.get(refused.reason, "refused")
            raise Refused(reason, bounced=reason == "unknown_address") from None
        except WechatMisconfigured:
            raise TryAgain(after_s=300.0, reason="misconfigured") from None
        except WechatBusy as busy:
            raise TryAgain(after_s=float(busy.retry_after_s or 60), reason="busy") from None
        except WechatUnavailable:
            raise Refused("outcome_unknown") from None  # it may be there already, and another try would be a second one
        return Sent()

    async def aclose(self) -> None:
        """The adapter's connections are the adapter's."""


def page_of(link: str | None) -> str:
    """The page of the mini-program that shows a letter's address."""
    return f"{PAGE}?to={quote(link.removeprefix('#'), safe='')}" if link else PAGE
