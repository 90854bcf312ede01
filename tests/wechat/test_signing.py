"""Signatures and key files."""

from __future__ import annotations

import base64
import re

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from backend.kernel.config import SettingsError
from backend.wechat.signing import Merchant, PlatformKeys

from .platform import (
    KEY_ID,
    MCH_ID,
    MCH_SERIAL,
    SERIAL,
    certificate_pem,
    headers_for,
    key,
    merchant,
    public_pem,
    write_private_pem,
)


def verify_with(keys: PlatformKeys, body: bytes, serial: str) -> bool:
    headers = headers_for(body, serial=serial)
    return keys.verify(
        serial,
        headers["wechatpay-signature"],
        timestamp=headers["wechatpay-timestamp"],
        nonce=headers["wechatpay-nonce"],
        body=body,
    )


def test_authorization_signs_method_target_time_nonce_and_body():
    header = merchant().authorization("POST", "/mock/v3/x?a=%2F", b'{"a":1}', unix=1790000000, nonce="abc")

    scheme, _, rest = header.partition(" ")
    parts = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    assert scheme == "WECHATPAY2-SHA256-RSA2048"
    assert (parts["mchid"], parts["serial_no"], parts["nonce_str"]) == (MCH_ID, MCH_SERIAL, "abc")
    assert parts["timestamp"] == "1790000000"
    key("merchant").public_key().verify(
        base64.b64decode(parts["signature"]),
        b'POST\n/mock/v3/x?a=%2F\n1790000000\nabc\n{"a":1}\n',
        PKCS1v15(),
        hashes.SHA256(),
    )


def test_certificates_and_public_keys_lie_side_by_side(tmp_path):
    (tmp_path / f"{SERIAL}.pem").write_bytes(certificate_pem("certificate", SERIAL))
    (tmp_path / f"{KEY_ID}.pem").write_bytes(public_pem("public key"))
    (tmp_path / "README").write_text("not a key")

    keys = PlatformKeys.load(tmp_path)

    assert verify_with(keys, b"{}", SERIAL)
    assert verify_with(keys, b"{}", KEY_ID)
    assert keys.wanted_serial == KEY_ID


def test_with_certificates_only_wechat_chooses_the_key(tmp_path):
    (tmp_path / f"{SERIAL}.pem").write_bytes(certificate_pem("certificate", SERIAL))

    assert PlatformKeys.load(tmp_path).wanted_serial is None


def test_the_last_characters_spare_bits_are_not_free():
    keys = PlatformKeys({SERIAL: key("certificate").public_key()})
    headers = headers_for(b"")
    signature = headers["wechatpay-signature"]
    assert signature.endswith("==")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = signature[:-3] + alphabet[alphabet.index(signature[-3]) ^ 1] + "=="

    assert base64.b64decode(other) == base64.b64decode(signature)
    assert not keys.verify(
        SERIAL, other, timestamp=headers["wechatpay-timestamp"], nonce=headers["wechatpay-nonce"], body=b""
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("4C" * 20, certificate_pem("certificate", SERIAL)),
        ("not-hexadecimal", certificate_pem("certificate", SERIAL)),
        (SERIAL, b"nothing"),
        (SERIAL, public_pem("public key")),
        (KEY_ID, certificate_pem("certificate", SERIAL)),
        (
            KEY_ID,
            generate_ec(SECP256R1()).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        ),
    ],
    ids=["another serial", "no serial", "no PEM", "key as certificate", "certificate as key", "no RSA key"],
)
def test_a_file_that_is_not_what_its_name_says_stops_the_start(tmp_path, name, content):
    (tmp_path / f"{name}.pem").write_bytes(content)

    with pytest.raises(SettingsError, match=r"PLATFORM_KEYS_DIR: .*\.pem: "):
        PlatformKeys.load(tmp_path)


def test_an_empty_directory_stops_the_start(tmp_path):
    with pytest.raises(SettingsError, match="holds no"):
        PlatformKeys.load(tmp_path)


def test_the_merchants_key_is_read_and_checked(tmp_path):
    good, bad = tmp_path / "good.pem", tmp_path / "bad.pem"
    write_private_pem("merchant", good)
    bad.write_bytes(public_pem("merchant"))

    assert Merchant.load(MCH_ID, MCH_SERIAL, good).sign(b"x") == merchant().sign(b"x")
    for path in (bad, tmp_path / "missing.pem"):
        with pytest.raises(SettingsError, match="MCH_KEY_FILE"):
            Merchant.load(MCH_ID, MCH_SERIAL, path)
