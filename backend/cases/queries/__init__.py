"""Reads of cases (public)."""

from .cases import (
    CASE,
    case_of,
    count_open,
    find_case,
    find_contact,
    get_case,
    last_step,
    list_claimable,
    list_desk,
    list_of_member,
    list_steps,
    step_under,
)
from .figures import list_figures, total_figures
from .gifts import MOST_COUPONS, count_given, is_offered, list_coupons
from .todos import list_todos

__all__ = [
    "CASE",
    "MOST_COUPONS",
    "case_of",
    "count_given",
    "count_open",
    "find_case",
    "find_contact",
    "get_case",
    "is_offered",
    "last_step",
    "list_claimable",
    "list_coupons",
    "list_desk",
    "list_figures",
    "list_of_member",
    "list_steps",
    "list_todos",
    "step_under",
    "total_figures",
]
