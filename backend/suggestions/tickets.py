"""Tickets, which the server signs without seeing them, and the receipts that follow from them. Pure, but for chance.

A ticket is a random nonce with the week's key's signature, RSASSA-PSS with SHA-384 and a salt of 48 bytes. The phone
blinds what is to be signed; what the server sees when it signs is a random number, whatever the ticket, so what it sees
when the ticket is used tells nothing of who fetched it. The key signs nothing else.

Source: RFC 9474 (RSABSSA-SHA384-PSS-Deterministic; the nonce is what makes messages differ), RFC 9576 (what such
tokens hide, and from whom).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from datetime import date, timedelta
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from backend.kernel import readable

BITS = 2048
SIZE = BITS // 8
SALT = 48
NONCE = 32
PUBLIC_EXPONENT = 65537
LABEL = b"huiyuan suggestion ticket"

GOOD_FOR = timedelta(days=14)
"""From the Monday of a key's week until its tickets are good no more: who fetches one on Sunday has a week left."""

RECEIPT_CHARS = 19
"""Random characters of a receipt, five bits each; a check character follows."""

_PSS = padding.PSS(padding.MGF1(hashes.SHA384()), SALT)


def week_of(on: date) -> date:
    """The Monday of that day's week."""
    return on - timedelta(days=on.weekday())


def make_private() -> bytes:
    """A new key, PKCS #8 (DER); takes up to half a second of a processor."""
    key = rsa.generate_private_key(PUBLIC_EXPONENT, BITS)
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@lru_cache(maxsize=8)
def _numbers(private: bytes) -> rsa.RSAPrivateNumbers:
    key = serialization.load_der_private_key(private, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.private_numbers()


@lru_cache(maxsize=8)
def _public(private: bytes) -> rsa.RSAPublicKey:
    return _numbers(private).public_numbers.public_key()


def modulus(private: bytes) -> bytes:
    """The public modulus, big-endian; the exponent is 65537."""
    return _numbers(private).public_numbers.n.to_bytes(SIZE, "big")


def is_blinded(private: bytes, blinded: bytes) -> bool:
    """Whether that can be a blinded message for the key: a number below its modulus."""
    return len(blinded) == SIZE and 0 < int.from_bytes(blinded, "big") < _numbers(private).public_numbers.n


def sign_blinded(private: bytes, blinded: bytes) -> bytes:
    """The blind signature of a blinded message; ``ValueError`` for what cannot be one.

    The private operation works on a number that is blinded once more, here, so that its time says nothing of the key,
    and its result is checked, for one wrong result would give the key away. Source: RFC 9474, 4.3 and 7.1.
    """
    numbers = _numbers(private)
    n, e = numbers.public_numbers.n, numbers.public_numbers.e
    message = int.from_bytes(blinded, "big")
    if not is_blinded(private, blinded):
        raise ValueError("not a blinded message for this key")
    cover = 2 + secrets.randbelow(n - 3)
    signed = _private_operation(numbers, message * pow(cover, e, n) % n) * pow(cover, -1, n) % n
    if pow(signed, e, n) != message:
        raise RuntimeError("a signature does not verify")
    return signed.to_bytes(SIZE, "big")


def _private_operation(numbers: rsa.RSAPrivateNumbers, value: int) -> int:
    """``value`` to the private exponent, by the Chinese remainder theorem. Source: RFC 8017, 5.1.2."""
    first = pow(value % numbers.p, numbers.dmp1, numbers.p)
    second = pow(value % numbers.q, numbers.dmq1, numbers.q)
    return second + (first - second) * numbers.iqmp % numbers.p * numbers.q


def message_of(key_id: str, nonce: bytes) -> bytes:
    """What a ticket's signature is of."""
    return b"\n".join((LABEL, key_id.encode(), nonce))


def is_signed(private: bytes, key_id: str, nonce: bytes, signature: bytes) -> bool:
    """Whether the key with that id signed a ticket with that nonce."""
    try:
        _public(private).verify(signature, message_of(key_id, nonce), _PSS, hashes.SHA384())
    except InvalidSignature:
        return False
    return True


def read_ticket(text: str) -> tuple[str, bytes, bytes] | None:
    """Key id, nonce and signature of ``key.nonce.signature`` (base64url without padding), or None."""
    parts = text.split(".")
    if len(parts) != 3 or len(text) > 500:
        return None
    nonce, signature = from_base64url(parts[1]), from_base64url(parts[2])
    if nonce is None or signature is None or len(nonce) != NONCE or len(signature) != SIZE:
        return None
    return parts[0], nonce, signature


def from_base64url(text: str) -> bytes | None:
    """The bytes of base64url without padding, in the one way to write them; None for anything else."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if to_base64url(data) == text else None


def to_base64url(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def digest_of(key_id: str, nonce: bytes) -> str:
    """What a used ticket is remembered by."""
    return hashlib.sha256(message_of(key_id, nonce)).hexdigest()


def receipt_from(derived: bytes) -> str:
    """The receipt for 12 or more derived bytes: 95 bits and a check character."""
    return readable.make(int.from_bytes(derived[:12], "big"), RECEIPT_CHARS)


def read_receipt(text: str) -> str | None:
    """The receipt that somebody typed, misread characters put right; None for what cannot be one."""
    return readable.read(text, RECEIPT_CHARS)


def printed_receipt(receipt: str) -> str:
    """The receipt in groups of four."""
    return readable.printed(receipt)
