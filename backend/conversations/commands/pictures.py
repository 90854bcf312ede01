"""Pictures: customers' are fetched from WeChat within their three days; all are drawn anew before they are kept."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from io import BytesIO

from backend.kernel import clock, db, drawing, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import Unavailable
from backend.kernel.pictures import KIND, NotAPicture, Picture
from backend.wechat import service as wechat
from backend.wechat.errors import MediaGone

from .. import locks, queries, service
from ..types import Author, Message, Stage
from . import receive

log = logging.get(__name__)

FETCHED_WITHIN = timedelta(days=3)
"""WeChat keeps what a customer sent for so long."""

MOST_FAILED = 5
"""One picture that WeChat does not hand out must not keep the others from being fetched."""

THUMB_KEPT = timedelta(days=2)
_THUMB = (520, 416)

_thumb: tuple[str, datetime, object] | None = None


async def keep(tx: Tx, message: Message, picture: Picture) -> None:
    """Store a message's picture with it."""
    await db.raw(tx).execute(
        "INSERT INTO conversation_picture (conversation_id, seq, kind, large, small) VALUES ($1, $2, $3, $4, $5)",
        message.conversation_id,
        message.seq,
        KIND,
        picture.large,
        picture.small,
    )


async def fetch(conversation_id: int, seq: int) -> None:
    """Bring a customer's picture here; ``lost`` where WeChat has it no longer, or it is none.

    Raises what WeChat's failure raises while there is time to try again.
    """
    message = await queries.find_message(conversation_id, seq)
    if message is None or message.stage is not Stage.FETCHING:
        return
    picture, reason = None, ""
    try:
        if clock.now() - message.at >= FETCHED_WITHIN:
            raise MediaGone
        picture = await drawing.redraw(await wechat.download_media(message.media_id))
    except MediaGone:
        reason = "media_gone"
    except NotAPicture:
        reason = "not_a_picture"
    async with db.transaction() as tx:
        conversation = await locks.lock_conversation(tx, conversation_id)
        stage = Stage.RECEIVED if picture else Stage.LOST
        if await service.set_stage(tx, conversation_id, seq, stage, was=Stage.FETCHING, reason=reason) and picture:
            await keep(tx, message, picture)
    receive.tell(conversation, Author.CUSTOMER)
    log.info("conversations.picture", conversation_id=conversation_id, seq=seq, stage=stage.value)


async def fetch_again() -> int:
    """Fetch what a job gave up on, or call it lost after its three days; returns how many."""
    done = failed = 0
    for message in await queries.list_stuck(Stage.FETCHING, clock.now() - timedelta(minutes=30), 100):
        try:
            await fetch(message.conversation_id, message.seq)
            done += 1
        except Unavailable:
            failed += 1
            if failed == MOST_FAILED:
                break  # WeChat is away: next time
    return done


async def upload(picture: Picture) -> str:
    """Give WeChat a picture to send: it takes no WebP."""
    return await wechat.upload_picture(await asyncio.to_thread(_as_jpeg, picture.large))


async def card_thumb() -> str:
    """The picture of our cards at WeChat, uploaded anew every second day by each process."""
    global _thumb
    now = clock.now()
    if _thumb is None or _thumb[1] <= now or _thumb[2] is not db.pool():
        data = await asyncio.to_thread(_draw_thumb, settings().brand_color)
        _thumb = (await wechat.upload_picture(data), now + THUMB_KEPT, db.pool())
    return _thumb[0]


def _as_jpeg(large: bytes) -> bytes:
    from PIL import Image

    out = BytesIO()
    with Image.open(BytesIO(large), formats=("WEBP",)) as image:
        pixels = image.convert("RGBA") if image.mode != "RGB" else image
        if pixels.mode == "RGBA":
            paper = Image.new("RGB", pixels.size, "white")
            paper.paste(pixels, mask=pixels.getchannel("A"))
            pixels = paper
        pixels.save(out, "JPEG", quality=85)
    return out.getvalue()


def _draw_thumb(color: str) -> bytes:
    """The chain's colour with a card on it."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", _THUMB, color)
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((110, 108, 410, 308), 24, fill="white")
    pen.rounded_rectangle((110, 158, 410, 192), 0, fill=color)
    pen.rounded_rectangle((140, 236, 270, 258), 11, fill=color)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
