"""What a line of an order costs, and why: activity, then level or timed price, whichever is better.

Source: the mall's price order (activity → level or timed price → threshold offers → coupons → points → freight).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backend.coupons.types import DELIVERY_LINE, BasketLine
from backend.kernel.errors import invalid
from backend.kernel.money import MAX_AMOUNT
from backend.mall.types import PriceKind, Sellable
from backend.members.types import Benefit
from backend.sales.types import Price, PricedLine

from ..types import OrderLine, Step, StepKind, Want

BP = 10_000
FREIGHT_SKU = "freight"
FREIGHT_RATE_BP = 0
"""What is paid for delivery earns no points."""


class Line(msgspec.Struct, frozen=True):
    """A line on its way through the price order: what it costs so far, and what took how much off."""

    line_no: int
    article: Sellable
    qty: int
    payable_fen: int
    steps: tuple[Step, ...] = ()

    @property
    def list_fen(self) -> int:
        """What its pieces cost by the list."""
        return self.qty * self.article.list_fen

    def less(self, step: Step) -> Line:
        """The same after a step, which takes nothing where it says so."""
        if not step.off_fen:
            return self
        return msgspec.structs.replace(self, payable_fen=self.payable_fen - step.off_fen, steps=(*self.steps, step))

    def taken_by(self, *kinds: StepKind) -> int:
        """What steps of these kinds took off."""
        return sum(step.off_fen for step in self.steps if step.kind in kinds)


def open_lines(wants: Sequence[Want], articles: dict[str, Sellable]) -> list[Line]:
    """The lines at their list prices; every article is there."""
    lines = [
        Line(position, articles[want.sku], want.qty, want.qty * articles[want.sku].list_fen)
        for position, want in enumerate(wants, 1)
    ]
    if sum(line.list_fen for line in lines) > MAX_AMOUNT:
        raise invalid("/lines", f"the order is more than {MAX_AMOUNT} fen")
    return lines


def member_price(line: Line, benefit: Benefit, level_name: str) -> Line:
    """Take off the best of: the article's timed or level price, and the member's discount on what it costs so far.

    The discount rounds down per line, as at a till. A price that is not below what the line costs already changes
    nothing.
    """
    article = line.article
    discount = Step(StepKind.LEVEL, level_name, line.payable_fen * benefit.discount_bp // BP, benefit.card_id or "")
    if article.price_kind is PriceKind.LIST:
        return line.less(discount)
    fixed = max(0, line.payable_fen - line.qty * article.price_fen)
    if fixed < discount.off_fen:
        return line.less(discount)
    kind = StepKind.TIMED if article.price_kind is PriceKind.TIMED else StepKind.LEVEL
    return line.less(Step(kind, "限时价" if kind is StepKind.TIMED else f"{level_name}价", fixed))


def price_of(lines: Sequence[Line], freight_fen: int) -> Price:
    """The lines as a purchase has them; freight, where there is any, stands last, as line 0."""
    priced = [_priced(line) for line in lines]
    if freight_fen:
        priced.append(
            PricedLine(DELIVERY_LINE, FREIGHT_SKU, 1, freight_fen, 0, 0, freight_fen, FREIGHT_RATE_BP, name="运费")
        )
    total = sum(line.qty * line.unit_price_fen for line in priced)
    payable = sum(line.payable_fen for line in priced)
    return Price(tuple(priced), total_fen=total, discount_fen=total - payable, payable_fen=payable)


def _priced(line: Line) -> PricedLine:
    member = line.taken_by(StepKind.LEVEL)
    article = line.article
    return PricedLine(
        line_no=line.line_no,
        sku=article.sku,
        qty=line.qty,
        unit_price_fen=article.list_fen,
        discount_fen=line.list_fen - line.payable_fen - member,
        member_discount_fen=member,
        payable_fen=line.payable_fen,
        rate_bp=article.rate_bp,
        name=article.name,
        category=article.category,
        cost_fen=None if article.cost_fen is None else line.qty * article.cost_fen,
        brand=article.brand,
    )


def basket(lines: Sequence[Line]) -> list[BasketLine]:
    """The lines as coupons meet them: at what they cost after everything before coupons."""
    return [
        BasketLine(
            line.line_no, line.article.sku, line.qty, line.payable_fen, line.article.category, line.article.brand
        )
        for line in lines
    ]


def order_lines(lines: Sequence[Line]) -> tuple[OrderLine, ...]:
    """The lines as the order keeps them."""
    return tuple(
        OrderLine(
            line_no=line.line_no,
            sku=line.article.sku,
            qty=line.qty,
            product_id=line.article.product_id,
            name=line.article.name,
            spec=line.article.spec,
            picture=line.article.picture,
            list_fen=line.article.list_fen,
            payable_fen=line.payable_fen,
            weight_g=line.article.weight_g,
            steps=line.steps,
        )
        for line in lines
    )
