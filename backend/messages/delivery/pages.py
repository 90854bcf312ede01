"""The one page that a letter leads to on our own side: it asks whether to unsubscribe. HTML with its own style."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from ..types import Channel, Purpose

CHANNELS = {
    Channel.EMAIL: "邮件",
    Channel.SMS: "短信",
    Channel.WECHAT: "微信消息",
    Channel.INBOX: "站内消息",
    Channel.POST: "邮寄信件",
}
PURPOSES = {Purpose.CARE: "关怀", Purpose.SURVEY: "调查", Purpose.MARKETING: "优惠活动"}

STYLE = """
body { font: 17px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; margin: 0;
  background: #f2f2f7; color: #1c1c1e }
main { max-width: 26em; margin: 12vh auto 0; padding: 28px 24px; background: #fff; border-radius: 14px }
h1 { font-size: 21px; margin: 0 0 8px } p { margin: 0 0 20px; color: #56565c }
button { font: inherit; width: 100%; min-height: 48px; margin: 0 0 12px; border: 0; border-radius: 10px;
  background: #0b7a5b; color: #fff }
button.quiet { background: #e9e9ee; color: #1c1c1e }
button:focus-visible { outline: 3px solid #7cc7b1; outline-offset: 2px }
@media (prefers-color-scheme: dark) {
  body { background: #000; color: #f2f2f7 } main { background: #1c1c1e } p { color: #aeaeb2 }
  button.quiet { background: #3a3a3c; color: #f2f2f7 } }
"""
POLICY = (
    "default-src 'none'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'"
)
"""Lets the page have this one style and send its one form to us; nothing else at all."""

HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def ask(chain: str, channel: Channel, purpose: Purpose) -> str:
    """The question; nothing happens until one of its buttons is pressed."""
    kind, way = PURPOSES[purpose], CHANNELS[channel]
    return _page(
        f"退订{chain}的{kind}{way}？",
        f"<p>退订后，您不再收到这类{way}。与您自己的订单、账户有关的通知不受影响。</p>"
        '<form method="post">'
        f'<button name="scope" value="purpose">退订{kind}{way}</button>'
        f'<button name="scope" value="channel" class="quiet">退订全部推广、关怀和调查{way}</button>'
        "</form>",
    )


def done(chain: str, channel: Channel, purposes: str) -> str:
    """What was done."""
    return _page(
        "已退订",
        f"<p>{escape(chain)}不再向您发送{purposes}{CHANNELS[channel]}，立即生效。可在“我的 › 消息设置”中重新订阅。</p>",
    )


def _page(title: str, rest: str) -> str:
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main><h1>{escape(title)}</h1>"
        f"{rest}</main></body></html>"
    )
