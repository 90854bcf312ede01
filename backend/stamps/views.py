"""How campaigns and cards look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from backend.kernel.money import yuan

from . import queries
from .schemas import CampaignCardDetail, CampaignCardOut, CampaignOut, CardState, GivenOut, TaskOut
from .types import Campaign, CampaignKind, Card, Given, Per


def campaign(found: Campaign) -> CampaignOut:
    """A campaign as staff see it."""
    return msgspec.convert(msgspec.structs.asdict(found), CampaignOut)


def card(
    found: Campaign, own: Card, on: date, *, titles: Mapping[str, str], ticked: set[str] | frozenset[str]
) -> CampaignCardOut:
    """A member's card on that local day; ``titles`` are the coupons' by template, ``ticked`` the sources of stamps."""
    return CampaignCardOut(**_card(found, own, on, titles, ticked))


def card_detail(
    found: Campaign, own: Card, on: date, *, titles: Mapping[str, str], given: Sequence[Given]
) -> CampaignCardDetail:
    """A card with what it was given stamps for."""
    ticked = frozenset(item.source for item in given)
    return CampaignCardDetail(**_card(found, own, on, titles, ticked), given=[_given(item) for item in given])


def _card(
    found: Campaign, own: Card, on: date, titles: Mapping[str, str], ticked: set[str] | frozenset[str]
) -> dict[str, Any]:
    return {
        "id": found.id,
        "title": found.title,
        "note": found.note,
        "kind": found.kind,
        "state": _state(found, own),
        "have": queries.shown(own.stamps, found, own.last_on, on),
        "goal": found.goal,
        "owed": own.stamps.owed,
        "rewards": own.stamps.rewards,
        "per_member": found.per_member,
        "reward": [titles.get(template, "") for template in found.reward],
        "rule": rule(found),
        "starts_at": found.starts_at,
        "ends_at": found.ends_at,
        "checked_in": own.last_on == on if found.kind is CampaignKind.ATTENDANCE else None,
        "tasks": [TaskOut(task.code, task.title, f"task:{task.code}" in ticked) for task in found.earning.tasks],
    }


def _state(found: Campaign, own: Card) -> CardState:
    if own.waiting:
        return "full"
    return "complete" if found.per_member is not None and own.stamps.rewards >= found.per_member else "collecting"


def rule(found: Campaign) -> str:
    """How stamps are earned, in words."""
    earning = found.earning
    if found.kind is CampaignKind.ATTENDANCE:
        return f"每天签到一次，{'连续' if earning.in_a_row else '累计'} {found.goal} 天得奖励"
    if found.kind is CampaignKind.TASKS:
        return f"完成 {found.goal} 项任务得奖励"
    if earning.per is Per.SALE:
        over = f"满 ¥{yuan(earning.min_fen)} " if earning.min_fen else ""
        return f"每笔消费{over}集 1 个，集满 {found.goal} 个得奖励"
    most = f"（每笔最多 {earning.most_a_sale} 个）" if earning.most_a_sale else ""
    return f"每购 1 件活动商品集 1 个{most}，集满 {found.goal} 个得奖励"


def _given(item: Given) -> GivenOut:
    kind, colon, name = item.source.partition(":")
    if colon and kind in ("day", "task"):
        return GivenOut(item.at, "day" if kind == "day" else "task", name, item.given, item.taken)
    return GivenOut(item.at, "sale", item.source, item.given, item.taken)
