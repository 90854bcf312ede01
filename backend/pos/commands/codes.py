"""The session's own code, for phones that do not make them offline."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from backend.auth import queries, service
from backend.kernel import clock, db

from ..rules import codes
from ..schemas import CodeOut


async def current_code(session_id: int, member_id: int) -> CodeOut:
    """The code of the session's server-side device for the current step; it dies when the next step ends."""
    device = await queries.find_session_device(member_id, session_id)
    if device is None:
        async with db.transaction() as tx:
            device = await service.ensure_session_device(tx, session_id, member_id)
    now = clock.now().timestamp()
    step = codes.step_at(now)
    return CodeOut(
        codes.make(device.secret, device.handle, step),
        datetime.fromtimestamp((step + 2) * codes.STEP_SECONDS, tz=UTC),
        max(1, int((step + 1) * codes.STEP_SECONDS - now + 0.999)),
    )


def draw(code: str, kind: str) -> bytes:
    """The code as a QR image (version 1-M, numeric), ``svg`` or ``png``."""
    import qrcode
    import qrcode.image.svg

    qr = qrcode.QRCode(version=1, error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=12, border=4)
    qr.add_data(qrcode.util.QRData(code, mode=qrcode.util.MODE_NUMBER))
    out = io.BytesIO()
    if kind == "svg":
        qr.make_image(image_factory=qrcode.image.svg.SvgPathFillImage).save(out)
    else:
        qr.make_image().save(out)
    return out.getvalue()
