"""Reads of surveys (public): ``surveys`` what there is, ``taking`` who is how far, ``counting`` what was answered."""

from .surveys import (
    MOST_RUNNING,
    SURVEY,
    changes,
    find_draft,
    find_survey,
    find_surveys,
    forget_running,
    get_survey,
    get_version,
    list_projects,
    list_surveys,
    list_versions,
    running,
    survey_of,
)
from .taking import find_done, find_participation, list_of_member, list_participations, list_taken

__all__ = [
    "MOST_RUNNING",
    "SURVEY",
    "changes",
    "find_done",
    "find_draft",
    "find_participation",
    "find_survey",
    "find_surveys",
    "forget_running",
    "get_survey",
    "get_version",
    "list_of_member",
    "list_participations",
    "list_projects",
    "list_surveys",
    "list_taken",
    "list_versions",
    "running",
    "survey_of",
]
