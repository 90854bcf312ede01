"""Writes for other domains and for the commands: issuing, on the caller's transaction; what tills were refused."""

from .issuing import (
    AT_ONCE,
    Issued,
    Outcome,
    create_template,
    is_open,
    issue,
    issue_each,
    issue_one,
    new_coupon_id,
    raise_if_unavailable,
    write_coupon,
    write_version,
)
from .refusals import forget_refused, mark_of, note_refused
from .taking import list_of_source, take_unused

__all__ = [
    "AT_ONCE",
    "Issued",
    "Outcome",
    "create_template",
    "forget_refused",
    "is_open",
    "issue",
    "issue_each",
    "issue_one",
    "list_of_source",
    "mark_of",
    "new_coupon_id",
    "note_refused",
    "raise_if_unavailable",
    "take_unused",
    "write_coupon",
    "write_version",
]
