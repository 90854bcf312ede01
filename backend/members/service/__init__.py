"""Writes on members that others may ask for (public), on the caller's open transaction; but for ``check_pin``."""

from .cards import set_card_type
from .changes import Change, changed, changed_many
from .consents import keep_consents_by, record_joining
from .fields import check_own_change, write_phone
from .joining import Joined, join
from .levels import (
    add_growth,
    lock_levels,
    retell_level,
    set_agreement,
    set_discount_card,
    set_levels,
    set_ruled,
    set_stages,
)
from .merging import close_merged, lock_own, lock_two, merge_profile, refuse_over
from .people import create_member, create_members, lock, set_profiled, set_status
from .pins import check_own_phone, check_pin, initialise_pin, peppered, put_pin, unlock_pin
from .presence import Present, find_present, spend_presence
from .profile import note_completed, write_profile
from .standing import Held, hold_current, lock_held, set_statuses, set_validity
from .values import index_values

__all__ = [
    "Change",
    "Held",
    "Joined",
    "Present",
    "add_growth",
    "changed",
    "changed_many",
    "check_own_change",
    "check_own_phone",
    "check_pin",
    "close_merged",
    "create_member",
    "create_members",
    "find_present",
    "hold_current",
    "index_values",
    "initialise_pin",
    "join",
    "keep_consents_by",
    "lock",
    "lock_held",
    "lock_levels",
    "lock_own",
    "lock_two",
    "merge_profile",
    "note_completed",
    "peppered",
    "put_pin",
    "record_joining",
    "refuse_over",
    "retell_level",
    "set_agreement",
    "set_card_type",
    "set_discount_card",
    "set_levels",
    "set_profiled",
    "set_ruled",
    "set_stages",
    "set_status",
    "set_statuses",
    "set_validity",
    "spend_presence",
    "unlock_pin",
    "write_phone",
    "write_profile",
]
