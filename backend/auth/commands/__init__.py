"""Use cases of sessions, tills and staff; each opens the one transaction it needs."""

from . import account, control, links, people, phones, roles
from .chain import create_store, create_terminal, revoke_terminal, rotate_terminal
from .logins import login_staff, logout_staff, refresh_staff
from .people import create_staff
from .sessions import logout, refresh_member

__all__ = [
    "account",
    "control",
    "create_staff",
    "create_store",
    "create_terminal",
    "links",
    "login_staff",
    "logout",
    "logout_staff",
    "people",
    "phones",
    "refresh_member",
    "refresh_staff",
    "revoke_terminal",
    "roles",
    "rotate_terminal",
]
