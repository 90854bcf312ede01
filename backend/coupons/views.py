"""How coupons look to members and staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.kernel.changes import Change, change_out
from backend.ledger.plans import FEN

from . import wording
from .plans import cap_name, worth
from .queries import Standing
from .records import Handout, Template, Version
from .schemas import (
    CentreItem,
    ClaimState,
    CouponDetail,
    CouponOut,
    GiftOut,
    GiftShown,
    HandoutOut,
    IssuedDetail,
    IssuedOut,
    TemplateOut,
)
from .types import CouponState, Gift, GiftState


def coupon(standing: Standing) -> CouponOut:
    """A coupon in a list."""
    return CouponOut(**_fields(standing))


def coupon_detail(
    standing: Standing, names: Mapping[str, str] | None = None, gift: GiftOut | None = None
) -> CouponDetail:
    """A coupon with every condition; ``names`` says what stores, categories and levels are called."""
    terms = standing.version.terms
    return CouponDetail(
        **_fields(standing),
        period=wording.period(standing.coupon.valid_from, standing.coupon.expires_on),
        lines=wording.describe(terms, standing.version.note, names),
        terms=terms,
        gift=gift,
    )


def issued(standing: Standing) -> IssuedOut:
    """A coupon in staff's list."""
    return IssuedOut(**_fields(standing), **_origin(standing))


def issued_detail(standing: Standing, names: Mapping[str, str], changes: Sequence[Change]) -> IssuedDetail:
    """A coupon with everything staff may know of it; ``names`` as in ``coupon_detail``."""
    terms = standing.version.terms
    return IssuedDetail(
        **_fields(standing),
        **_origin(standing),
        period=wording.period(standing.coupon.valid_from, standing.coupon.expires_on),
        lines=wording.describe(terms, standing.version.note, names),
        terms=terms,
        changes=[change_out(change) for change in changes],
    )


def _origin(standing: Standing) -> dict[str, Any]:
    made = standing.coupon
    return {
        "member_id": str(made.member_id),
        "version": made.version,
        "source": made.source,
        "ended_by": made.ended_by or None,
    }


def gift_shown(
    standing: Standing, gift: Gift, names: Mapping[str, str], *, state: GiftState, giver: str, own: bool
) -> GiftShown:
    """A gift for whoever has its link; ``names`` as in ``coupon_detail``."""
    made, version = standing.coupon, standing.version
    return GiftShown(
        **_face(version),
        state=state,
        giver=giver,
        own=own,
        unit="fen" if gift.unit == FEN else "uses",
        balance=gift.amount,
        valid_from=made.valid_from,
        expires_on=made.expires_on,
        period=wording.period(made.valid_from, made.expires_on),
        lines=wording.describe(version.terms, version.note, names),
        accept_until=gift.expires_at,
    )


def _fields(standing: Standing) -> dict[str, Any]:
    made, version = standing.coupon, standing.version
    return {
        "id": made.id,
        "template_id": made.template_id,
        **_face(version),
        "state": standing.state,
        "unit": "fen" if worth(version.terms)[0] == FEN else "uses",
        "balance": standing.balance,
        "valid_from": made.valid_from,
        "expires_on": made.expires_on,
        "issued_at": made.issued_at,
        "ended_at": made.ended_at,
        "used_in": (made.ended_by or None) if standing.state is CouponState.USED else None,
        "in_gift": standing.in_gift,
    }


def _face(version: Version) -> dict[str, Any]:
    terms = version.terms
    return {
        "title": version.title,
        "headline": wording.headline(terms),
        "kind": terms.kind,
        "face_fen": terms.face_fen,
        "rate_bp": terms.rate_bp,
        "pieces": terms.pieces,
        "min_spend_fen": terms.min_spend_fen,
    }


def centre_item(
    template: Template, version: Version, counts: Mapping[str, int], names: Mapping[str, str] | None = None
) -> CentreItem:
    """A template in the centre, for a member with these counters; ``names`` as in ``coupon_detail``."""
    claimed = counts.get(cap_name(template.id), 0)
    state: ClaimState
    if template.per_member is not None and claimed >= template.per_member:
        state = "claimed"
    elif template.left is not None and template.left <= 0:
        state = "sold_out"
    else:
        state = "claimable"
    return CentreItem(
        **_face(version),
        template_id=template.id,
        validity=wording.validity(version.terms.validity),
        lines=wording.describe(version.terms, version.note, names),
        ends_at=template.ends_at,
        total=template.total,
        left=template.left,
        claimed=claimed,
        per_member=template.per_member,
        state=state,
    )


def template(found: Template, version: Version) -> TemplateOut:
    """A template as staff see it."""
    return TemplateOut(
        id=found.id,
        version=found.version,
        title=found.title,
        note=version.note,
        headline=wording.headline(version.terms),
        state=found.state,
        claim_by=found.claim_by,
        share_token=found.share_token,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        total=found.total,
        issued=found.issued,
        reserved=found.reserved,
        left=found.left,
        per_member=found.per_member,
        triggers=list(found.triggers),
        sort=found.sort,
        terms=version.terms,
        created_at=found.created_at,
        updated_at=found.updated_at,
    )


def handout(found: Handout) -> HandoutOut:
    """How far a handout has got."""
    return HandoutOut(
        id=found.id,
        template_id=found.template_id,
        state="done" if found.finished_at else "running" if found.done else "waiting",
        total=found.total,
        done=found.done,
        issued=found.issued,
        refused=found.refused,
        created_at=found.created_at,
        finished_at=found.finished_at,
    )
