"""QR codes as pictures, for clients that draw none themselves."""

from __future__ import annotations

import io
from typing import Literal


def draw(text: str, kind: Literal["svg", "png"], *, dot: int = 12) -> bytes:
    """A QR code of medium error correction in the smallest version that holds the text; ``dot`` units a module.

    Twenty digits make version 1.
    """
    # Here, not above: only few processes ever draw one.
    import qrcode
    import qrcode.image.svg

    qr = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=dot, border=4)
    qr.add_data(qrcode.util.QRData(text, mode=qrcode.util.MODE_NUMBER) if text.isdigit() else text)
    out = io.BytesIO()
    if kind == "svg":
        qr.make_image(image_factory=qrcode.image.svg.SvgPathFillImage).save(out)
    else:
        qr.make_image().save(out)
    return out.getvalue()
