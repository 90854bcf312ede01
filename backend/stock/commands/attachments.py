"""Papers that belong to a document: delivery notes, invoices. Kept as they came, after a look at what they are."""

from __future__ import annotations

import asyncio
from io import BytesIO

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, logging

from .. import queries
from ..errors import AttachmentRefused

log = logging.get(__name__)

MOST_BYTES = 2 << 20
MOST_EACH = 10
MOST_PIXELS = 40_000_000

PDF = "application/pdf"
_PICTURES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
MEDIA_TYPES = frozenset({PDF, *_PICTURES.values()})
"""What a paper may say that it is; what it is, its content decides."""


def media_type(data: bytes) -> str:
    """What these bytes are, by content; ``AttachmentRefused`` for what is no PDF and no whole picture."""
    if not 0 < len(data) <= MOST_BYTES:
        raise AttachmentRefused
    if data.startswith(b"%PDF-1.") and b"%%EOF" in data[-1024:]:
        return PDF
    from PIL import Image  # 3 MB in every process: only those that are sent pictures pay for it

    try:
        with Image.open(BytesIO(data), formats=tuple(_PICTURES)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise AttachmentRefused
            kind = _PICTURES[str(image.format)]
            image.verify()
    except AttachmentRefused:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning) as error:
        raise AttachmentRefused from error
    return kind


async def attach(document_id: str, name: str, data: bytes, caller: StaffCaller) -> str:
    """Add a paper to a document; returns its id. Papers are never taken away."""
    kind = await asyncio.to_thread(media_type, data)
    attachment_id = ids.new_short("Z")
    async with db.transaction() as tx:
        await queries.read_document(tx, document_id)
        rows = await db.fetch_in(tx, "SELECT count(*) FROM stock_attachment WHERE document_id = $1", document_id)
        if rows[0][0] >= MOST_EACH:
            raise AttachmentRefused
        await db.raw(tx).execute(
            "INSERT INTO stock_attachment (id, document_id, name, media_type, body, staff_id, at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            attachment_id,
            document_id,
            name,
            kind,
            data,
            caller.staff_id,
            clock.now(),
        )
    log.info("stock.attached", document_id=document_id, attachment_id=attachment_id, staff_id=caller.staff_id)
    return attachment_id
