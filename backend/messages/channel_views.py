"""What callers are shown of e-mail addresses, replies and labels."""

from __future__ import annotations

from backend.kernel.charts import Stacks

from .channel_schemas import EmailOut, LayoutOut, LineOut, ReplyOut, SheetOut
from .delivery.labels import Layout
from .delivery.pages import CHANNELS
from .queries.addresses import Email
from .queries.replies import Reply
from .queries.sheets import Sheet
from .queries.statistics import Line


def email(found: Email | None) -> EmailOut:
    """A member's e-mail, masked."""
    if found is None:
        return EmailOut(None, None, None, False)
    return EmailOut(_masked(found.address), found.confirmed_at, _masked(found.pending), found.dead)


def _masked(address: str | None) -> str | None:
    """``l***@mail.example``."""
    if address is None:
        return None
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"


def reply(found: Reply) -> ReplyOut:
    """What a member wrote back."""
    return ReplyOut(found.id, str(found.member_id), found.channel, found.text, found.stop, found.at, found.letter_id)


def layout(found: Layout) -> LayoutOut:
    """A sheet of labels."""
    return LayoutOut(found.code, found.name, found.columns, found.rows, found.width, found.height, found.letter)


def sheet(found: Sheet) -> SheetOut:
    """What was asked for, and how far it is."""
    return SheetOut(
        id=found.id,
        layout=found.layout,
        skip=found.skip,
        purpose=found.purpose,
        batch_id=found.batch_id,
        state=found.state,
        problem=found.problem,
        labels=found.labels,
        pages=found.pages,
        no_address=found.no_address,
        no_consent=found.no_consent,
        created_at=found.created_at,
        ended_at=found.ended_at,
    )


def line(found: Line, title: str) -> LineOut:
    """What became of a template on one channel."""
    return LineOut(
        found.template,
        title,
        found.channel,
        found.deliveries,
        found.waiting,
        found.suppressed,
        found.failed,
        found.bounced,
        found.arrived,
        found.opened,
        found.clicked,
        found.machines,
        found.opened * 10_000 // found.arrived if found.arrived else None,
        found.clicked * 10_000 // found.arrived if found.arrived else None,
    )


PARTS = ("已点击", "已打开", "已送达", "等待", "退回", "失败", "未发送")
MOST_BARS = 20


def chart(lines: list[LineOut], days: str) -> Stacks:
    """The largest lines, each made of what became of its deliveries."""
    bars: list[tuple[str, list[int | None]]] = []
    for item in lines[:MOST_BARS]:
        opened = min(item.opened, item.arrived)
        clicked = min(item.clicked, opened)
        parts = [clicked, opened - clicked, item.arrived - opened, item.waiting, item.bounced, item.failed]
        bars.append((f"{item.title} · {CHANNELS[item.channel]}", [*parts, item.suppressed]))
    return Stacks("消息送达", days, "条", PARTS, bars)
