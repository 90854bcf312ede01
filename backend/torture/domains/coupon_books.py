"""Coupons as they were acknowledged, and as they are stored: whether the two agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

CLAIM, CODE, SALE, STAFF, FRIEND, REWARD = "claim", "code", "auto:sale:", "staff:", "gift:", "stamps:"
"""How a coupon came to be, as its row says it."""

FACTS = {
    "coupons": """
SELECT c.id, c.member_id, c.template_id, c.source, c.expires_on, c.ended_as,
       coalesce(b.times, 0), coalesce(b.issued, 0)::bigint, coalesce(b.expired, 0)::bigint, b.expired_at,
       coalesce(b.given, 0)::bigint, coalesce(b.voided, 0)::bigint, coalesce(b.brought, 0)::bigint,
       coalesce(b.carried, 0)::bigint
  FROM coupon c LEFT JOIN (
    SELECT e.member_id, e.ref,
           count(*) FILTER (WHERE t.kind IN ('coupon_issue', 'coupon_received')) AS times,
           sum(e.amount) FILTER (WHERE t.kind IN ('coupon_issue', 'coupon_received')) AS issued,
           -sum(e.amount) FILTER (WHERE t.kind = 'coupon_given') AS given,
           -sum(e.amount) FILTER (WHERE t.kind = 'coupon_void') AS voided,
           sum(e.amount) FILTER (WHERE t.kind = 'merged' AND e.amount > 0) AS brought,
           -sum(e.amount) FILTER (WHERE t.kind = 'merged' AND e.amount < 0) AS carried,
           -sum(e.amount) FILTER (WHERE t.kind = 'coupon_expiry') AS expired,
           max(e.at) FILTER (WHERE t.kind = 'coupon_expiry') AS expired_at
      FROM ledger_entry e JOIN ledger_transfer t USING (member_id, seq)
     WHERE e.kind IN ('coupon', 'coupon_held') GROUP BY 1, 2) b ON b.member_id = c.member_id AND b.ref = c.id""",
    "coupons carried": """
SELECT t.document_id, e.member_id, e.ref, sum(e.amount)::bigint, count(*) FILTER (WHERE e.amount > 0)
  FROM ledger_entry e JOIN ledger_transfer t USING (member_id, seq)
 WHERE e.kind = 'coupon' AND t.kind = 'merged' GROUP BY t.document_id, e.member_id, e.seq, e.ref""",
    "coupon accounts": """
SELECT ref, member_id, sum(balance)::bigint FROM ledger_account
 WHERE kind IN ('coupon', 'coupon_held') GROUP BY 1, 2""",
    "coupon templates": """
SELECT t.id, t.total, t.issued, t.reserved,
       (SELECT count(*) FROM ledger_entry e WHERE e.kind = 'house.coupons_issued' AND e.ref = t.id),
       (SELECT coalesce(sum(value), 0)::bigint FROM ledger_guard g WHERE g.name = 'coupons:' || t.id
           AND NOT EXISTS (SELECT FROM merging_merge m WHERE m.source_id = g.member_id))
  FROM coupon_template t""",
    "coupon codes": """
SELECT b.id, b.template_id, b.state, b.total, b.claimed, count(c.claimed_by)
  FROM coupon_batch b LEFT JOIN coupon_code c ON c.batch_id = b.id GROUP BY b.id""",
    "coupons due": "SELECT reason FROM coupon_due",
    "rewards to take back": """
SELECT id FROM procrastinate_jobs WHERE task_name = 'coupons.take_back_rewards' AND status IN ('todo', 'doing')""",
}


class Row(NamedTuple):
    """A stored coupon: how often and with what it was issued, and what its end, a friend and a refund took of it.

    ``brought``: what it began with where a merge made it of another's; ``carried``: what merges took of it.
    """

    id: str
    member_id: int
    template_id: str
    source: str
    expires_on: date | None
    ended_as: str | None
    times: int
    issued: int
    expired: int
    expired_at: datetime | None
    given: int = 0
    voided: int = 0
    brought: int = 0
    carried: int = 0


class Counts(NamedTuple):
    """What a template counts itself, how many issues the books hold, and what the members' counters make."""

    id: str
    total: int | None
    issued: int
    reserved: int
    booked: int
    counted: int


class Batch(NamedTuple):
    """A batch of codes: what it counts itself, and how many of its codes are marked as redeemed."""

    id: str
    template_id: str
    state: str
    total: int
    claimed: int
    marked: int


@dataclass
class Offer:
    """A template as head office made it. ``worths`` are what its coupons may begin with, by all of its versions.

    ``face_fen``: what one that is used once takes off a sale; 0 for a value coupon.
    """

    id: str
    terms: dict[str, object]
    total: int | None
    cap: int | None
    worths: set[int]
    face_fen: int = 0


@dataclass
class Piece:
    """A coupon as it was acknowledged; ``by`` is the request that it answers.

    ``used`` is what sales took and kept of it, ``given`` what friends got.
    """

    id: str
    offer: Offer
    member_id: int
    amount: int
    by: str
    used: int = 0
    given: int = 0

    @property
    def left(self) -> int:
        """What it holds, before its end."""
        return self.amount - self.used - self.given


@dataclass
class Given:
    """A gift that was acknowledged; a friend has it as ``received``, or its giver was told that it is back."""

    id: str
    token: str
    piece: Piece
    received: str = ""
    taken_back: bool = False


@dataclass
class Printed:
    """A batch of codes in somebody's hand. ``void``: head office was told so; ``redeemed``: a code's only request."""

    id: str
    offer: Offer
    codes: list[str]
    void: bool = False
    redeemed: dict[str, str] = field(default_factory=dict)


@dataclass
class Told:
    """Everything that was acknowledged.

    ``handed`` is who is on a list, ``gifts`` what came unasked, by its reason, ``given`` what was offered to friends.
    """

    offers: dict[str, Offer] = field(default_factory=dict)
    pieces: dict[str, Piece] = field(default_factory=dict)
    printed: dict[str, Printed] = field(default_factory=dict)
    handed: dict[str, frozenset[int]] = field(default_factory=dict)
    gifts: dict[str, str] = field(default_factory=dict)
    given: dict[str, Given] = field(default_factory=dict)
    sold_out: set[str] = field(default_factory=set)


_BEIJING = timedelta(hours=8)


def local_date(at: datetime) -> date:
    """The chain's day."""
    return (at.astimezone(UTC) + _BEIJING).date()


def compare(
    told: Told,
    facts: Mapping[str, Sequence[Sequence[Any]]],
    *,
    ended_before: date | None,
    person: Callable[[int], int] = int,
) -> Iterator[str]:
    """What does not agree, in words. Whose last day was before ``ended_before`` must hold nothing any more.

    ``person``: the number under which somebody goes on who was merged.
    """
    rows = {row[0]: Row(*row) for row in facts["coupons"]}
    held = {row[0]: row for row in facts["coupon accounts"]}
    for id_ in told.pieces.keys() - rows.keys():
        yield f"coupon {id_} was acknowledged and is not stored"
    for id_ in held.keys() - rows.keys():
        yield f"coupon {id_} has an account and no row"
    for row in rows.values():
        piece = told.pieces.get(row.id)
        _, holder, left = held.get(row.id, ("", row.member_id, 0))
        if piece is None:
            yield f"coupon {row.id} of member {row.member_id} by {row.source} was never acknowledged"
        elif holder != row.member_id or not _is_same(row, piece, person):
            yield f"coupon {row.id} is stored as {row}, acknowledged was {piece}"
        elif (row.times, row.issued + row.brought) != (0 if row.brought else 1, piece.amount):
            yield f"coupon {row.id} was issued {row.times} times with {row.issued}, acknowledged was {piece.amount}"
        else:
            yield from _worth(row, piece, left, ended_before)
    yield from _carried(facts, rows, person)
    yield from _templates(told, facts, [row for row in rows.values() if not row.brought])
    yield from _codes(told, facts)


def _is_same(row: Row, piece: Piece, person: Callable[[int], int]) -> bool:
    return (person(row.member_id), row.template_id) == (person(piece.member_id), piece.offer.id)


def _carried(
    facts: Mapping[str, Sequence[Sequence[Any]]], rows: Mapping[str, Row], person: Callable[[int], int]
) -> Iterator[str]:
    """What a merge takes of one it brings to the other: piece by piece as much, of the same terms and last day."""
    between = Counter[tuple[Any, ...]]()
    for merge_id, member_id, coupon_id, amount, made in facts.get("coupons carried", ()):
        row = rows.get(coupon_id)
        if row is None or made != (amount > 0):
            yield f"merge {merge_id} moved {amount} of coupon {coupon_id} of member {member_id}"
        else:
            terms = (row.template_id, row.source, row.expires_on)
            between[merge_id, person(member_id), *terms, abs(amount)] += 1 if amount > 0 else -1
    for what, count in between.items():
        if count:
            yield f"a merge {'brought' if count > 0 else 'took'} {abs(count)} coupons too many: {what}"


def _worth(row: Row, piece: Piece, left: int, ended_before: date | None) -> Iterator[str]:
    """Nothing is lost but by sales and by its end, which comes after its last day."""
    if not 0 <= piece.used <= piece.amount - piece.given:  # only at rest: answers overtake each other
        yield f"coupon {row.id} of {piece.amount} was used for {piece.used} and given for {piece.given}"
    if row.given != piece.given:
        yield f"coupon {row.id} was given for {row.given}, acknowledged was {piece.given}"
    if left != piece.left - row.expired - row.voided - row.carried:
        yield (
            f"coupon {row.id} holds {left} of {piece.amount}, {row.expired} expired, {piece.used} were used,"
            f" {piece.given} given and {row.voided} made void, {row.carried} went to whom they were merged into"
        )
    if row.expired and (
        row.expires_on is None or row.expired_at is None or local_date(row.expired_at) <= row.expires_on
    ):
        yield f"coupon {row.id} is good until {row.expires_on} and expired at {row.expired_at}"
    if ended_before is not None and left and row.expires_on is not None and row.expires_on < ended_before:
        yield f"coupon {row.id} was good until {row.expires_on} and still holds {left}"


def _templates(told: Told, facts: Mapping[str, Sequence[Sequence[Any]]], rows: Any) -> Iterator[str]:
    """Each counts what there is; never more than its total, nor more than its cap to one member.

    What a friend received is booked as issued, and counts for nothing else.
    """
    own = [row for row in rows if not row.source.startswith(FRIEND)]
    issued, booked = (Counter(row.template_id for row in some) for some in (own, rows))
    each = Counter((row.template_id, row.member_id) for row in own)
    kept: Counter[str] = Counter()
    for batch in map(Batch._make, facts["coupon codes"]):
        kept[batch.template_id] += batch.total - batch.claimed if batch.state != "void" else 0
    for counts in map(Counts._make, facts["coupon templates"]):
        offer, there = told.offers.get(counts.id), issued[counts.id]
        if (counts.issued, counts.booked, counts.counted) != (there, booked[counts.id], there):
            yield f"template {counts.id}: {there} coupons, but {counts}"
        if counts.reserved != kept[counts.id]:
            yield f"template {counts.id}: {counts.reserved} are kept for {kept[counts.id]} codes"
        if offer is None:
            continue
        if offer.total is not None and (
            counts.total is None or there + counts.reserved > min(offer.total, counts.total)
        ):
            yield f"template {counts.id}: {there} issued and {counts.reserved} kept of {offer.total}"
        if offer.id in told.sold_out and there + counts.reserved != counts.total:
            yield f"template {counts.id}: sold out with {there} issued and {counts.reserved} kept of {counts.total}"
    for (template_id, member_id), count in each.items():
        offer = told.offers.get(template_id)
        if offer is not None and offer.cap is not None and count > offer.cap:
            yield f"template {template_id}: member {member_id} has {count}, at most {offer.cap} may be"


def _codes(told: Told, facts: Mapping[str, Sequence[Sequence[Any]]]) -> Iterator[str]:
    """Each code that is marked was acknowledged as redeemed, and the other way round."""
    for batch in map(Batch._make, facts["coupon codes"]):
        printed = told.printed.get(batch.id)
        redeemed = len(printed.redeemed) if printed is not None else 0
        if (batch.claimed, batch.marked) != (redeemed, redeemed):
            yield f"batch {batch.id}: {redeemed} codes were acknowledged as redeemed, stored is {batch}"
        if printed is not None and printed.void and batch.state != "void":
            yield f"batch {batch.id} was made void and is {batch.state}"
