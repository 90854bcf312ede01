"""Which channel has which driver. A driver's libraries are loaded when it is made."""

from __future__ import annotations

from backend.kernel.config import Settings

from ..types import Channel
from . import Driver, offer


def _email(settings: Settings) -> Driver | None:
    if not (settings.smtp_url and settings.mail_from):
        return None
    from .email import Smtp

    return Smtp(settings)


def _sms(settings: Settings) -> Driver | None:
    if not (settings.sms_url and settings.sms_secret):
        return None
    from .sms import Sms

    return Sms(settings)


def _wechat(settings: Settings) -> Driver | None:
    if not settings.wechat_app_id:
        return None
    from .wechat import Wechat

    return Wechat()


offer(Channel.EMAIL, _email)
offer(Channel.SMS, _sms)
offer(Channel.WECHAT, _wechat)
