"""Pay v3 signatures, both ways: ours on requests, the platform's on answers and notifications.

RSASSA-PKCS1-v1_5 with SHA-256 over lines that each end in a line feed. Source: pay.weixin.qq.com, 签名生成 (method,
target, timestamp, nonce, body), 签名验证 (timestamp, nonce, body), 小程序调起支付 (appid, timestamp, nonce, package).
"""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from backend.kernel.config import SettingsError

SCHEME = "WECHATPAY2-SHA256-RSA2048"
PUBLIC_KEY_PREFIX = "PUB_KEY_ID_"
MIN_KEY_BITS = 2048
_PADDING, _SHA256 = PKCS1v15(), hashes.SHA256()


class Merchant:
    """The chain as WeChat Pay knows it: its number, and the key that signs for it."""

    def __init__(self, mch_id: str, serial: str, key: RSAPrivateKey) -> None:
        self.mch_id = mch_id
        self._serial = serial
        self._key = key

    @classmethod
    def load(cls, mch_id: str, serial: str, key_file: Path) -> Merchant:
        """Read the private key; ``SettingsError`` for a file that holds none."""
        try:
            key = _private_key(key_file.read_bytes())
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
            raise SettingsError("HUIYUAN_WECHAT_MCH_KEY_FILE: not an unencrypted private key in PEM form") from None
        if not isinstance(key, RSAPrivateKey) or key.key_size < MIN_KEY_BITS:
            raise SettingsError(f"HUIYUAN_WECHAT_MCH_KEY_FILE: not an RSA key of {MIN_KEY_BITS} bits or more")
        return cls(mch_id, serial, key)

    def sign(self, message: bytes) -> str:
        """The signature over ``message``, base64."""
        return base64.b64encode(self._key.sign(message, _PADDING, _SHA256)).decode()

    def authorization(self, method: str, target: str, body: bytes, *, unix: int, nonce: str) -> str:
        """The ``Authorization`` header of one request; ``target`` is path and query exactly as they are sent."""
        message = f"{method}\n{target}\n{unix}\n{nonce}\n".encode() + body + b"\n"
        return (
            f'{SCHEME} mchid="{self.mch_id}",nonce_str="{nonce}",signature="{self.sign(message)}",'
            f'timestamp="{unix}",serial_no="{self._serial}"'
        )


@functools.lru_cache(maxsize=4)
def _private_key(pem: bytes) -> object:
    """The key, proven sound, which takes 30 ms: once a process."""
    return serialization.load_pem_private_key(pem, None)


class PlatformKeys:
    """WeChat Pay's public keys by serial: certificates, and public keys named ``PUB_KEY_ID_…``, side by side."""

    def __init__(self, keys: Mapping[str, RSAPublicKey]) -> None:
        if not keys:
            raise SettingsError("HUIYUAN_WECHAT_PLATFORM_KEYS_DIR: holds no `<serial>.pem`")
        self._keys = dict(keys)
        self._any_key = next(iter(self._keys.values()))

    @classmethod
    def load(cls, directory: Path) -> PlatformKeys:
        """Read every ``*.pem`` of the directory; ``SettingsError`` names a file that is not what its name says."""
        return cls({path.stem: _load_public_key(path) for path in sorted(directory.glob("*.pem"))})

    @property
    def wanted_serial(self) -> str | None:
        """The key that answers shall be signed with: the public key where there is one, else WeChat's choice."""
        return next(
            (serial for serial in sorted(self._keys, reverse=True) if serial.startswith(PUBLIC_KEY_PREFIX)), None
        )

    def verify(self, serial: str, signature: str, *, timestamp: str, nonce: str, body: bytes) -> bool:
        """Whether the key of that serial signed it. An unknown serial costs the same work and is False."""
        key = self._keys.get(serial)
        message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
        return _signed(key or self._any_key, signature, message) and key is not None


def _signed(key: RSAPublicKey, signature: str, message: bytes) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
        if base64.b64encode(raw).decode() != signature:
            return False  # spare bits of the last character: one signature has one spelling
        key.verify(raw, message, _PADDING, _SHA256)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _load_public_key(path: Path) -> RSAPublicKey:
    where = f"HUIYUAN_WECHAT_PLATFORM_KEYS_DIR: {path.name}"
    try:
        pem = path.read_bytes()
        if path.stem.startswith(PUBLIC_KEY_PREFIX):
            key = serialization.load_pem_public_key(pem)
        else:
            certificate = x509.load_pem_x509_certificate(pem)
            if certificate.serial_number != int(path.stem, 16):
                raise SettingsError(f"{where}: holds the certificate with serial {certificate.serial_number:X}")
            key = certificate.public_key()
    except (OSError, ValueError, UnsupportedAlgorithm):
        raise SettingsError(f"{where}: neither `<serial>.pem` with its certificate nor `PUB_KEY_ID_….pem`") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < MIN_KEY_BITS:
        raise SettingsError(f"{where}: not an RSA key of {MIN_KEY_BITS} bits or more")
    return key
