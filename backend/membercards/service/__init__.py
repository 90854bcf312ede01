"""Writes that take an open transaction (public), and whose card a number is (which needs none)."""

from .bulk import adopt_obstacles, become_many
from .finding import find_member, looks_like_card
from .issuing import issue
from .states import become, end, hand_over, report_found, report_lost
from .virtual import give_virtual

__all__ = [
    "adopt_obstacles",
    "become",
    "become_many",
    "end",
    "find_member",
    "give_virtual",
    "hand_over",
    "issue",
    "looks_like_card",
    "report_found",
    "report_lost",
]
