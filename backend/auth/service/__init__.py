"""Writes on a transaction that the caller opened: sessions and identities, devices, shops and tills, staff."""

from backend.auth.passwords import hash_secret, matches

from .codes import HANDLE_MISSES, Shown, count_handle_miss, shown
from .devices import (
    create_device,
    ensure_session_device,
    mark_handle_suspect,
    revoke_all_devices,
    revoke_device,
    rotate_device,
)
from .mailing import check_address, send_link, send_links_by
from .phones import forget_phone, hold_phone_owner
from .sessions import (
    bind_identity,
    end_sessions,
    is_bound,
    join_identities,
    lock_identity,
    open_session,
    sessions_of,
    set_standing,
    set_standings,
    unbind_identities,
)
from .staff import (
    check_may_give,
    create_staff,
    end_staff_sessions,
    keep_an_admin,
    link_member,
    lock_other,
    lock_person,
    new_recovery_codes,
    remove_second_factor,
    set_password,
    spend_recovery_code,
    stays_active,
    void_links,
)
from .staff_devices import know_device, look_up_device, note_device
from .tills import create_store, create_terminal, revoke_terminal, rotate_terminal

__all__ = [
    "HANDLE_MISSES",
    "Shown",
    "bind_identity",
    "check_address",
    "check_may_give",
    "count_handle_miss",
    "create_device",
    "create_staff",
    "create_store",
    "create_terminal",
    "end_sessions",
    "end_staff_sessions",
    "ensure_session_device",
    "forget_phone",
    "hash_secret",
    "hold_phone_owner",
    "is_bound",
    "join_identities",
    "keep_an_admin",
    "know_device",
    "link_member",
    "lock_identity",
    "lock_other",
    "lock_person",
    "look_up_device",
    "mark_handle_suspect",
    "matches",
    "new_recovery_codes",
    "note_device",
    "open_session",
    "remove_second_factor",
    "revoke_all_devices",
    "revoke_device",
    "revoke_terminal",
    "rotate_device",
    "rotate_terminal",
    "send_link",
    "send_links_by",
    "sessions_of",
    "set_password",
    "set_standing",
    "set_standings",
    "shown",
    "spend_recovery_code",
    "stays_active",
    "unbind_identities",
    "void_links",
]
