"""Reads of plans, tasks and their numbers (public)."""

from .findings import list_findings
from .plans import changes, find_plan, find_seed, list_plans, list_running, list_runs
from .statistics import count_by_kind, count_overdue, get_groups, list_most_cared_for
from .tasks import Wanted, count_open, find_task, list_of_member, list_of_members, list_tasks

__all__ = [
    "Wanted",
    "changes",
    "count_by_kind",
    "count_open",
    "count_overdue",
    "find_plan",
    "find_seed",
    "find_task",
    "get_groups",
    "list_findings",
    "list_most_cared_for",
    "list_of_member",
    "list_of_members",
    "list_plans",
    "list_running",
    "list_runs",
    "list_tasks",
]
