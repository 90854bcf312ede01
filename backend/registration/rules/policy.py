"""What a policy says of somebody who registers: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import msgspec

from backend.kernel.errors import FieldError
from backend.members.joins import Applicant

from ..types import Decision, Mode, Outcome, Policy, When

MOST_RULES = 50


class Occasion(msgspec.Struct, frozen=True):
    """Somebody who registers, on that day and in that hour (0–23) of the chain."""

    who: Applicant
    on: date
    hour: int


def decide(policy: Policy, occasion: Occasion) -> Decision:
    """What becomes of somebody, and which conditions of the rules before did not hold."""
    if policy.mode is not Mode.RULES:
        return Decision(Outcome.APPROVE if policy.mode is Mode.AUTOMATIC else Outcome.QUEUE, None, None)
    failed: list[tuple[str, tuple[str, ...]]] = []
    for rule in policy.rules:
        missing = tuple(unmet(rule.when, occasion))
        if not missing:
            return Decision(rule.outcome, rule.title, rule.reason, tuple(failed))
        failed.append((rule.title, missing))
    return Decision(policy.otherwise, None, policy.otherwise_reason, tuple(failed))


def unmet(when: When, occasion: Occasion) -> Iterator[str]:
    """The conditions that do not hold, by name."""
    for name, holds in _CONDITIONS.items():
        if getattr(when, name) is not None and not holds(when, occasion):
            yield name
    if (when.hour_from is not None or when.hour_to is not None) and not _in_hours(when, occasion.hour):
        yield "hours"


def age(birthday: date, on: date) -> int:
    """Whole years; who was born on 29 February has a year more on 1 March where there is no such day."""
    return on.year - birthday.year - ((on.month, on.day) < (birthday.month, birthday.day))


def _hours(when: When) -> tuple[int, int]:
    return when.hour_from or 0, 24 if when.hour_to is None else when.hour_to


def _in_hours(when: When, hour: int) -> bool:
    begin, end = _hours(when)
    return begin <= hour < end if begin < end else hour >= begin or hour < end


def _age_of(occasion: Occasion) -> int | None:
    birthday = occasion.who.birthday
    return age(birthday, occasion.on) if birthday else None


def _old_enough(when: When, occasion: Occasion) -> bool:
    years = _age_of(occasion)
    return years is not None and years >= (when.age_from or 0)


def _young_enough(when: When, occasion: Occasion) -> bool:
    years = _age_of(occasion)
    return years is not None and when.age_to is not None and years <= when.age_to


def _has_prefix(when: When, occasion: Occasion) -> bool:
    return occasion.who.phone.removeprefix("+86").startswith(when.phone_prefixes or ())


def _has_attributes(when: When, occasion: Occasion) -> bool:
    given = occasion.who.attributes
    return all(_among(given.get(code), values) for code, values in (when.attributes or {}).items())


def _among(value: object, values: list[str | int | bool]) -> bool:
    mine = value if isinstance(value, list | tuple) else [value]
    return any(type(one) is type(wanted) and one == wanted for one in mine for wanted in values)


_CONDITIONS: dict[str, Callable[[When, Occasion], bool]] = {
    "channels": lambda when, occasion: occasion.who.channel in (when.channels or ()),
    "store_ids": lambda when, occasion: occasion.who.store_id in (when.store_ids or ()),
    "referred": lambda when, occasion: occasion.who.referred is when.referred,
    "age_from": _old_enough,
    "age_to": _young_enough,
    "phone_prefixes": _has_prefix,
    "attributes": _has_attributes,
}


def flaws(policy: Policy) -> list[FieldError]:
    """What is wrong with a policy in itself."""
    wrong: list[FieldError] = []
    titles: set[str] = set()
    for place, rule in enumerate(policy.rules):
        at = f"/rules/{place}"
        if rule.title in titles:
            wrong.append(FieldError(f"{at}/title", "another rule is called so"))
        titles.add(rule.title)
        if (rule.outcome is Outcome.REJECT) is (rule.reason is None):
            needs = "say what the applicant reads" if rule.reason is None else "is for applicants who are refused"
            wrong.append(FieldError(f"{at}/reason", needs))
        when = rule.when
        if when.age_from is not None and when.age_to is not None and when.age_from > when.age_to:
            wrong.append(FieldError(f"{at}/when/age_to", "is below age_from"))
        begin, end = _hours(when)
        if begin % 24 == end % 24 and (begin, end) != (0, 24):
            wrong.append(FieldError(f"{at}/when/hour_to", "is the hour it begins with"))
    if (policy.otherwise is Outcome.REJECT) is (policy.otherwise_reason is None):
        wrong.append(FieldError("/otherwise_reason", "is needed where the others are refused, and only there"))
    if policy.mode is Mode.RULES and not policy.rules:
        wrong.append(FieldError("/rules", "there is none"))
    return wrong
