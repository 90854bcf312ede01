"""Encryption at rest under a rotating master key, and blind indexes for what must be found but not read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .config import SettingsError, read_master_keys, settings


class Vault:
    """AES-256-GCM with named keys: the first encrypts, every one decrypts. Sealed form: ``key id.base64url``."""

    def __init__(self, master_keys: str) -> None:
        try:
            self._keys = read_master_keys(master_keys)
        except ValueError as error:
            raise SettingsError(f"HUIYUAN_MASTER_KEYS: {error}") from None
        self._ciphers = {key_id: AESGCM(key) for key_id, key in self._keys.items()}
        self._current = next(iter(self._keys))
        # Indexes must not change when the key rotates, or nothing would be found: they hang on the oldest key.
        self._oldest = list(self._keys)[-1]

    @property
    def current_key_id(self) -> str:
        """The id of the key that encrypts now."""
        return self._current

    def seal(self, plain: bytes, *, context: str) -> str:
        """Encrypt; ``context`` (table and column) must be named again to open, so a value cannot be moved."""
        nonce = os.urandom(12)
        sealed = nonce + self._ciphers[self._current].encrypt(nonce, plain, context.encode())
        return f"{self._current}.{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"

    def open(self, sealed: str, *, context: str) -> bytes:
        """Decrypt what ``seal`` made; ValueError for an unknown key, another context or a changed byte."""
        key_id, _, encoded = sealed.partition(".")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise ValueError(f"no master key {key_id!r}")
        raw = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        try:
            return cipher.decrypt(raw[:12], raw[12:], context.encode())
        except InvalidTag as error:
            raise ValueError("sealed value does not open") from error

    def blind_index(self, value: str, *, context: str) -> str:
        """A keyed digest for equality lookups (64 hex characters); useless without the key."""
        return self.derive(f"index:{context}", value.encode()).hex()

    def derive(self, purpose: str, message: bytes = b"") -> bytes:
        """32 bytes for one purpose, from the oldest master key: stable until that key is removed."""
        subkey = hmac.digest(self._keys[self._oldest], purpose.encode(), hashlib.sha256)
        return hmac.digest(subkey, message, hashlib.sha256)


@lru_cache(maxsize=4)
def _vault(master_keys: str) -> Vault:
    return Vault(master_keys)


def vault() -> Vault:
    """The vault of this process's settings."""
    return _vault(settings().master_keys)
