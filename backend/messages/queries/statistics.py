"""What became of letters: deliveries by template and channel, and who opened and followed them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.kernel import db

from ..types import Channel

MOST_LINES = 500


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """The deliveries of a template on one channel.

    ``deliveries`` = ``waiting`` + ``suppressed`` + ``failed`` + ``bounced`` + ``arrived``, where ``arrived`` is what a
    channel took and did not bring back. ``opened`` and ``clicked`` are members, each delivery once; ``machines`` are
    fetches by scanners, which count for nothing else. The inbox's are opened when they are read.
    """

    template: str
    channel: Channel
    deliveries: int
    waiting: int
    suppressed: int
    failed: int
    bounced: int
    arrived: int
    opened: int
    clicked: int
    machines: int


_OF = """
WHERE l.at >= $1 AND l.at < $2 AND ($3::text IS NULL OR l.template = $3) AND ($4::text IS NULL OR d.channel = $4)
  AND ($5::text IS NULL OR l.member_id IN (SELECT id FROM member WHERE store_id = $5))"""

_LINES_OF = """
SELECT l.template, d.channel, count(*) AS deliveries,
       count(*) FILTER (WHERE d.state IN ('queued', 'sending')) AS waiting,
       count(*) FILTER (WHERE d.state = 'suppressed') AS suppressed,
       count(*) FILTER (WHERE d.state = 'failed') AS failed,
       count(*) FILTER (WHERE d.state = 'bounced') AS bounced,
       count(*) FILTER (WHERE d.state IN ('sent', 'delivered', 'opened', 'clicked')) AS arrived,
       count(*) FILTER (WHERE d.opened_at IS NOT NULL OR (d.channel = 'inbox' AND l.read_at IS NOT NULL)) AS opened,
       count(*) FILTER (WHERE d.clicked_at IS NOT NULL) AS clicked
FROM message_letter l JOIN message_delivery d ON d.member_id = l.member_id AND d.letter_id = l.id
{} GROUP BY l.template, d.channel ORDER BY count(*) DESC, l.template, d.channel LIMIT $6"""

_MACHINES_OF = """
SELECT l.template, d.channel, count(*) AS machines
FROM message_letter l JOIN message_touch d ON d.member_id = l.member_id AND d.letter_id = l.id AND d.machine
{} GROUP BY l.template, d.channel"""
_LINES, _MACHINES = _LINES_OF.format(_OF), _MACHINES_OF.format(_OF)


async def list_lines(
    since: datetime, until: datetime, *, template: str | None, channel: Channel | None, store_id: str | None
) -> list[Line]:
    """Lines of the letters that were written between two instants, the largest first; of a store's members only."""
    given = (since, until, template, channel.value if channel else None, store_id)
    rows = await db.fetch(_LINES, *given, MOST_LINES)
    fetched = await db.fetch(_MACHINES, *given)
    machines = {(row["template"], row["channel"]): row["machines"] for row in fetched}
    return [
        Line(
            **dict(row) | {"channel": Channel(row["channel"])},
            machines=machines.get((row["template"], row["channel"]), 0),
        )
        for row in rows
    ]
