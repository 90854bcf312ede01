"""The server's plans without the server: the till's own pricing and planning, on what was loaded."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from backend.auth.types import Store, TerminalCaller
from backend.kernel import clock, ids
from backend.kernel.config import settings
from backend.kernel.http import Idempotency
from backend.ledger import plans as ledger
from backend.ledger.plans import Guard, Issue, Leg, NewDocument, Plan, encode
from backend.ledger.types import Document, Lot, Snapshot
from backend.members.types import Cardholder
from backend.points.types import Earning, Occasion
from backend.pos import plans
from backend.pos.commands import pricing, sales
from backend.pos.commands.identify import Customer, step_guard
from backend.pos.commands.refunds import refund_plan
from backend.pos.commands.replay import terminal_scope
from backend.pos.commands.scan import scan_plan
from backend.pos.schemas import RefundIn, RefundLineIn, SaleIn
from backend.sales.plans import Sold
from backend.sales.rules import refunds
from backend.sales.types import Line, SaleBody, SaleProgress
from backend.wallet.queries import standard_expiry

from .population import BONUS_FEN, POINTS, POINTS_PAID, PRINCIPAL_FEN, ZONE, Member, Population

SCOPE = "bench"
"""Of the keys of what is loaded."""

PAST_SALES = 2
"""Sales of every member's past, where they are loaded: one for the server to refund, one for pgbench."""

_KEPT = (("principal", PRINCIPAL_FEN), ("bonus", BONUS_FEN))
_PRINCIPAL_LOT, _POINTS_LOT, _NEXT_LOT = 1, 3, 4


def recharge_plan(
    member: Member, recharge_id: str, key: str, at: datetime, *, points_until: date, guards: tuple[Guard, ...] = ()
) -> Plan:
    """A paid recharge with bonus and points, as it is loaded: value to begin with."""
    return Plan(
        member_id=member.id,
        kind="recharge",
        at=at,
        on=clock.local_date(at, ZONE),
        scope=SCOPE,
        key=key,
        hash=ledger.job_hash(SCOPE, key),
        guards=guards,
        document=NewDocument(
            recharge_id,
            "recharge",
            "paid",
            {"pay_fen": PRINCIPAL_FEN, "bonus_fen": BONUS_FEN, "points": POINTS, "offer_id": None},
            progress={"bonus_fen": BONUS_FEN, "points": POINTS},
        ),
        legs=(
            Leg(
                ledger.STORED,
                ledger.FEN,
                PRINCIPAL_FEN + BONUS_FEN,
                issue=(Issue("principal", PRINCIPAL_FEN), Issue("bonus", BONUS_FEN)),
            ),
            Leg(ledger.HOUSE_PSP, ledger.FEN, -PRINCIPAL_FEN),
            Leg(ledger.HOUSE_BONUS, ledger.FEN, -BONUS_FEN),
            *ledger.earn_points(POINTS, 0, Issue("gift", 0, expires_on=points_until)),
        ),
    )


class PlanMaker:
    """Makes the plans of one population's members, as if each had only just been loaded."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._last_step = 0
        self._stores = {till.store_id: Store(till.store_id, till.store_id, ZONE) for till in population.tills}
        self._lines = [
            [Line(line.sku, line.qty, line.unit_price_fen, line.discount_fen, 10_000) for line in basket.lines]
            for basket in population.baskets
        ]

    @property
    def population(self) -> Population:
        """Whose plans these are."""
        return self._population

    def plan(
        self,
        run: str,
        number: int,
        slot: int,
        step: int,
        now: datetime,
        *,
        more: tuple[Leg, ...] = (),
        coupon_fen: int = 0,
    ) -> tuple[int, str]:
        """The member and the encoded plan of one sale; ``more`` legs say how a coupon pays ``coupon_fen`` besides."""
        member = self._population.member(number)
        plan, _ = self._sale(
            member, slot, f"{run}-{number}-{slot}-{step}", ids.new_document_id("S", member.id),
            self._customer(member, slot, step), now,
        )  # fmt: skip
        if more:
            document = plan.document and msgspec.structs.replace(
                plan.document, body=_paid_by_coupon(plan.document.body, coupon_fen)
            )
            plan = msgspec.structs.replace(plan, legs=(*plan.legs, *more), document=document)
        return member.id, encode(plan)

    def plans(self, run: str, members: int, count: int) -> Iterator[tuple[int, str]]:
        """So many plans, in the order of the server's requests; marks go on from the run before."""
        now, first = clock.now(), self._last_step + 1
        for position, (number, slot, lap) in enumerate(self._population.visits(members, count)):
            self._last_step = first + lap
            yield self.plan(run, number, slot, first + lap, now + timedelta(microseconds=position))

    def scan(self, number: int, slot: int, step: int, now: datetime) -> tuple[int, str]:
        """The member and the encoded plan of one scan."""
        member = self._population.member(number)
        customer = self._customer(member, slot, step)
        plan = scan_plan(customer, self._caller(member, slot), member.store_id, now, clock.local_date(now, ZONE))
        return member.id, encode(plan)

    def past_sale(self, number: int, index: int, now: datetime) -> tuple[Plan, SaleBody]:
        """A sale that a member made before; no code was shown for it."""
        member = self._population.member(number)
        customer = Customer(member.id, 0, 0, ())
        return self._sale(
            member, index, f"past-{number}-{index}", self._population.sale_id(number, index), customer, now
        )

    def refund(self, number: int, index: int, now: datetime) -> tuple[int, str]:
        """The member and the encoded plan that gives back a piece of the first line of a past sale."""
        member, till = self._population.member(number), self._population.till_of(self._population.member(number), index)
        plan, _ = refund_plan(self._sold(member, index, now), one_piece(1), now, zone=ZONE)
        idem = Idempotency(secrets.token_hex(12), secrets.token_bytes(32))
        return member.id, encode(plans.keyed(plan, idem, terminal_scope(till.id)))

    def _sold(self, member: Member, index: int, now: datetime) -> Sold:
        """What the server would read of a past sale: opening the account took the first lots, each sale one more."""
        sales_so_far = [self.past_sale(member.number, number, now) for number in range(PAST_SALES)]
        lots, next_lot = [_lot(_POINTS_LOT, "gift", "", POINTS)], _NEXT_LOT
        for plan, body in sales_so_far:
            if body.points_earned and plan.document is not None:
                lots.append(_lot(next_lot, "earned", plan.document.id, body.points_earned))
                next_lot += 1
        plan, body = sales_so_far[index]
        assert plan.document is not None
        sale_id = plan.document.id
        moves = [(_lot(_PRINCIPAL_LOT, "principal", "", PRINCIPAL_FEN, kind="stored"), -body.paid["stored"])]
        moves += [(lots[0], -POINTS_PAID)]
        moves += [(lot, lot.issued) for lot in lots if lot.source == sale_id]
        built = msgspec.to_builtins(body)
        document = Document(
            member.id, sale_id, plans.SALE, "completed", 1, member.store_id, built, {}, {}, now, now, None
        )
        progress = refunds.start(body, SaleProgress())
        return Sold(document, body, progress, index + 2, tuple(moves), (), tuple(lots))

    def _sale(
        self, member: Member, slot: int, unique: str, sale_id: str, customer: Customer, now: datetime
    ) -> tuple[Plan, SaleBody]:
        people = self._population
        which = people.basket_number(member.number, slot)
        snapshot = Snapshot(member.id, True, {"stored": PRINCIPAL_FEN + BONUS_FEN, "points": POINTS}, _KEPT)
        tenders = people.baskets[which].tenders
        holder = Cardholder(member.card, snapshot)
        on, rules = clock.local_date(now, ZONE), settings()
        occasion = Occasion(
            level=member.card.level.code,
            multiplier_bp=member.card.benefit_on(on).points_multiplier_bp,
            per_yuan_bp=rules.points_per_yuan_bp,
            most_times_bp=rules.points_most_times_bp,
            birthday=None,
            store_id=member.store_id,
            at=now,
        )
        priced = pricing.price_for(holder, self._lines[which], tenders, on, Earning(occasion))
        return sales.sale_plan(
            SaleIn(order_no=unique, lines=list(people.baskets[which].lines), cashier="7"),
            self._caller(member, slot),
            Idempotency(f"{unique}-{secrets.token_hex(4)}", secrets.token_bytes(32)),
            self._stores[member.store_id],
            customer,
            priced,
            standard_expiry(),
            sale_id=sale_id,
            waits=False,
            now=now,
        )

    def _caller(self, member: Member, slot: int) -> TerminalCaller:
        till = self._population.till_of(member, slot)
        return TerminalCaller(terminal_id=till.id, store_id=till.store_id, rate_key="", rate_per_minute=0)

    def _customer(self, member: Member, slot: int, step: int) -> Customer:
        device_id = self._population.mark(member.number, slot)
        return Customer(member.id, device_id, step, (step_guard(device_id, step),))


def one_piece(line_no: int) -> RefundIn:
    """A refund of one piece of a line."""
    return RefundIn(reason="benchmark", lines=[RefundLineIn(line_no=line_no, qty=1)])


def _lot(lot_id: int, part: str, source: str, amount: int, kind: str = "points") -> Lot:
    return Lot(lot_id, kind, "", part, source, amount, amount, None, None)


def _paid_by_coupon(body: msgspec.Raw | dict[str, Any], fen: int) -> dict[str, Any]:
    """A sale's document that says, as the audit wants it, what a coupon paid."""
    said: dict[str, Any] = msgspec.json.decode(body) if isinstance(body, msgspec.Raw) else body
    return said | {"paid": said["paid"] | {"coupon": fen}}
