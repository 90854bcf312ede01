"""What purchases come to under the schemes of a period. No I/O, clock or randomness.

Nothing depends on the order in which purchases and returns were heard of: sums, and shares of sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from backend.kernel.money import share, share_list

from ..types import Applied, Back, Counted, Line, Paid, Part, Purchase, Terms, Tier, Tiers, Whose

BP = 10_000
DELIVERY = 0
"""The line of an order that is its delivery; it never counts."""

NONE = -1
"""No tier is reached."""


def accrue(
    schemes: Sequence[Applied], purchases: Iterable[Purchase], back: Back, *, most_lines: int = 0
) -> tuple[Part, ...]:
    """What each scheme comes to, in the order given; of those that do not stack only the best one gives.

    Args:
        most_lines: how many purchases a part names; all of them count.
    """
    sums = Sums(schemes, most_lines)
    for purchase in purchases:
        sums.add(purchase, back.get(purchase.id, {}))
    return sums.parts()


class Sums:
    """What each scheme comes to, purchase by purchase, so that nobody's have to be in memory all at once."""

    def __init__(self, schemes: Sequence[Applied], most_lines: int = 0) -> None:
        self.schemes = schemes
        self._sums = [_Sum(scheme, most_lines) for scheme in schemes]

    def add(self, purchase: Purchase, back: Mapping[int, int]) -> None:
        """Count a purchase, less what came back of it, by line."""
        for one in self._sums:
            one.add(purchase, back)

    def parts(self) -> tuple[Part, ...]:
        """What it comes to, as ``accrue`` says."""
        return choose(self.schemes, [one.part() for one in self._sums])


class _Sum:
    """What a scheme counts, as it grows."""

    def __init__(self, scheme: Applied, most_lines: int) -> None:
        self.scheme = scheme
        self.most_lines = most_lines
        self.bases: dict[str, int] = {}
        self.purchases = 0
        self.lines: list[Counted] = []

    def add(self, purchase: Purchase, back: Mapping[int, int]) -> None:
        if not self.scheme.first <= purchase.on <= self.scheme.last or not applies(self.scheme.terms, purchase):
            return
        fen = counted_fen(self.scheme.terms, purchase, back)
        if fen:
            self.bases[purchase.store_id] = self.bases.get(purchase.store_id, 0) + fen
            self.purchases += 1
            if len(self.lines) < self.most_lines:
                self.lines.append(Counted(purchase.id, purchase.on, purchase.store_id, fen))

    def part(self) -> Part:
        base = sum(self.bases.values())
        terms = self.scheme.terms
        tier, fen, capped = amount(terms, base)
        return Part(
            scheme_id=self.scheme.id,
            title=self.scheme.title,
            version=self.scheme.version,
            base_fen=base,
            tier=tier,
            rate_bp=terms.tiers[tier].rate_bp if tier != NONE else 0,
            fen=fen,
            capped=capped,
            won=True,
            bases=self.bases,
            stores={store: part for store, part in share(fen, dict(sorted(self.bases.items()))).items() if part},
            purchases=self.purchases,
            lines=tuple(self.lines),
        )


def applies(terms: Terms, purchase: Purchase) -> bool:
    """Whether a purchase is one of those that the scheme is about, by store and by who bought."""
    if purchase.whose is (Whose.SHARED if terms.for_owner else Whose.PEOPLE):
        return False
    if (terms.stores and purchase.store_id not in terms.stores) or purchase.store_id in terms.not_stores:
        return False
    if terms.levels and purchase.level not in terms.levels:
        return False
    if terms.groups and purchase.group_id not in terms.groups:
        return False
    return purchase.key_account or not terms.key_accounts


def counted_fen(terms: Terms, purchase: Purchase, back: Mapping[int, int]) -> int:
    """How much of a purchase counts: what was paid by what counts, less the share of what came back, line by line.

    What was paid by what does not count is shared over the lines by what coupons left of each. Of a line that came
    back in part as much of what counts is gone, rounded down; of one that came back whole, all of it.
    """
    by_coupon = Paid.COUPON in terms.counts
    left = [line.payable_fen - (0 if by_coupon else line.coupon_fen) for line in purchase.lines]
    off = sum(fen for kind, fen in purchase.paid.items() if kind not in terms.counts)
    total = 0
    for line, fen, less in zip(purchase.lines, left, share_list(min(off, sum(left)), left), strict=True):
        if line.line_no == DELIVERY or not line.payable_fen or not _is_meant(terms, line):
            continue
        counts = fen - less
        total += counts - counts * min(back.get(line.line_no, 0), line.payable_fen) // line.payable_fen
    return total


def _is_meant(terms: Terms, line: Line) -> bool:
    if (terms.categories and line.category not in terms.categories) or line.category in terms.not_categories:
        return False
    return not ((terms.brands and line.brand not in terms.brands) or line.brand in terms.not_brands)


def amount(terms: Terms, base_fen: int) -> tuple[int, int, bool]:
    """The tier that a sum reaches, its rebate rounded down once, and whether the cap cut it."""
    tier = max((at for at, one in enumerate(terms.tiers) if one.from_fen <= base_fen), default=NONE)
    if tier == NONE:
        return NONE, 0, False
    if terms.mode is Tiers.WHOLE:
        fen = base_fen * terms.tiers[tier].rate_bp // BP
    else:
        ends = [one.from_fen for one in terms.tiers[1:]] + [base_fen]
        fen = (
            sum(
                max(0, min(base_fen, end) - one.from_fen) * one.rate_bp
                for one, end in zip(terms.tiers, ends, strict=True)
            )
            // BP
        )
    most = terms.cap_fen
    return (tier, fen, False) if most is None or fen <= most else (tier, most, True)


def choose(schemes: Sequence[Applied], parts: Sequence[Part]) -> tuple[Part, ...]:
    """Let all that stack give, and of the others the one that gives most; the lower priority number where they tie."""
    alone = [at for at, scheme in enumerate(schemes) if not scheme.terms.stackable and parts[at].fen]
    best = min(alone, key=lambda at: (-parts[at].fen, schemes[at].terms.priority, schemes[at].id), default=None)
    return tuple(
        msgspec.structs.replace(part, won=False) if at in alone and at != best else part
        for at, part in enumerate(parts)
    )


def next_tier(terms: Terms, base_fen: int) -> Tier | None:
    """The first tier that a sum does not reach yet."""
    return next((one for one in terms.tiers if one.from_fen > base_fen), None)
