"""Writes on a transaction that the caller opened: sessions and identities, devices, shops and tills, staff."""

from backend.auth.passwords import hash_secret, matches

from .devices import (
    create_device,
    ensure_session_device,
    mark_handle_suspect,
    revoke_all_devices,
    revoke_device,
    rotate_device,
)
from .sessions import (
    bind_identity,
    end_sessions,
    is_bound,
    lock_identity,
    open_session,
    sessions_of,
    set_standing,
    unbind_identities,
)
from .staff import create_staff, link_member
from .tills import create_store, create_terminal, revoke_terminal, rotate_terminal

__all__ = [
    "bind_identity",
    "create_device",
    "create_staff",
    "create_store",
    "create_terminal",
    "end_sessions",
    "ensure_session_device",
    "hash_secret",
    "is_bound",
    "link_member",
    "lock_identity",
    "mark_handle_suspect",
    "matches",
    "open_session",
    "revoke_all_devices",
    "revoke_device",
    "revoke_terminal",
    "rotate_device",
    "rotate_terminal",
    "sessions_of",
    "set_standing",
    "unbind_identities",
]
