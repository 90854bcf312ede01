"""What WeChat reports of recharges. Importing this module registers it.

Registered for every order number that no other domain claims, so that a notification of an unknown order is refused.
"""

from __future__ import annotations

from backend.wechat import service as wechat

from .commands.payments import settle_payment
from .commands.pending import settle_refund

wechat.on_payment(settle_payment)
wechat.on_refund(settle_refund)
