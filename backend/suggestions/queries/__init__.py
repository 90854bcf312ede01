"""Reads of boxes, suggestions and keys (public)."""

from .boxes import MOST_BOXES, changes, find_box, list_boxes, list_open_boxes, waiting_in
from .keys import forget_keys, keys
from .pictures import PICTURES, find_picture
from .suggestions import (
    SUGGESTION,
    find_by_receipt,
    find_suggestion,
    get_suggestion,
    list_inbox,
    list_messages,
    list_of_member,
    messages_in,
    suggestion_of,
)

__all__ = [
    "MOST_BOXES",
    "PICTURES",
    "SUGGESTION",
    "changes",
    "find_box",
    "find_by_receipt",
    "find_picture",
    "find_suggestion",
    "forget_keys",
    "get_suggestion",
    "keys",
    "list_boxes",
    "list_inbox",
    "list_messages",
    "list_of_member",
    "list_open_boxes",
    "messages_in",
    "suggestion_of",
    "waiting_in",
]
