"""Pay v3 cryptography, the platform's side: SHA256-RSA signatures, AES-256-GCM, the platform's certificate.

Source: pay.weixin.qq.com, 签名生成, 签名验证, 证书和回调报文解密.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import string
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

from .config import SimulatorConfig

SCHEME = "WECHATPAY2-SHA256-RSA2048"
_FIELD = re.compile(r'\s*([a-z_]+)="([^"]*)"\s*(?:,|$)')
_ALPHABET = string.ascii_letters + string.digits


def random_string(length: int) -> str:
    """Letters and digits, as the platform uses for nonces."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def parse_authorization(value: str) -> dict[str, str] | None:
    """The named parts of an ``Authorization`` header of Pay v3, or None where it has another form."""
    scheme, _, rest = value.partition(" ")
    if scheme != SCHEME:
        return None
    parts = dict(_FIELD.findall(rest))
    wanted = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}
    return parts if parts.keys() == wanted else None


class PlatformKeys:
    """Signs and encrypts for the platform, and checks what the merchant signed."""

    def __init__(self, config: SimulatorConfig) -> None:
        # Made by the demo itself: to prove its primes again takes longer than all else that the simulator begins with.
        key = serialization.load_pem_private_key(
            config.platform_private_key_pem.encode(), None, unsafe_skip_rsa_key_validation=True
        )
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("platform_private_key_pem must be an RSA key")
        self._key = key
        self._merchant = _public_key(config.mch_public_key_pem)
        self._aes = AESGCM(config.api_v3_key.encode())
        self._serial = config.platform_serial
        self._certificate: str | None = None

    def sign(self, timestamp: str, nonce: str, body: bytes) -> str:
        """The value of ``Wechatpay-Signature`` for an answer or a notification."""
        message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
        return base64.b64encode(self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()

    def merchant_signed(self, message: bytes, signature: str) -> bool:
        """Whether the merchant's key made that signature (base64) over that message."""
        try:
            raw = base64.b64decode(signature, validate=True)
            self._merchant.verify(raw, message, padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True

    def encrypt(self, plain: bytes, associated_data: str) -> dict[str, str]:
        """A resource encrypted with the APIv3 key: algorithm, ciphertext (base64), associated_data, nonce."""
        nonce = random_string(12)
        sealed = self._aes.encrypt(nonce.encode(), plain, associated_data.encode())
        return {
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": base64.b64encode(sealed).decode(),
            "associated_data": associated_data,
            "nonce": nonce,
        }

    def certificate_pem(self) -> str:
        """A certificate of the platform's key with the configured serial, self-signed."""
        if self._certificate is None:
            self._certificate = _certificate(self._key, self._serial)
        return self._certificate


CERTIFICATE_FROM = datetime(2024, 1, 1, tzinfo=UTC)
CERTIFICATE_UNTIL = CERTIFICATE_FROM + timedelta(days=20 * 365)


def _certificate(key: RSAPrivateKey, serial: str) -> str:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tenpay.com (simulated)"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com sign (simulated)"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int(serial, 16))
        .not_valid_before(CERTIFICATE_FROM)
        .not_valid_after(CERTIFICATE_UNTIL)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _public_key(pem: str) -> RSAPublicKey:
    data = pem.encode()
    if b"BEGIN CERTIFICATE" in data:
        key = x509.load_pem_x509_certificate(data).public_key()
    else:
        key = serialization.load_pem_public_key(data)  # type: ignore[assignment]
    if not isinstance(key, RSAPublicKey):
        raise ValueError("mch_public_key_pem must be an RSA key")
    return key
