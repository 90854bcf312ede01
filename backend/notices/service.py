"""Writes that take an open transaction."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec

from backend.kernel import db, searching
from backend.kernel.db import Tx
from backend.kernel.errors import invalid
from backend.mall import service as mall

from .rules import markdown
from .types import Blocks

_DRAFT = """
INSERT INTO notice_version AS v (chapter_id, number, title, body, blocks, plain, title_terms, terms, note, revision,
                                 staff_id, saved_at)
VALUES ($1, $2, $3, $4, $5::text::jsonb, $6, array_to_tsvector($7::text[]), array_to_tsvector($8::text[]), $9, $10,
        $11, $12)
ON CONFLICT (chapter_id, number) DO UPDATE
   SET title = EXCLUDED.title, body = EXCLUDED.body, blocks = EXCLUDED.blocks, plain = EXCLUDED.plain,
       title_terms = EXCLUDED.title_terms, terms = EXCLUDED.terms, note = EXCLUDED.note, revision = EXCLUDED.revision,
       staff_id = EXCLUDED.staff_id, saved_at = EXCLUDED.saved_at"""


async def read_text(body: str) -> Blocks:
    """The blocks of a text; ``ValidationFailed`` where a link or a picture may not be in it.

    Read beside the event loop, and before a transaction: what is made to be hard to read takes a second.
    """
    try:
        return await asyncio.to_thread(markdown.parse, body)
    except markdown.UnsafeText as error:
        raise invalid("/body", str(error)) from error


async def keep_pictures(tx: Tx, owner: str, blocks: Blocks, cover: str | None = None) -> None:
    """Keep the pictures of a text, and its cover; ``ValidationFailed`` for one that was never uploaded."""
    unknown = await mall.show_pictures(tx, owner, [*markdown.pictures_of(blocks), *([cover] if cover else [])])
    if cover in unknown:
        raise invalid("/cover", "there is no such picture")
    if unknown:
        raise invalid("/body", f"there is no such picture: {min(unknown)[:12]}…")


async def write_draft(
    tx: Tx,
    chapter_id: str,
    number: int,
    *,
    title: str,
    body: str,
    blocks: Blocks,
    note: str,
    revision: int,
    staff_id: int,
    now: datetime,
) -> None:
    """Write a draft in place of the one with that number, if there is one, with all that it is found by.

    ``blocks`` are the text's, as ``read_text`` gave them.
    """
    await keep_pictures(tx, f"chapter:{chapter_id}:{number}", blocks)
    plain = markdown.plain(blocks)
    title_terms = searching.words_of([title])
    await db.raw(tx).execute(
        _DRAFT,
        chapter_id,
        number,
        title,
        body,
        msgspec.json.encode(blocks).decode(),
        plain,
        title_terms,
        sorted({*title_terms, *searching.words_in(plain)}),
        note,
        revision,
        staff_id,
        now,
    )
