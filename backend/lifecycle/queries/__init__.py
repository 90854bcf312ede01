"""Reads of rules, standings, histories and runs."""

from .facts import load_facts
from .grants import find_grant, list_grants, list_live_grants
from .history import list_history
from .programmes import (
    find_programme,
    forget_rules,
    has_programme,
    list_programmes,
    programmes,
    rungs_of,
    stage_rules,
    stage_version,
)
from .runs import find_run, list_runs, run_of
from .stages import count_stages, list_stage_counts
from .standings import Held, find_held, find_standing, list_ending

__all__ = [
    "Held",
    "count_stages",
    "find_grant",
    "find_held",
    "find_programme",
    "find_run",
    "find_standing",
    "forget_rules",
    "has_programme",
    "list_ending",
    "list_grants",
    "list_history",
    "list_live_grants",
    "list_programmes",
    "list_runs",
    "list_stage_counts",
    "load_facts",
    "programmes",
    "run_of",
    "rungs_of",
    "stage_rules",
    "stage_version",
]
