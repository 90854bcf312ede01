"""Which surveys somebody of the staff may see: head office all, a store's staff those that ask the store's members."""

from __future__ import annotations

from backend.auth.types import StaffCaller
from backend.kernel.errors import NotFound

from .. import queries
from ..types import Survey


async def reached(caller: StaffCaller, survey_id: str) -> Survey:
    """The survey that is named; ``NotFound`` for none that this person may see."""
    survey = await queries.find_survey(survey_id)
    if survey is None or not may_see(caller, survey):
        raise NotFound("there is no such survey")
    return survey


def may_see(caller: StaffCaller, survey: Survey) -> bool:
    """Whether this person may see it; what was never published is head office's."""
    if caller.office:
        return True
    return survey.version > 0 and caller.store_id is not None and survey.asks(caller.store_id)
