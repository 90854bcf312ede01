"""What WeChat reports of recharges. Importing this module registers it."""

from __future__ import annotations

from backend.wechat import service as wechat

from .commands.payments import settle_payment
from .commands.pending import settle_refund

wechat.on_payment(settle_payment, prefix="R")
wechat.on_refund(settle_refund, prefix="R")
