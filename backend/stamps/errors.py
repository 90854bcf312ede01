"""Refusals of campaigns and their cards."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class CampaignConflict(DomainError):
    """The campaign is in a state in which that cannot be done."""

    code = "campaign_conflict"
    kind = Kind.CONFLICT


class CampaignNotRunning(DomainError):
    """This campaign does not run now."""

    code = "campaign_not_running"
    kind = Kind.CONFLICT


class CampaignNotForLevel(DomainError):
    """This campaign is for members of other levels."""

    code = "campaign_not_for_level"
    kind = Kind.CONFLICT


class CampaignCardComplete(DomainError):
    """This member has had as many rewards of this campaign as one may have, or has the stamps for the last."""

    code = "campaign_card_complete"
    kind = Kind.CONFLICT


class CampaignCardNotFull(DomainError):
    """This card is not full; its stamps cannot be redeemed yet."""

    code = "campaign_card_not_full"
    kind = Kind.CONFLICT
