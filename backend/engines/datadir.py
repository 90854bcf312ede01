"""A demo's data directory: the secrets made at its first start, and the settings that follow from them.

DIR/lock, engine.json       who runs the engines, and where they listen
DIR/postgres, run, *.log    the engines
DIR/secrets.json, keys/     made once, kept across restarts (0600)
DIR/demo.json               what clients of the demo need (0600), while it runs
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import msgspec

from backend.kernel import clock
from backend.kernel.config import PREFIX, Settings, SettingsError, load

from .embedded import write_private

_YEARS = timedelta(days=3650)


class DemoSecrets(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo's backend and the WeChat simulator agree on; real ones come from the WeChat platforms."""

    master_keys: str
    wechat_app_id: str
    wechat_app_secret: str
    wechat_push_token: str
    wechat_encoding_aes_key: str
    wechat_mch_id: str
    wechat_mch_serial: str
    wechat_api_v3_key: str
    platform_serial: str


def secrets_of(data: Path) -> DemoSecrets:
    """The secrets of a data directory; made at the first call, the same ever after."""
    path = data / "secrets.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=DemoSecrets)
    except FileNotFoundError:
        pass
    except msgspec.DecodeError as error:
        raise SettingsError(f"{path} is damaged ({error}): start again with --fresh") from error
    made = _make_secrets()
    _make_keys(data / "keys", made)
    write_private(path, msgspec.json.format(msgspec.json.encode(made), indent=2).decode())
    return made


def demo_settings(
    data: Path, urls: Mapping[str, str], base_url: str, environ: Mapping[str, str] | None = None
) -> Settings:
    """The settings of a demo on this data directory, with the simulator in WeChat's place.

    What ``environ`` sets (limits, names, colours…) is kept, except what only the demo itself can know.
    """
    known = msgspec.structs.asdict(secrets_of(data))
    del known["platform_serial"]
    wechat = f"{base_url}/mock/wechat"
    given = {
        "database_url": urls["database"],
        "migrate_database_url": urls["owner"],
        "redis_url": urls["redis"],
        "base_url": base_url,
        "demo": "true",
        "demo_data": str(data),
        "wechat_api_url": wechat,
        "wechat_pay_url": wechat,
        "wechat_mch_key_file": str(data / "keys" / "merchant.pem"),
        "wechat_platform_keys_dir": str(data / "keys" / "platform"),
        "sms_url": f"{base_url}/mock/sms",
        "sms_secret": _derived("sms", known["wechat_app_secret"]),
        "mail_report_secret": _derived("mail", known["wechat_app_secret"]),
        "sms_internal": "true",
        "identity_sms": "spend",
        "webhook_networks": "127.0.0.0/8",
        **known,
    }
    # Whoever looks around makes a second login and lets it approve at once.
    lenient = {"HUIYUAN_LOG_FORMAT": "console", "HUIYUAN_APPROVAL_LOGIN_DAYS": "0"}
    return load(lenient | dict(environ or {}) | _as_environment(given))


def with_mailbox(settings: Settings, address: tuple[str, int]) -> Settings:
    """The settings with the demo's own mail server, whatever the environment named: a demo writes to nobody."""
    host, port = address
    return msgspec.structs.replace(
        settings,
        smtp_url=f"smtp://{host}:{port}",
        smtp_ca_file="",
        mail_from="service@huiyuan.example",
        mail_bounces="bounces@huiyuan.example",
    )


def environment(settings: Settings) -> dict[str, str]:
    """These settings as the environment of a child process; what else begins with ``HUIYUAN_`` is left out."""
    values = msgspec.structs.asdict(settings)
    given = {
        field.name: values[field.name]
        for field in msgspec.structs.fields(Settings)
        if field.required or values[field.name] != field.default
    }
    return {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)} | _as_environment(given)


def _as_environment(values: Mapping[str, object]) -> dict[str, str]:
    return {
        f"{PREFIX}{name.upper()}": str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
    }


def wechat_part(settings: Settings) -> dict[str, str]:
    """The member ``wechat`` of ``demo.json``."""
    return {
        "app_id": settings.wechat_app_id,
        "push_token": settings.wechat_push_token,
        "encoding_aes_key": settings.wechat_encoding_aes_key,
        "mch_id": settings.wechat_mch_id,
        "api_v3_key": settings.wechat_api_v3_key,
        "platform_serial": secrets_of(Path(settings.demo_data)).platform_serial,
    }


def _derived(what: str, secret: str) -> str:
    return hashlib.sha256(f"{what} {secret}".encode()).hexdigest()


def _make_secrets() -> DemoSecrets:
    def letters(count: int) -> str:
        return "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789") for _ in range(count))

    return DemoSecrets(
        master_keys="demo1:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="),
        wechat_app_id="wx" + secrets.token_hex(8),
        wechat_app_secret=secrets.token_hex(16),
        wechat_push_token=letters(24),
        # 43 characters that decode to 32 bytes with "=" appended: the last one carries four bits only.
        wechat_encoding_aes_key=base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=").translate(_PLAIN),
        wechat_mch_id="16" + str(secrets.randbelow(10**8)).zfill(8),
        wechat_mch_serial=secrets.token_hex(20).upper(),
        wechat_api_v3_key=letters(32),
        platform_serial=f"{secrets.randbits(158) | 1 << 158:040X}",
    )


_PLAIN = str.maketrans("+/", "Aa")  # WeChat's EncodingAESKey has letters and digits only


def _make_keys(keys: Path, known: DemoSecrets) -> None:
    """The merchant's key pair, and the platform's with its certificate, as the two sides keep them."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    platform_dir = keys / "platform"
    platform_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys.chmod(0o700)
    merchant, platform = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))

    def private(key: rsa.RSAPrivateKey) -> str:
        encoded = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return encoded.decode()

    public = merchant.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "WeChat platform simulator")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(platform.public_key())
        .serial_number(int(known.platform_serial, 16))
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + _YEARS)
        .sign(platform, hashes.SHA256())
    )
    write_private(keys / "merchant.pem", private(merchant))
    write_private(keys / "merchant_public.pem", public.decode())
    write_private(keys / "platform_private.pem", private(platform))
    write_private(
        platform_dir / f"{known.platform_serial}.pem",
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
    )
