"""The rules of levels and of stages, kept in mind for a few seconds."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from backend.kernel import db
from backend.kernel.kept import Kept
from backend.members.types import Level

from ..rules import stages
from ..types import LevelRule, Programme, Rung, StageRule, Thresholds

KEPT_S = 3.0

_rules = msgspec.json.Decoder(dict[str, LevelRule])
_stage_rules = msgspec.json.Decoder(tuple[StageRule, ...])


async def list_programmes() -> list[Programme]:
    """Every programme there was, the first one first, as the database has them."""
    rows = await db.fetch("SELECT version, since, rules FROM lifecycle_programme ORDER BY version")
    return [Programme(row["version"], row["since"], _rules.decode(row["rules"])) for row in rows]


_programmes = Kept(list_programmes, keep_s=KEPT_S)


async def programmes() -> list[Programme]:
    """Every programme there was, the first one first; a few seconds old at most."""
    return await _programmes.get()


async def has_programme() -> bool:
    """Whether levels go by rules; else by growth alone."""
    return bool(await programmes())


async def find_programme() -> Programme | None:
    """The programme that is in force, or None."""
    known = await programmes()
    return known[-1] if known else None


def rungs_of(levels: Iterable[Level], rules: dict[str, LevelRule]) -> list[Rung]:
    """The levels with their rules, lowest first; one without a rule is reached by growth, and held for good."""
    return [Rung(level.code, rules.get(level.code) or _by_growth(level)) for level in levels]


def _by_growth(level: Level) -> LevelRule:
    return LevelRule(reach=Thresholds(spend_fen=level.growth_from_fen) if level.growth_from_fen else None)


async def _read_stage_rules() -> tuple[int, tuple[StageRule, ...]]:
    row = await db.fetchrow("SELECT version, rules FROM lifecycle_stages ORDER BY version DESC LIMIT 1")
    return (row["version"], _stage_rules.decode(row["rules"])) if row else (0, stages.DEFAULT)


_stages = Kept(_read_stage_rules, keep_s=KEPT_S)


async def stage_rules() -> tuple[StageRule, ...]:
    """The rules of stages that are used now, in their order."""
    return (await _stages.get())[1]


async def stage_version() -> int:
    """Their version; 0: those of the program."""
    return (await _stages.get())[0]


def forget_rules() -> None:
    """Read the rules again at the next question: they were changed here."""
    _programmes.forget()
    _stages.forget()
