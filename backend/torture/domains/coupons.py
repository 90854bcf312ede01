"""Coupons: claimed in the centre, redeemed from paper, given by staff and after sales; and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from ..journal import Request
from ..world import Member, Op, World, encode
from . import Domain, Operation
from .coupon_books import (
    CLAIM,
    CODE,
    FACTS,
    FRIEND,
    REWARD,
    SALE,
    STAFF,
    Offer,
    Piece,
    Printed,
    Row,
    Told,
    compare,
    local_date,
)

if TYPE_CHECKING:
    from ..oracle import Books

TEMPLATES = "/v1/admin/coupons/templates"
BATCHES = "/v1/admin/coupons/batches"
GIFT_FROM_FEN = 1500
"""A sale of so much is given a coupon afterwards."""

FACES_FEN = (300, 500, 800)
COUNTED: dict[str, Any] = {"kind": "cash", "face_fen": 100, "min_spend_fen": 100, "stacking": "joint"}
GIVABLE = COUNTED | {"transferable": True}
RUSH, RUSH_CAP, RUSHERS, PIECES_A_RUSH = 12, 2, 10, 3
CODES_A_BATCH, CODES_OF_ALL = 12, 100_000
LAST = 400
SOLD_OUT = "coupon_sold_out"
TAKEN = frozenset({SOLD_OUT, "coupon_limit_reached"})
NO_CODE = frozenset({"coupon_code_used", "coupon_code_invalid", "coupon_limit_reached"})

SEEN_AFTER_S = 1.1
"""What was changed is known to every process."""

JOB_LATE = timedelta(minutes=5)
"""How long before the end of a run its last round of jobs may have been."""


class Coupons(Domain):
    """Issued exactly as often as it was acknowledged, never beyond a total or a cap, and gone after the last day."""

    order: ClassVar[int] = 15  # before the first recharge: what sales give is known before there are any
    jobs: ClassVar = ("coupons.issue_due", "coupons.age_coupons")
    sums: ClassVar = {"coupons": {"coupon": 1, "coupon_held": 1}}
    facts: ClassVar = FACTS

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.told = Told()
        self.centre: list[Offer] = []
        self._rush = self._value = self._paper = self._staff = self.gift = Offer("", {}, None, None, set())
        self._raising = asyncio.Lock()
        self._quiet = False

    @property
    def operations(self) -> Sequence[Operation]:
        """What phones and head office do."""
        return (
            Operation("coupon claim", 5, self.claim),
            Operation("coupon rush", 0.5, self.rush),
            Operation("coupon code", 2, self.redeem),
            Operation("no coupon code", 0.5, self.guess),
            Operation("coupon centre", 2, self.look_around),
            Operation("coupon list", 2, self.list_own),
            Operation("other's coupon", 0.7, self.spy),
            Operation("coupon codes printed", 0.4, self.print_codes),
            Operation("coupon codes void", 0.1, self.void_codes),
            Operation("coupon terms", 0.2, self.change_terms),
            Operation("coupon handout", 0.3, self.hand_out),
        )

    def pick(self, random: Random, *, last: int = LAST) -> Piece | None:
        """A coupon that somebody was given not too long ago; mostly one of which something is left."""
        ours = {member.id for member in self.world.members}
        pieces = [piece for piece in list(self.told.pieces.values())[-last:] if piece.member_id in ours]
        among = pieces if random.random() < 0.15 else [piece for piece in pieces if piece.left > 0]
        return random.choice(among) if among else None

    def holder(self, piece: Piece) -> Member:
        """Whose it is."""
        return next(member for member in self.world.everybody() if member.id == piece.member_id)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.world.now(), UTC)

    async def prepare(self) -> None:
        """Head office makes the templates and prints the first codes."""
        until = local_date(self._now() + timedelta(days=3000)).isoformat()
        counted = COUNTED
        self._rush = await self.make_offer("抢券", counted | {"validity": {"days": 2}}, total=RUSH, per_member=RUSH_CAP)
        month = GIVABLE | {"refund": "claw_back", "validity": {"days": 30}}
        many = await self.make_offer("满减券", month, per_member=None)
        short = await self.make_offer("当日券", GIVABLE | {"validity": {"days": 1}}, per_member=40)
        value = {"kind": "cash", "face_fen": FACES_FEN[0], "partial_use": True, "refund": "split", "transferable": True}
        value |= {"validity": {"until_on": until}, "stacking": "joint"}
        self._value = await self.make_offer("储值券", value, per_member=None)
        self.centre = [self._rush, many, many, short, short, self._value, self._value]
        paper = counted | {"validity": {"days": 1}}
        self._paper = await self.make_offer("纸券", paper, claim_by="nobody", total=CODES_OF_ALL, per_member=None)
        self._staff = await self.make_offer(
            "关怀券", counted | {"validity": {"days": 3}}, claim_by="nobody", per_member=None
        )
        after = [{"on": "sale", "min_fen": GIFT_FROM_FEN}]
        self.gift = await self.make_offer(
            "即买即奖", counted | {"validity": {"days": 5}}, claim_by="nobody", per_member=None, triggers=after
        )
        await self.print_codes(Op(-1, "coupon codes printed", Random(0)))
        await asyncio.sleep(SEEN_AFTER_S)

    async def make_offer(self, title: str, terms: dict[str, Any], *, claim_by: str = "centre", **offer: Any) -> Offer:
        """A template that runs."""
        op = Op(-1, "coupon template", Random(0))
        made: list[Any] = []
        body = {"title": title, "terms": terms, "claim_by": claim_by} | offer
        await self._head_office(op, "POST", TEMPLATES, body, accept=made.append)
        id_ = made[0]["id"]
        await self._head_office(op, "POST", f"{TEMPLATES}/{id_}/activate", None)
        face = terms["face_fen"]
        worth, counted = (face, 0) if terms.get("partial_use") else (1, face)
        self.told.offers[id_] = Offer(id_, terms, offer.get("total"), offer["per_member"], {worth}, counted)
        return self.told.offers[id_]

    async def _head_office(
        self, op: Op, method: str, path: str, body: Any, *, accept: Any = None, refusals: frozenset[str] = frozenset()
    ) -> Any:
        request = Request(self.world.admin, method, path, encode(body))
        return await self.world.ask(op, request, accept=accept, refusals=refusals)

    # -- members claim

    async def claim(self, op: Op) -> None:
        """From the centre; sometimes the same request twice at once, sometimes two of them."""
        member, offer = self.world.pick(op.random), op.random.choice(self.centre)
        key = f"c{self.world.seed}-{op.number}"
        chance = op.random.random()
        if chance < 0.15:
            await asyncio.gather(*(self.claim_one(op, member, offer, key) for _ in range(2)))
        elif chance < 0.3:
            await asyncio.gather(*(self.claim_one(op, member, offer, f"{key}-{twin}") for twin in "ab"))
        else:
            await self.claim_one(op, member, offer, key)

    async def claim_one(
        self, op: Op, member: Member, offer: Offer, key: str, *, refusals: frozenset[str] = frozenset()
    ) -> str:
        """As that member; returns the code of the refusal, or nothing."""

        def accept(answer: Any) -> None:
            self._issued(answer, member, offer, f"{member.id} {key}")

        body = {"template_id": offer.id}
        answer = await self.world.ask(op, self._claiming(member, body, key), accept=accept, refusals=TAKEN | refusals)
        return "" if answer.good else answer.code

    def _claiming(self, member: Member, body: dict[str, str], key: str) -> Request:
        return Request(member, "POST", "/v1/member/coupons/claim", encode(body), key, f"member/{member.id}")

    def _issued(self, answer: Any, member: Member, offer: Offer, by: str) -> None:
        known = self.told.pieces.get(answer["id"])
        if known is not None:  # the first answer again
            if known.by != by:
                self.world.blame(f"coupon {known.id} was given for {known.by} and for {by}")
            return
        right = answer["template_id"] == offer.id and answer["balance"] in offer.worths
        if not right or answer["state"] != "available":
            self.world.blame(f"a claim of template {offer.id} was answered {answer}")
        self.keep(Piece(answer["id"], offer, member.id, answer["balance"], by))

    def keep(self, piece: Piece) -> None:
        """A member has this from now on."""
        self.told.pieces[piece.id] = piece
        self.world.model.move(piece.member_id, coupons=piece.amount)

    # -- tills

    def taken(self, tenders: Sequence[dict[str, Any]]) -> dict[str, int]:
        """What a sale takes off its coupons' accounts, by id: what it is worth of a balance, else its one use."""
        found = {}
        for tender in tenders:
            if tender["type"] == "coupon":
                piece, fen = self.told.pieces[tender["coupon_id"]], tender["amount_fen"]
                counted = piece.offer.face_fen
                if not 0 < fen <= (counted or piece.amount) or (counted and fen != counted):
                    self.world.blame(f"coupon {piece.id} of template {piece.offer.id} took {fen} fen off a sale")
                found[piece.id] = 1 if counted else fen
        return found

    def use(self, taken: Mapping[str, int]) -> None:
        """A sale is paid that takes so much."""
        for id_, amount in taken.items():
            piece = self.told.pieces[id_]
            piece.used += amount
            self.world.model.move(piece.member_id, coupons=-amount)

    def give_back(self, returned: Sequence[dict[str, Any]]) -> dict[str, int]:
        """A refund returned these coupons, or so much of their balances; which is what it answers."""
        back = {item["id"]: item.get("amount_fen", 1) for item in returned}
        for id_, amount in back.items():
            piece = self.told.pieces[id_]
            piece.used -= amount
            self.world.model.move(piece.member_id, coupons=amount)
            if amount <= 0:
                self.world.blame(f"coupon {id_} was given back {amount}")
        return back

    async def rush(self, op: Op) -> None:
        """Head office adds three pieces, and ten members want one at the same moment."""
        async with self._raising:
            self._rush.total = (self._rush.total or 0) + PIECES_A_RUSH
            body = {"claim_by": "centre", "total": self._rush.total, "per_member": RUSH_CAP}
            await self._head_office(op, "PUT", f"{TEMPLATES}/{self._rush.id}/offer", body)
        key = f"c{self.world.seed}-{op.number}"
        members = [self.world.pick(op.random) for _ in range(RUSHERS)]
        await asyncio.gather(*(self.claim_one(op, who, self._rush, f"{key}-{n}") for n, who in enumerate(members)))

    # -- codes on paper

    async def print_codes(self, op: Op) -> None:
        """A batch, and its file, which is to be had once: where that is lost on the way, so are the codes."""
        made: list[Any] = []
        body = {"total": CODES_A_BATCH, "note": "传单"}
        await self._head_office(op, "POST", f"{TEMPLATES}/{self._paper.id}/batches", body, accept=made.append)
        path = f"{BATCHES}/{made[0]['id']}/export"
        file = await self._head_office(op, "POST", path, None, refusals=frozenset({"coupon_batch_conflict"}))
        if file.good:
            codes = [line.split(",")[0] for line in file.body.decode("utf-8-sig").splitlines()[1:]]
            if len(set(codes)) != CODES_A_BATCH:
                self.world.blame(f"a batch of {CODES_A_BATCH} has the codes {len(set(codes))}")
            self.told.printed[made[0]["id"]] = Printed(made[0]["id"], self._paper, codes)

    async def void_codes(self, op: Op) -> None:
        """Codes that were not redeemed by now never are."""
        printed = op.random.choice(list(self.told.printed.values()))

        def accept(shown: Any) -> None:
            printed.void = True

        await self._head_office(op, "POST", f"{BATCHES}/{printed.id}/void", None, accept=accept)

    async def redeem(self, op: Op) -> None:
        """A code, by one member or by two at once, or one that was redeemed before."""
        printed = op.random.choice(list(self.told.printed.values())[-3:])
        fresh = [code for code in printed.codes if code not in printed.redeemed]
        again = op.random.random() < 0.3 or not fresh
        code, key = op.random.choice(printed.codes if again else fresh), f"c{self.world.seed}-{op.number}"
        members = [self.world.pick(op.random) for _ in range(1 if op.random.random() < 0.7 else 2)]
        await asyncio.gather(*(self._redeem(op, who, printed, code, f"{key}-{n}") for n, who in enumerate(members)))

    async def _redeem(self, op: Op, member: Member, printed: Printed, code: str, key: str) -> None:
        request = self._claiming(member, {"code": code}, key)
        if printed.void or code in printed.redeemed:
            await self.world.ask_in_vain(op, request, refusals=NO_CODE)
            return

        def accept(answer: Any) -> None:
            by = f"{member.id} {key}"
            if printed.redeemed.setdefault(code, by) != by:
                self.world.blame(f"a code of batch {printed.id} was redeemed by {printed.redeemed[code]} and by {by}")
            self._issued(answer, member, printed.offer, by)

        await self.world.ask(op, request, accept=accept, refusals=NO_CODE)

    async def guess(self, op: Op) -> None:
        """Codes that nobody printed, and claims of what is not in the centre."""
        member, key = self.world.pick(op.random), f"c{self.world.seed}-{op.number}"
        code = "".join(op.random.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(20))
        body, refusal = op.random.choice(
            (
                ({"code": code}, "coupon_code_invalid"),
                ({"template_id": self._paper.id}, "coupon_not_claimable"),
                ({"template_id": "T0"}, "coupon_not_claimable"),
                ({"share_token": "none"}, "coupon_not_claimable"),
                ({}, "validation_failed"),
            )
        )
        await self.world.ask_in_vain(op, self._claiming(member, body, key), refusals=frozenset({refusal}))

    # -- looking

    async def look_around(self, op: Op) -> None:
        """The centre: what is open, and nobody had more than they may."""

        def accept(shown: Any) -> None:
            for item in shown["items"]:
                most, left = item["per_member"], item["left"]
                if item["template_id"] not in {offer.id for offer in self.centre} or (left or 0) < 0:
                    self.world.blame(f"the centre shows {item}")
                if most is not None and item["claimed"] > most:
                    self.world.blame(f"the centre says that {item['claimed']} of at most {most} were claimed")

        await self.world.ask(op, Request(self.world.pick(op.random), "GET", "/v1/member/coupon-centre"), accept=accept)

    async def list_own(self, op: Op) -> None:
        """A page of one's coupons, newest first: one's own, each once."""
        member, state = self.world.pick(op.random), op.random.choice(("available", "available", "used", "expired"))

        def accept(shown: Any) -> None:
            items = shown["items"]
            ids = [item["id"] for item in items]
            known = [self.told.pieces[id_] for id_ in ids if id_ in self.told.pieces]
            newest = all(later["issued_at"] >= earlier["issued_at"] for later, earlier in pairwise(items))
            if len(set(ids)) != len(ids) or not newest or any(piece.member_id != member.id for piece in known):
                self.world.blame(f"member {member.id} was shown the {state} coupons {items}")

        path = f"/v1/member/coupons?state={state}&limit={op.random.choice((1, 20, 100))}"
        await self.world.ask(op, Request(member, "GET", path), accept=accept)

    async def spy(self, op: Op) -> None:
        """A coupon in detail: its member sees it, nobody else does."""
        if not self.told.pieces:
            return
        piece = op.random.choice(list(self.told.pieces.values())[-300:])
        member = self.world.pick(op.random)
        if member.id != piece.member_id:
            request = Request(member, "GET", f"/v1/member/coupons/{piece.id}")
            await self.world.ask_in_vain(op, request, refusals=frozenset({"not_found"}))

    # -- head office

    async def change_terms(self, op: Op) -> None:
        """Another face from now on; what was issued keeps its own."""
        face = op.random.choice(FACES_FEN)
        self._value.worths.add(face)
        body = {"terms": self._value.terms | {"face_fen": face}}
        await self._head_office(op, "POST", f"{TEMPLATES}/{self._value.id}/versions", body)

    async def hand_out(self, op: Op) -> None:
        """One each to a list; its key is not a member's, so it is not compared with the keys of the books."""
        members = frozenset(self.world.pick(op.random).id for _ in range(5))
        body = encode({"member_ids": [str(id_) for id_ in sorted(members)]})
        path, key = f"{TEMPLATES}/{self._staff.id}/handouts", f"c{self.world.seed}-{op.number}"
        answer = await self.world.send_until_decided(op, Request(self.world.admin, "POST", path, body, key, "staff"))
        if answer.good:
            self.told.handed[answer.json["id"]] = members
        else:
            self.world.blame(f"a handout was answered {answer.status} {answer.code}")

    # -- what must hold

    async def settle(self) -> None:
        """Everybody takes what is left of the rush: what is sold out then was sold to the last piece."""
        if not self._quiet:
            self._quiet = True
            await asyncio.sleep(SEEN_AFTER_S)
            for member in self.world.members:
                op = Op(-1, "coupon claim", Random(0))
                if await self.claim_one(op, member, self._rush, f"c{self.world.seed}-last-{member.number}") == SOLD_OUT:
                    self.told.sold_out.add(self._rush.id)
                    break

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """What came by a list, came to somebody on it; what expired is shown so in the end."""
        for row in map(Row._make, books.facts["coupons"]):
            if row.brought and row.id not in self.told.pieces:  # that it was another's before: compare
                self._keep(row, f"a merge {row.id}")
            if row.id not in self.told.pieces and not row.source.startswith((CLAIM, CODE, SALE, FRIEND, REWARD)):
                right = row.member_id in self.told.handed.get(row.source.removeprefix(STAFF), ())
                yield from self.adopt(row, right=right)
            gone = row.given or row.carried
            if final and not books.events and row.expired and not gone and row.ended_as != "expired":
                yield f"coupon {row.id} expired and is noted as {row.ended_as}"

    def compare(self, books: Books, *, final: bool) -> Iterator[str]:
        """Everything that was acknowledged with everything stored, once sales and gifts are known."""
        before = local_date(self._now() - JOB_LATE) if final else None
        yield from compare(self.told, books.facts, ended_before=before, person=self.world.person)

    def adopt(self, row: Row, *, right: bool) -> Iterator[str]:
        """Take a coupon that nobody asked for as acknowledged; it must have come rightly, and once for its reason."""
        reason = row.source if row.source.startswith(SALE) else f"{row.source} {row.member_id}"
        if not right or self.told.gifts.setdefault(reason, row.id) != row.id:
            yield f"coupon {row.id} of member {row.member_id} came for {row.source}"
        self._keep(row, reason)

    def _keep(self, row: Row, reason: str) -> None:
        offer, amount = self.told.offers.get(row.template_id), row.issued + row.brought
        if offer is not None and (row.brought or amount in offer.worths):
            self.keep(Piece(row.id, offer, row.member_id, amount, reason))
