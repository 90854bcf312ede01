"""What WeChat gave us: complete, of the right shape, belonging together, not expired."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from backend.kernel import clock
from backend.kernel.config import PREFIX, Settings

from .findings import Report, Subject

SOON = timedelta(days=21)
AES_KEY_LENGTH = 43
API_V3_KEY_LENGTH = 32

_NEEDED = (
    *("wechat_app_id", "wechat_app_secret", "wechat_push_token", "wechat_encoding_aes_key", "wechat_mch_id"),
    *("wechat_mch_serial", "wechat_mch_key_file", "wechat_api_v3_key", "wechat_platform_keys_dir"),
)


def wechat(subject: Subject) -> Report:
    """Everything about the mini-program and the merchant that can be known without asking WeChat."""
    settings = subject.settings
    lacking = [f"{PREFIX}{name.upper()}" for name in _NEEDED if not getattr(settings, name)]
    report = Report()
    if lacking:
        report.error(
            "wechat_incomplete",
            f"{', '.join(lacking)} not set",
            causes="no login, no recharge",
            do="copy them from the mini-program's and the merchant's consoles",
        )
        return report
    _lengths(settings, report)
    _merchant(settings, report)
    platform = sorted(Path(settings.wechat_platform_keys_dir).glob("*.pem"))
    _platform(platform, report)
    report.well = f"merchant key readable, {len(platform)} platform key(s)" + (", simulated" if settings.demo else "")
    return report


def _lengths(settings: Settings, report: Report) -> None:
    aes, v3 = settings.wechat_encoding_aes_key, settings.wechat_api_v3_key
    if len(aes) != AES_KEY_LENGTH or not _is_base64(aes + "="):
        report.error(
            "wechat_aes_key",
            f"HUIYUAN_WECHAT_ENCODING_AES_KEY is not {AES_KEY_LENGTH} letters and digits, but {len(aes)} characters",
            causes="message pushes of WeChat cannot be read",
            do="copy it again from the mini-program's console (开发管理 > 消息推送)",
        )
    if len(v3.encode()) != API_V3_KEY_LENGTH:
        report.error(
            "wechat_api_v3_key",
            f"HUIYUAN_WECHAT_API_V3_KEY has {len(v3.encode())} bytes; it has {API_V3_KEY_LENGTH}",
            causes="payment notifications cannot be read; recharges are credited late, by asking",
            do="copy it again, or set a new one in the merchant's console (账户中心 > API安全)",
        )


def _merchant(settings: Settings, report: Report) -> None:
    """The private key, and the certificate beside it, where the download left one."""
    path = Path(settings.wechat_mch_key_file)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, OSError) as error:
        report.error(
            "wechat_merchant_key",
            f"{path} is no private key in PEM without a password ({type(error).__name__})",
            causes="every call to WeChat Pay fails",
            do="use apiclient_key.pem as the merchant's console gave it",
        )
        return
    for certificate in _certificates(sorted(path.parent.glob("*.pem"))).values():
        if _public(certificate.public_key()) == _public(key):
            serial = f"{certificate.serial_number:X}"
            if serial != settings.wechat_mch_serial.upper().lstrip("0"):
                report.error(
                    "wechat_merchant_serial",
                    f"the certificate of {path.name} has the serial {serial}, not HUIYUAN_WECHAT_MCH_SERIAL",
                    causes="WeChat Pay refuses every call (SIGN_ERROR)",
                    do=f"set HUIYUAN_WECHAT_MCH_SERIAL={serial}",
                )
            _expiry("the merchant's certificate", certificate, report)


def _platform(paths: list[Path], report: Report) -> None:
    if not paths:
        report.error(
            "wechat_platform_keys",
            "HUIYUAN_WECHAT_PLATFORM_KEYS_DIR holds no `<serial>.pem`",
            causes="payment notifications cannot be verified and are refused",
            do="put WeChat Pay's public key (PUB_KEY_ID_….pem) or platform certificate there",
        )
    found = _certificates(paths)
    for path, certificate in found.items():
        if f"{certificate.serial_number:X}" != path.stem.upper().lstrip("0"):
            report.error(
                "wechat_platform_name",
                f"{path.name} holds the certificate with the serial {certificate.serial_number:X}",
                causes="notifications that name this serial are refused as unknown",
                do=f"rename it to {certificate.serial_number:X}.pem",
            )
    # An old one may lie beside its successor for a while; what counts is the newest. Public keys do not expire.
    if found and len(found) == len(paths):
        newest = max(found.values(), key=lambda certificate: certificate.not_valid_after_utc)
        _expiry("WeChat's newest platform certificate", newest, report)


def _expiry(whose: str, certificate: x509.Certificate, report: Report) -> None:
    until = certificate.not_valid_after_utc
    if until < clock.now():
        report.error(
            "certificate_expired",
            f"{whose} ended on {until:%Y-%m-%d}",
            causes="recharges fail",
            do="get the new one, see Keys in docs/operations.md",
        )
    elif until < clock.now() + SOON:
        report.warn(
            "certificate_expires",
            f"{whose} ends on {until:%Y-%m-%d}",
            causes="recharges fail from then on",
            do="get the new one before, see Keys in docs/operations.md",
        )


def _certificates(paths: list[Path]) -> dict[Path, x509.Certificate]:
    """Those that are certificates; keys are kept as .pem too."""
    found = {}
    for path in paths:
        content = path.read_bytes()
        if b"BEGIN CERTIFICATE" in content:
            found[path] = x509.load_pem_x509_certificate(content)
    return found


def _public(key: PrivateKeyTypes | PublicKeyTypes) -> bytes:
    public = key.public_key() if hasattr(key, "public_key") else key
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _is_base64(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 32
    except ValueError:
        return False
