"""Writes that take an open transaction (public), and whose card a number is (which needs none)."""

from .bulk import adopt_obstacles, become_many
from .finding import find_member, looks_like_card
from .issuing import issue
from .money import back_of, dues_for, dues_of, give_at_till, standing, take_back
from .states import become, end, hand_over, report_found, report_lost, report_lost_of
from .virtual import give_virtual

__all__ = [
    "adopt_obstacles",
    "back_of",
    "become",
    "become_many",
    "dues_for",
    "dues_of",
    "end",
    "find_member",
    "give_at_till",
    "give_virtual",
    "hand_over",
    "issue",
    "looks_like_card",
    "report_found",
    "report_lost",
    "report_lost_of",
    "standing",
    "take_back",
]
