"""WeChat's side for tests without the simulator: keys made at run time, signatures, sealed notifications."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

from backend.wechat.notify import Trust
from backend.wechat.signing import Merchant, PlatformKeys

APP_ID = "wx0123456789abcdef"
MCH_ID = "1600000001"
MCH_SERIAL = "5F" * 20
API_V3_KEY = "0123456789abcdefABCDEF0123456789"
SERIAL = "4B" * 20
KEY_ID = "PUB_KEY_ID_0116000000012026112300000000000001"
PUSH_TOKEN = "a-push-token"
ENCODING_AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@cache
def key(name: str) -> RSAPrivateKey:
    """A key pair of that name, the same all through the test run."""
    return generate_private_key(public_exponent=65537, key_size=2048)


@cache
def trust() -> Trust:
    """What the merchant under test believes: a certificate and a public key, side by side."""
    keys = PlatformKeys({SERIAL: key("certificate").public_key(), KEY_ID: key("public key").public_key()})
    return Trust(keys, api_v3_key=API_V3_KEY, app_id=APP_ID, mch_id=MCH_ID)


@cache
def merchant() -> Merchant:
    """The merchant under test."""
    return Merchant(MCH_ID, MCH_SERIAL, key("merchant"))


def sign(message: bytes, *, name: str = "certificate") -> str:
    """Base64 of the RSA-SHA256 signature."""
    return base64.b64encode(key(name).sign(message, PKCS1v15(), hashes.SHA256())).decode()


def headers_for(body: bytes, *, at: datetime = NOW, serial: str = SERIAL) -> dict[str, str]:
    """The headers of a signed answer or notification, by lower-case name."""
    timestamp, nonce = str(int(at.timestamp())), secrets.token_hex(16)
    name = "public key" if serial == KEY_ID else "certificate"
    return {
        "wechatpay-timestamp": timestamp,
        "wechatpay-nonce": nonce,
        "wechatpay-serial": serial,
        "wechatpay-signature": sign(f"{timestamp}\n{nonce}\n".encode() + body + b"\n", name=name),
    }


def transaction(**changes: Any) -> dict[str, Any]:
    """A paid order as WeChat writes it."""
    return {
        "appid": APP_ID,
        "mchid": MCH_ID,
        "out_trade_no": "R20261123000001",
        "transaction_id": "4200001234202611230000000001",
        "trade_type": "JSAPI",
        "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功",
        "bank_type": "OTHERS",
        "attach": "",
        "success_time": "2026-11-23T19:59:58+08:00",
        "payer": {"openid": "openid-amy"},
        "amount": {"total": 50000, "payer_total": 50000, "currency": "CNY", "payer_currency": "CNY"},
    } | changes


def refund_notice(**changes: Any) -> dict[str, Any]:
    """A finished refund as WeChat writes it: the merchant is named, the mini-program and the currency are not."""
    return {
        "mchid": MCH_ID,
        "transaction_id": "4200001234202611230000000001",
        "out_trade_no": "R20261123000001",
        "refund_id": "50300001234202611230000000001",
        "out_refund_no": "F20261123000001",
        "refund_status": "SUCCESS",
        "success_time": "2026-11-23T19:59:58+08:00",
        "user_received_account": "支付用户零钱",
        "amount": {"total": 50000, "refund": 20000, "payer_total": 50000, "payer_refund": 20000},
    } | changes


def notification(resource: Any, event_type: str = "TRANSACTION.SUCCESS", *, api_v3_key: str = API_V3_KEY) -> bytes:
    """The body of a notification about that resource; bytes are sealed as they are."""
    plain = resource if isinstance(resource, bytes) else msgspec.json.encode(resource)
    nonce, associated = "0123456789ab", "transaction"
    sealed = AESGCM(api_v3_key.encode()).encrypt(nonce.encode(), plain, associated.encode())
    document = {
        "id": "a4f1b1d6-0000-5000-8000-000000000001",
        "create_time": "2026-11-23T20:00:00+08:00",
        "resource_type": "encrypt-resource",
        "event_type": event_type,
        "summary": "支付成功",
        "resource": {
            "original_type": "transaction",
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": base64.b64encode(sealed).decode(),
            "associated_data": associated,
            "nonce": nonce,
        },
    }
    return msgspec.json.encode(document)


def certificate_pem(name: str, serial: str) -> bytes:
    """A certificate of that key with that serial."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com sign")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key(name).public_key())
        .serial_number(int(serial, 16))
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1825))
        .sign(key(name), hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def public_pem(name: str) -> bytes:
    """The public half of a key."""
    return (
        key(name).public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def write_private_pem(name: str, path: Path) -> None:
    """Write the private half of a key to a file."""
    path.write_bytes(
        key(name).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def push_signature(*parts: str) -> str:
    """Message push: SHA-1 over the token and the parts, sorted."""
    return hashlib.sha1("".join(sorted((PUSH_TOKEN, *parts))).encode()).hexdigest()


def push_query(sealed: str | None = None, *, at: datetime = NOW, nonce: str = "1372623149") -> dict[str, str]:
    """The address (query) of a push, of an encrypted one when ``sealed`` is given."""
    timestamp = str(int(at.timestamp()))
    query = {"signature": push_signature(timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
    if sealed is not None:
        query |= {"encrypt_type": "aes", "msg_signature": push_signature(timestamp, nonce, sealed)}
    return query


def seal_raw(content: bytes) -> str:
    """AES-256-CBC with the EncodingAESKey over whole blocks, base64."""
    aes_key = base64.b64decode(ENCODING_AES_KEY + "=")
    encryptor = Cipher(algorithms.AES(aes_key), modes.CBC(aes_key[:16])).encryptor()
    return base64.b64encode(encryptor.update(content) + encryptor.finalize()).decode()


def seal_push(plain: bytes, app_id: str = APP_ID) -> str:
    """A message as safe mode encrypts it."""
    content = secrets.token_bytes(16) + len(plain).to_bytes(4, "big") + plain + app_id.encode()
    padding = 32 - len(content) % 32
    return seal_raw(content + bytes([padding]) * padding)
