"""Refusals of surveys."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class SurveyConflict(DomainError):
    """The survey is in a state in which that cannot be done."""

    code = "survey_conflict"
    kind = Kind.CONFLICT


class SurveyNotPublishable(DomainError):
    """What the survey asks or promises does not hold together; the errors say where."""

    code = "survey_not_publishable"
    kind = Kind.INVALID


class SurveyClosed(DomainError):
    """This survey takes no answers now."""

    code = "survey_closed"
    kind = Kind.CONFLICT


class SurveyAnswered(DomainError):
    """This member has answered this survey already."""

    code = "survey_answered"
    kind = Kind.CONFLICT


class SurveyFull(DomainError):
    """This survey has as many answers of this kind as it was to have."""

    code = "survey_full"
    kind = Kind.CONFLICT


class SurveyVersionChanged(DomainError):
    """The survey was changed meanwhile; read it again, what still fits may be kept."""

    code = "survey_version_changed"
    kind = Kind.CONFLICT


class SurveyTooFew(DomainError):
    """So few answered that this would tell who said what."""

    code = "survey_too_few"
    kind = Kind.CONFLICT
