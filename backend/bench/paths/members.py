"""Logging in and staying logged in. Every member has sessions, the first with a device that the server keeps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from backend.auth import rules, tokens
from backend.auth.commands.sessions import EXCHANGE
from backend.auth.queries import DEVICE_CONTEXT
from backend.auth.service import sessions
from backend.bench.population import SESSIONS, Member, Population
from backend.bench.requests import Requests
from backend.kernel import ids
from backend.kernel.vault import Vault

from . import Domain, Floor, Ground, Path, Rows

LOGINS, FLOOR_LOGINS = 3, 2
"""More of a member would end the session that other paths are asked with: the eleventh ends the oldest."""


def _login(requests: Requests, n: int) -> bytes:
    openid = requests.population.openid(n % requests.members)
    js_code = f"demo-{openid.removeprefix('openid-')}"
    return requests.plain("POST", "/v1/member/login", f'{{"js_code":"{js_code}"}}'.encode())


def _login_row(ground: Ground, n: int) -> tuple[Any, ...]:
    session_id = ids.new_bigint()
    _, digest = tokens.make_refresh_token(session_id, tokens.MEMBER)
    identity_id = ground.population.identity_id(n % ground.members)
    return session_id, identity_id, digest, ground.now, ground.now + rules.REFRESH_TTL, rules.MAX_SESSIONS - 1, None


def _token(requests: Requests, n: int) -> bytes:
    index, number = divmod(n, requests.members)
    token, _ = _refresh_token(requests.population, number, index + 1)
    return requests.plain("POST", "/v1/member/token", f'{{"refresh_token":"{token}"}}'.encode())


def _token_row(ground: Ground, n: int) -> tuple[Any, ...]:
    session_id = ground.population.session_id(n % ground.members, 0)
    _, before = _refresh_token(ground.population, n % ground.members, 0)
    _, after = tokens.make_refresh_token(session_id, tokens.MEMBER)
    return session_id, before, after, ground.now, ground.now + rules.REFRESH_TTL


def _refresh_token(population: Population, number: int, index: int) -> tuple[str, bytes]:
    return tokens.member_refresh_token(population.session_id(number, index), population.session_random(number, index))


def _rows(population: Population, members: Sequence[Member], box: Vault, now: datetime) -> Rows:
    logins = [(member, index) for member in members for index in range(SESSIONS)]
    phones = [(member, population.session_phone(member.number)) for member in members]
    return {
        "auth_wechat_identity": (
            ("id", "openid", "member_id", "standing", "created_at", "bound_at"),
            [
                (population.identity_id(m.number), population.openid(m.number), m.id, "active", now, now)
                for m in members
            ],
        ),
        "auth_session": (
            ("id", "identity_id", "refresh_hash", "created_at", "refreshed_at", "expires_at"),
            [
                (
                    population.session_id(m.number, index),
                    population.identity_id(m.number),
                    _refresh_token(population, m.number, index)[1],
                    now,
                    now,
                    now + rules.REFRESH_TTL,
                )
                for m, index in logins
            ],
        ),
        "auth_device": (
            ("id", "member_id", "name", "secret_sealed", "session_id", "created_at"),
            [
                (
                    p.id,
                    m.id,
                    "session",
                    box.seal(p.secret, context=DEVICE_CONTEXT),
                    population.session_id(m.number, 0),
                    now,
                )
                for m, p in phones
            ],
        ),
        "auth_handle": (
            ("handle", "device_id", "member_id", "created_at"),
            [(p.handle, p.id, m.id, now) for m, p in phones],
        ),
    }


DOMAIN = Domain(
    order=10,
    paths=(
        Path(
            name="login",
            call="POST /v1/member/login",
            request=_login,
            most=lambda members: members * LOGINS,
            floor=Floor(
                statements=(sessions.OPEN,),
                types=("bigint", "bigint", "bytea", "timestamptz", "timestamptz", "int", "text"),
                row=_login_row,
                once=True,
                most=lambda members: members * FLOOR_LOGINS,
            ),
        ),
        Path(
            name="token",
            call="POST /v1/member/token",
            request=_token,
            most=lambda members: members * (SESSIONS - 1),
            floor=Floor(
                statements=(EXCHANGE,),
                types=("bigint", "bytea", "bytea", "timestamptz", "timestamptz"),
                row=_token_row,
                once=True,
                most=lambda members: members,
            ),
        ),
    ),
    rows=_rows,
)
