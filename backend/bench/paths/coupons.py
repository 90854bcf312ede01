"""Claiming a coupon, the centre, what a member has, and a sale that one pays part of.

One template that everybody may claim as often as they like, and one of which members hold coupons for their sales.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import msgspec

from backend.bench.plans import PlanMaker
from backend.bench.population import DEVICES, ZONE, Member, Population
from backend.bench.requests import Requests
from backend.coupons import plans, service
from backend.coupons.plans import Wish
from backend.coupons.types import CouponKind, Stacking, Terms, Validity
from backend.kernel import clock, ids
from backend.kernel.vault import Vault
from backend.ledger import plans as ledger
from backend.ledger.plans import Leg, Plan

from . import Domain, Ground, Path, Rows, posting
from .pos import write_sale

TEMPLATE = "TBENCH"
TERMS = Terms(kind=CouponKind.CASH, face_fen=2_000, min_spend_fen=10_000, validity=Validity(days=30))
CLAIM = "/v1/member/coupons/claim"

HELD_TEMPLATE = "TBENCHHELD"
HELD_FEN = 100
HELD_TERMS = Terms(kind=CouponKind.CASH, face_fen=HELD_FEN, validity=Validity(days=30), stacking=Stacking.JOINT)
HELD = DEVICES
"""Coupons of a member for the server's sales, and as many for pgbench's."""


def template_rows(
    now: datetime,
    *,
    template_id: str = TEMPLATE,
    terms: Terms = TERMS,
    total: int | None = None,
    per_member: int | None = None,
) -> Rows:
    """A template, active in the centre."""
    return {
        "coupon_template": (
            (
                "id", "version", "title", "state", "claim_by", "share_token", "total", "issued", "reserved",
                "per_member", "triggers", "sort", "created_at", "updated_at",
            ),
            [(template_id, 1, "基准券", "active", "centre", template_id, total, 0, 0, per_member, "[]", 0, now, now)],
        ),
        "coupon_template_version": (
            ("template_id", "version", "title", "note", "terms", "staff_id", "at"),
            [(template_id, 1, "基准券", "", msgspec.json.encode(terms).decode(), 0, now)],
        ),
    }  # fmt: skip


_COUPON = ("member_id", "id", "template_id", "version", "source", "issued_at", "valid_from", "expires_on")


def holding(each: int) -> Domain:
    """The templates, and so many coupons of every member: what must be loaded before sales with coupons."""

    def rows(population: Population, members: Sequence[Member], box: Vault, now: datetime) -> Rows:
        on = clock.local_date(now, ZONE)
        until, held = _until(on), HELD_TEMPLATE
        ids_of = ((member.id, _coupon_id(population, member, n)) for member in members for n in range(each))
        found: Rows = {"coupon": (_COUPON, [(*pair, held, 1, "claim", now, on, until) for pair in ids_of])}
        if members[0].number == 0:
            both = (template_rows(now), template_rows(now, template_id=HELD_TEMPLATE, terms=HELD_TERMS))
            found |= {table: (both[0][table][0], [*both[0][table][1], *both[1][table][1]]) for table in both[0]}
        return found

    def issues(maker: PlanMaker, member: Member, now: datetime) -> Iterable[Plan]:
        for n in range(each):
            wish = _wish(member.id, _coupon_id(maker.population, member, n), f"held-{member.number}-{n}")
            yield _issue(wish, HELD_TEMPLATE, HELD_TERMS, now, clock.local_date(now, ZONE))

    return Domain(paths=(), rows=rows, plans=issues)


def _until(on: date) -> date:
    return clock.days_after(on, 29)


def _coupon_id(population: Population, member: Member, number: int) -> str:
    return ids.document_id(plans.PREFIX, member.id, population.coupon_random(member.number, number))


def _wish(member_id: int, coupon_id: str, key: str) -> Wish:
    return Wish(
        member_id=member_id,
        coupon_id=coupon_id,
        source="claim",
        scope="bench",
        key=key,
        hash=ledger.job_hash("claim", key),
    )


def _issue(wish: Wish, template_id: str, terms: Terms, now: datetime, on: date) -> Plan:
    return plans.issue(wish, template_id, terms, per_member=None, expires_on=_until(on), now=now, on=on)


def _claim(requests: Requests, n: int) -> bytes:
    body = b'{"template_id":"%s"}' % TEMPLATE.encode()
    return requests.of_member(n % requests.members, "POST", CLAIM, body, key=requests.unique(n))


def _centre(requests: Requests, n: int) -> bytes:
    return requests.of_member(n % requests.members, "GET", "/v1/member/coupon-centre")


def _list(requests: Requests, n: int) -> bytes:
    return requests.of_member(n % requests.members, "GET", "/v1/member/coupons")


def _claim_row(ground: Ground, n: int) -> tuple[int, str]:
    member = ground.population.member(n % ground.members)
    wish = _wish(member.id, service.new_coupon_id(member.id), f"claim-{ground.run}-{n}")
    return member.id, ledger.encode(_issue(wish, TEMPLATE, TERMS, ground.now, ground.on))


def _sale(requests: Requests, n: int) -> bytes:
    """A sale as ``pos.sale`` writes it, and a coupon pays the first part of it."""
    people = requests.population
    number, _, _ = people.visit(requests.members, n)
    coupon_id = _coupon_id(people, people.member(number), n // requests.members)
    return write_sale(requests, n, first=f'{{"type":"coupon","coupon_id":"{coupon_id}"}},')


def _sale_row(ground: Ground, n: int) -> tuple[int, str]:
    """What the sale posts, and what its coupon does; those of the second half of a member's coupons."""
    number, slot, lap = ground.population.visit(ground.members, n)
    member = ground.population.member(number)
    coupon_id = _coupon_id(ground.population, member, HELD + n // ground.members)
    coupon = (
        *ledger.use_coupon(coupon_id, HELD_TEMPLATE, ledger.USES, 1),
        Leg(ledger.HOUSE_COUPON_COST, ledger.FEN, -HELD_FEN, ref="head_office"),
        Leg(ledger.HOUSE_SALES, ledger.FEN, HELD_FEN, ref=member.store_id),
    )
    return ground.plans.plan(ground.run, number, slot, ground.step(lap), ground.now, more=coupon, coupon_fen=HELD_FEN)


_held = holding(2 * HELD)

DOMAIN = Domain(
    order=40,
    paths=(
        Path(name="claim", call=f"POST {CLAIM}", request=_claim, accepted=201, floor=posting(_claim_row)),
        Path(name="coupons", call="GET /v1/member/coupons", request=_list),
        Path(
            name="sale-coupon",
            call="POST /v1/pos/sales, with a coupon",
            request=_sale,
            accepted=201,
            most=lambda members: members * HELD,
            needs_code=True,
            once=True,
            floor=posting(_sale_row, most=lambda members: members * HELD),
        ),
        Path(name="coupon-centre", call="GET /v1/member/coupon-centre", request=_centre),
    ),
    rows=_held.rows,
    plans=_held.plans,
)
