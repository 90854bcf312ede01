"""A member's wallet as a few lines of Python that share nothing with the product: lots, spending, refunds, clawback."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass
class Lot:
    """Credit of one source. ``order`` is when it came: of equal last days the older is spent first."""

    account: str
    part: str
    order: int
    issued: int
    left: int
    expires_on: date | None = None
    matures_on: date | None = None
    source: str = ""
    rank: int = 0

    @property
    def turn(self) -> tuple[int, date, int]:
        """The lowest rank first, in it the earliest last day, those without one last, then the oldest."""
        return (self.rank, self.expires_on or date.max, self.order)


@dataclass
class Sale:
    """What a sale took and gave, and how much of it went back."""

    id: str
    payable: int
    tenders: dict[str, int]
    earned: int
    taken: dict[str, list[tuple[Lot, int]]]
    returned: dict[int, int] = field(default_factory=dict)
    refunded: int = 0
    clawed: int = 0
    given: dict[str, int] = field(default_factory=dict)


class Refused(Exception):
    """The model says that this cannot be paid."""


@dataclass
class Wallet:
    """The accounts of one member, with a calendar that is told the day."""

    today: date
    lots: list[Lot] = field(default_factory=list)
    debt: int = 0
    sales: list[Sale] = field(default_factory=list)
    _orders: int = 0

    def spendable(self, account: str) -> list[Lot]:
        """The lots that may be taken from today, in their turn."""
        alive = [lot for lot in self.lots if lot.account == account and lot.left]
        return sorted((x for x in alive if not x.expires_on or x.expires_on >= self.today), key=lambda x: x.turn)

    def held(self, account: str) -> int:
        """What can be spent of it."""
        return sum(lot.left for lot in self.spendable(account))

    def issue(self, account: str, part: str, amount: int, **more: object) -> None:
        """A new lot."""
        self._orders += 1
        self.lots.append(Lot(account, part, self._orders, amount, amount, **more))  # type: ignore[arg-type]

    def credit(
        self, principal: int, bonus: int, points: int, bonus_until: date, points_until: date, rank: int = 0
    ) -> None:
        """What a recharge with an offer brings; gifts of points pay a debt first."""
        if principal:
            self.issue("stored", "principal", principal)
        if bonus:
            self.issue("stored", "bonus", bonus, expires_on=bonus_until, rank=rank)
        self.earn(points, "gift", "points", expires_on=points_until)

    def earn(self, points: int, part: str, account: str, **more: object) -> None:
        """Points: what is owed is paid first."""
        paid = min(points, self.debt)
        self.debt -= paid
        if points > paid:
            self.issue(account, part, points - paid, **more)

    def take(self, account: str, amount: int) -> list[tuple[Lot, int]]:
        """Spend from the lots whose turn it is."""
        taken = []
        for lot in self.spendable(account):
            part = min(amount, lot.left)
            if part:
                lot.left -= part
                amount -= part
                taken.append((lot, part))
        assert not amount
        return taken

    def check(self, stored: int, points: int) -> None:
        """``Refused`` for what is not there; points that are owed cannot be spent."""
        if (stored and self.held("stored") < stored) or (points and self.held("points") - self.debt < points):
            raise Refused

    def sell(self, sale_id: str, tenders: dict[str, int], *, expires_on: date, matures_on: date | None) -> Sale:
        """A sale of one line at ¥1 a point; bonus and points earn nothing."""
        stored, points = tenders.get("stored", 0), tenders.get("points", 0)
        self.check(stored, points)
        taken = {"stored": self.take("stored", stored), "points": self.take("points", points)}
        bonus = sum(part for lot, part in taken["stored"] if lot.part == "bonus")
        payable = sum(tenders.values())
        earned = (payable - bonus - points) // 100
        account = "points_pending" if matures_on else "points"
        self.earn(earned, "earned", account, expires_on=expires_on, matures_on=matures_on, source=sale_id)
        sale = Sale(sale_id, payable, tenders, earned, taken)
        self.sales.append(sale)
        return sale

    def refund(self, sale: Sale, amount: int, by_tender: dict[str, int]) -> int:
        """Give ``by_tender`` back to the lots it came from, last spent first; returns the points taken back."""
        sale.refunded += amount
        reopened = set()
        for account in ("stored", "points"):
            rest = by_tender.get(account, 0)
            for lot, took in reversed(sale.taken[account]):
                part = min(rest, took - sale.returned.get(lot.order, 0))
                if part and not lot.left:
                    reopened.add(lot.order)
                rest -= part
                sale.returned[lot.order] = sale.returned.get(lot.order, 0) + part
                lot.left += part
            assert not rest
        clawed = sale.earned * sale.refunded // sale.payable - sale.clawed
        sale.clawed += clawed
        self.claw_back(clawed, sale.id, reopened)
        return clawed

    def claw_back(self, points: int, source: str, reopened: set[int]) -> None:
        """From pending lots, then from available ones, this sale's first; the rest is owed.

        What has expired is lost and pays nothing. Lots that this very refund has filled again come last.
        """
        for account in ("points_pending", "points"):
            for lot in sorted(self.spendable(account), key=lambda x: (x.order in reopened, x.source != source, x.turn)):
                part = min(points, lot.left)
                lot.left -= part
                points -= part
        self.debt += points

    def age(self, today: date) -> None:
        """The clock's work of that day: pending points become available, then what is over goes."""
        self.today = today
        mature = [lot for lot in self.lots if lot.left and lot.matures_on and lot.matures_on <= today]
        for lot in sorted(mature, key=lambda x: x.turn):
            amount, lot.left = lot.left, 0
            if lot.account == "points_pending":
                self.earn(amount, lot.part, "points", expires_on=lot.expires_on, source=lot.source)
        for lot in self.lots:
            if lot.expires_on and lot.expires_on < today:
                lot.left = 0

    def open_lots(self) -> list[tuple[str, str, int, date | None]]:
        """Every lot with something in it, in a fixed order."""
        found = [(lot.account, lot.part, lot.left, lot.expires_on) for lot in self.lots if lot.left]
        return sorted(found, key=repr)
