"""``huiyuan admin``: the first login of a fresh installation; everybody else is made by staff over the API."""

from __future__ import annotations

import asyncio
import sys

import msgspec
import pyotp
import typer

from backend.auth import commands
from backend.auth.schemas import CreateStaff
from backend.auth.types import Role
from backend.kernel import config, db
from backend.kernel.config import Settings, SettingsError
from backend.kernel.errors import DomainError

from .console import out


def make_admin(username: str, *, totp: bool) -> None:
    """Add a head-office login; the password comes from the terminal, or in one line from a pipe."""
    settings = config.settings()
    try:
        body = msgspec.convert({"username": username, "password": _password(), "role": Role.ADMIN}, CreateStaff)
    except msgspec.ValidationError as error:
        raise SettingsError(str(error)) from error
    secret = pyotp.random_base32() if totp else None
    try:
        asyncio.run(_create(settings, body, secret))
    except DomainError as error:
        raise SettingsError(f"{username}: {error}") from error
    out.print(f"{username.lower()} may log in (POST /v1/admin/login)")
    if secret:
        out.print("second factor for the authenticator, not shown again:")
        out.print(pyotp.TOTP(secret, name=username.lower(), issuer=settings.chain_name).provisioning_uri())


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


async def _create(settings: Settings, body: CreateStaff, totp_secret: str | None) -> None:
    await db.open_pools(settings)
    try:
        await commands.create_staff(body.username, body.password, body.role, body.store_id, totp_secret)
    finally:
        await db.close_pools()
