"""Reads of announcements and the handbook (public)."""

from .announcements import (
    count_readers,
    count_unread,
    find_announcement,
    find_shown,
    list_announcements,
    list_readers,
    list_shown,
)
from .handbook import (
    find_chapter,
    find_version,
    forget_chapters,
    list_chapters,
    list_versions,
    search_chapters,
    search_handbook,
)
from .shared import changes

__all__ = [
    "changes",
    "count_readers",
    "count_unread",
    "find_announcement",
    "find_chapter",
    "find_shown",
    "find_version",
    "forget_chapters",
    "list_announcements",
    "list_chapters",
    "list_readers",
    "list_shown",
    "list_versions",
    "search_chapters",
    "search_handbook",
]
