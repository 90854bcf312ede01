"""Access tokens: signed, short, and naming a session whose row decides everything else."""

from __future__ import annotations

import secrets

import jwt

from backend.kernel import clock, ids
from backend.kernel.vault import vault

from . import rules

ISSUER = "huiyuan"
MEMBER = "member"
STAFF = "staff"

MAX_CHARACTERS = 2_000
"""Of a token that is looked at, however it came."""


def make_access_token(session_id: int, audience: str) -> str:
    """A token of 15 minutes for a session; ``audience`` is ``member`` or ``staff``."""
    now = clock.unix()
    claims = {
        "iss": ISSUER,
        "aud": audience,
        "sid": str(session_id),
        "iat": now,
        "exp": now + int(rules.ACCESS_TTL.total_seconds()),
    }
    return jwt.encode(claims, _key(), algorithm="HS256")


def read_access_token(token: str, audience: str) -> tuple[int, int] | None:
    """The session and the expiry (unix seconds) of a token that holds now; None for any other."""
    if len(token) > MAX_CHARACTERS:
        return None
    try:
        claims = jwt.decode(
            token,
            _key(),
            algorithms=["HS256"],
            audience=audience,
            issuer=ISSUER,
            # Expiry is judged below, by our own clock.
            options={"require": ["exp", "aud", "sid", "iss"], "verify_exp": False, "verify_iat": False},
        )
        session_id, expires_at = ids.read_bigint(claims["sid"]), claims["exp"]
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError):
        return None
    if session_id is None or type(expires_at) is not int or clock.unix() >= expires_at:
        return None
    return session_id, expires_at


def make_refresh_token(session_id: int, audience: str) -> tuple[str, bytes]:
    """A new refresh token of a session and the digest to store."""
    return rules.make_refresh_token(_refresh_key(audience), session_id, secrets.token_bytes(24))


def member_refresh_token(session_id: int, random: bytes) -> tuple[str, bytes]:
    """A member's refresh token from 24 random bytes (a seed's, for data made offline) and the digest to store."""
    return rules.make_refresh_token(_refresh_key(MEMBER), session_id, random)


def read_refresh_token(token: str, audience: str) -> rules.RefreshToken | None:
    """A refresh token that we gave out, alive or dead; None for a made-up one. Reads nothing."""
    return rules.read_refresh_token(_refresh_key(audience), token)


def _refresh_key(audience: str) -> bytes:
    return vault().derive("refresh-token", audience.encode())


def _key() -> bytes:
    return vault().derive("access-token")
