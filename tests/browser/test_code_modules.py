"""The phone's own codes, drawn and computed by our modules, against independent implementations in Python."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import random

import pytest
import qrcode
import zxingcpp
from PIL import Image

from tests.support.members import AUTHORISING, make_code

pytestmark = pytest.mark.browser

NUMBERS = random.Random(20261122)


def some_digits(count: int = 20) -> str:
    return "".join(NUMBERS.choices("0123456789", k=count))


def some_device() -> dict[str, str]:
    secret = base64.urlsafe_b64encode(NUMBERS.randbytes(32)).rstrip(b"=").decode()
    return {"handle": some_digits(9), "secret": secret}


def expected_code(device: dict[str, str], step: int) -> str:
    """DESIGN section 4, once more and independently."""
    key = base64.urlsafe_b64decode(device["secret"] + "=")
    mac = hmac.digest(key, b"mc1" + device["handle"].encode() + step.to_bytes(8, "big"), "sha256")
    offset = mac[-1] & 15
    otp = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    body = f"70{device['handle']}{otp % 10**8:08d}"
    doubled = [int(digit) * (2 - i % 2) for i, digit in enumerate(reversed(body))]
    return body + str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 119, 120, 200])
async def test_sha256_is_the_standard_one(modules, length):
    message = NUMBERS.randbytes(length)

    digest = await modules.evaluate(
        """async (bytes) => {
          const { sha256, toHex } = await import("/static/shared/sha256.js");
          return toHex(sha256(new Uint8Array(bytes)));
        }""",
        list(message),
    )

    assert digest == hashlib.sha256(message).hexdigest()


@pytest.mark.parametrize("length", [0, 1, 111, 112, 119, 120, 127, 128, 129, 300])
async def test_sha384_is_the_standard_one(modules, length):
    message = NUMBERS.randbytes(length)

    digest = await modules.evaluate(
        """async (bytes) => {
          const { sha384 } = await import("/static/shared/sha384.js");
          return [...sha384(new Uint8Array(bytes))];
        }""",
        list(message),
    )

    assert bytes(digest) == hashlib.sha384(message).digest()


async def test_a_code_is_what_the_design_says(call):
    for step in (0, 1, 118_950_000, 2**32 - 1, 2**32 + 5):
        device = some_device()

        code = await call("code.js", "codeFor", device, step)
        other = await call("code.js", "codeFor", device, step, {"prefix": "71", "label": "ac1"})

        assert code == expected_code(device, step)
        assert other == make_code(device["handle"], device["secret"], step, purpose=AUTHORISING)
        assert len(code) == len(other) == 20


async def test_a_step_is_fifteen_seconds(call):
    assert await call("code.js", "stepAt", 1_700_000_009_999) == 113_333_333
    assert await call("code.js", "stepAt", 1_700_000_010_000) == 113_333_334
    assert await call("code.js", "secondsLeft", 1_500_000_000_000 + 4_000) == 11


@pytest.mark.parametrize("mask", range(8))
async def test_qr_modules_are_those_of_another_encoder(call, mask):
    digits = some_digits()
    other = qrcode.QRCode(version=1, error_correction=qrcode.ERROR_CORRECT_M, mask_pattern=mask, border=0)
    other.add_data(digits)
    other.make(fit=False)

    ours = await call("qr.js", "qrModules", digits, mask)

    assert ours == [[int(bit) for bit in row] for row in other.get_matrix()]


@pytest.mark.parametrize("text", ["G0123456789", "GA", "A B$%*+-./:Z"])
async def test_qr_modules_of_letters_are_those_of_another_encoder(call, text):
    other = qrcode.QRCode(version=1, error_correction=qrcode.ERROR_CORRECT_M, mask_pattern=3, border=0)
    other.add_data(qrcode.util.QRData(text, mode=qrcode.util.MODE_ALPHA_NUM))
    other.make(fit=False)

    ours = await call("qr.js", "qrModules", text, 3)

    assert ours == [[int(bit) for bit in row] for row in other.get_matrix()]


@pytest.mark.parametrize("digits", ["00000000000000000000", "7", some_digits(34), some_digits(20), "G0123456789"])
async def test_a_drawn_qr_is_read_by_a_decoder(modules, digits):
    picture = await draw(modules, "qr.js", digits)

    read = zxingcpp.read_barcode(picture)

    assert read is not None
    assert read.text == digits


@pytest.mark.parametrize("digits", ["".join(f"{n:02d}" for n in range(k, k + 10)) for k in range(0, 91, 10)])
async def test_a_drawn_barcode_is_read_by_a_decoder(modules, digits):
    picture = await draw(modules, "barcode.js", digits)

    read = zxingcpp.read_barcode(picture)

    assert read is not None
    assert read.text == digits


async def draw(page, module, digits):
    """Have the browser draw the path that the module returns, black on white, and take its pixels."""
    script = """async ([module, digits]) => {
      const drawing = await import(`/static/shared/${module}`);
      const bars = module === "barcode.js" ? drawing.code128Path(digits, 40) : null;
      const path = new Path2D(bars ? bars.path : drawing.qrPath(digits));
      const canvas = new OffscreenCanvas(bars ? (bars.width + 20) * 2 : 29 * 8, bars ? 120 : 29 * 8);
      const pen = canvas.getContext("2d");
      pen.fillStyle = "#fff"; pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.fillStyle = "#000"; pen.scale(bars ? 2 : 8, bars ? 2 : 8); pen.translate(bars ? 10 : 4, bars ? 10 : 4);
      pen.fill(path);
      return Array.from(new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer()));
    }"""
    return Image.open(io.BytesIO(bytes(await page.evaluate(script, [module, digits]))))


@pytest.mark.parametrize(
    ("function", "argument", "text"),
    [
        ("money", 123450, "¥1,234.50"),
        ("money", -5, "−¥0.05"),
        ("shortMoney", 50000, "¥500"),
        ("count", 1234567, "1,234,567"),
        ("date", "2026-11-22T16:30:00Z", "2026年11月23日"),
        ("date", "2026-11-22", "2026年11月22日"),
        ("dateTime", "2026-11-22T01:05:09Z", "2026年11月22日 09:05"),
        ("discount", 500, "95折"),
        ("discount", 1000, "9折"),
        ("discount", 1250, "87.5折"),
        ("discount", 0, ""),
        ("parseYuan", "1,234.5", 123450),
        ("parseYuan", "0.05", 5),
        ("parseYuan", "1.234", None),
        ("parseYuan", "-1", None),
        ("inGroups", "70123456789012345678", "7012 3456 7890 1234 5678"),
    ],
)
async def test_amounts_and_dates_are_written_as_shops_do(call, function, argument, text):
    assert await call("format.js", function, argument) == text
