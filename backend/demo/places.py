"""What the demo's stores look like: a picture of the front, and a plan of the floor, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PIL import Image, ImageDraw

from backend.kernel import db, pictures
from backend.kernel.db import Tx

SIZE = (960, 640)
COLOURS = ("#0b7a5b", "#c46a12", "#2f5fb3")
_PAPER, _LINE = "#f6f4ee", "#55524a"


async def load_pictures(tx: Tx, store_ids: Sequence[str], now: datetime) -> None:
    """A front and a plan for each store."""
    for number, store_id in enumerate(store_ids):
        colour = COLOURS[number % len(COLOURS)]
        for sort, (kind, title, image) in enumerate(
            (("picture", "门面", _front(colour)), ("plan", "一楼平面图", _plan(colour, shelves=4 + number)))
        ):
            picture = pictures.encode(image)
            await db.raw(tx).execute(
                "INSERT INTO mall_media (id, kind, width, height, large, small, at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
                " ON CONFLICT DO NOTHING",
                picture.id,
                pictures.KIND,
                picture.width,
                picture.height,
                picture.large,
                picture.small,
                now,
            )
            await db.raw(tx).execute(
                "INSERT INTO mall_store_picture (store_id, media_id, kind, title, sort) VALUES ($1, $2, $3, $4, $5)",
                store_id,
                picture.id,
                kind,
                title,
                sort,
            )


def _front(colour: str) -> Image.Image:
    """A shop with an awning, two windows and a door."""
    image = Image.new("RGB", SIZE, "#dfe8ee")
    pen = ImageDraw.Draw(image)
    pen.rectangle((80, 140, 880, 600), fill=_PAPER, outline=_LINE, width=6)
    for stripe in range(10):
        left = 60 + stripe * 84
        pen.rectangle((left, 140, left + 84, 230), fill=colour if stripe % 2 else "#ffffff", outline=_LINE, width=3)
    for left in (140, 640):
        pen.rectangle((left, 290, left + 180, 500), fill="#bcd3df", outline=_LINE, width=6)
    pen.rectangle((410, 290, 550, 600), fill=colour, outline=_LINE, width=6)
    return image


def _plan(colour: str, *, shelves: int) -> Image.Image:
    """Walls, shelves, tills and the entrance, from above."""
    image = Image.new("RGB", SIZE, "#ffffff")
    pen = ImageDraw.Draw(image)
    pen.rectangle((40, 40, 920, 600), outline=_LINE, width=10)
    for shelf in range(shelves):
        left = 120 + shelf * (720 // shelves)
        pen.rounded_rectangle((left, 110, left + 60, 400), radius=6, fill=_PAPER, outline=_LINE, width=4)
    for till in range(2):
        pen.rounded_rectangle((200 + till * 180, 470, 300 + till * 180, 530), radius=8, fill=colour)
    pen.rectangle((700, 590, 840, 610), fill="#ffffff")
    return image
