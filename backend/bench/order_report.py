"""What ``bench order`` prints."""

from __future__ import annotations

import msgspec
from rich.console import Console

from .order import GOAL_PER_S, GOAL_TIMES, Flash, Outcome
from .runs import Served


def show(outcome: Outcome, out: Console) -> None:
    """Orders a second and how long they took; what the flash sale sold; and whether all books agree."""
    out.print()
    if outcome.served is not None:
        _orders(outcome, outcome.served, out)
    if outcome.flash is not None:
        _flash(outcome.flash, outcome.workers, out)
    verdict = "the books balance" if not outcome.findings else f"{outcome.findings} FINDINGS"
    out.print(f"Audit of {outcome.audited:,} members: {verdict}")


def _orders(outcome: Outcome, served: Served, out: Console) -> None:
    half, most, rare, longest = served.driven.latencies_ms
    out.print(
        f"{served.driven.accepted:,} orders placed and paid by {outcome.members:,} members, "
        f"{outcome.connections} phones at once, {outcome.workers} server process(es); each after a call to the cart"
    )
    out.print(
        f"{served.per_second:,.0f} orders a second; p50 {half:.1f} ms, p95 {most:.1f} ms, p99 {rare:.1f} ms, "
        f"longest {longest:.0f} ms; processor time {served.cost_us / 1000:.2f} ms an order, clients included; "
        f"others took {served.others:.0%} of the machine"
    )
    _verdict(
        out, f"{served.per_second:,.0f} orders a second; goal > {GOAL_PER_S:.0f}", met=served.per_second > GOAL_PER_S
    )


def _flash(flash: Flash, workers: int, out: Console) -> None:
    driven, sold = flash.driven, flash.sold
    refused = ", ".join(f"{count:,} × {status}" for status, count in sorted(driven.statuses.items())) or "none"
    when = f"within {flash.within_s:g} s" if flash.within_s else "as fast as they can"
    out.print(
        f"flash sale: {flash.total:,} pieces, {driven.answered:,} buyers {when}, {flash.connections:,} phones at once, "
        f"{workers} server process(es): sold {driven.accepted:,} (201), refused {refused}"
    )
    out.print(
        f"gone from the shelf {sold.pieces:,}, left {sold.left:,}, orders {sold.orders:,}, "
        f"members paid ¥{sold.booked_fen / 100:,.2f} of ¥{sold.paid_fen / 100:,.2f}"
    )
    out.print(
        f"sold after {driven.last_accepted_s:.2f} s, all answered after {driven.seconds:.2f} s "
        f"({driven.answered / driven.seconds:,.0f} a second); others took {flash.others:.0%} of the machine"
    )
    for who, watched in (("product page", flash.page), ("sale at a till", flash.tills)):
        out.print(
            f"{who}: p95 {watched.idle_ms:.1f} ms idle, {watched.selling_ms(driven):.1f} ms until all was sold "
            f"({watched.times(driven):.1f} times), {watched.meanwhile.latencies_ms[1]:.1f} ms over "
            f"{watched.meanwhile.seconds:.0f} s; {watched.meanwhile.answered:,} in all, "
            f"{watched.meanwhile.answered - watched.meanwhile.accepted:,} refused"
        )
    _verdict(out, "exactly as many as there were", met=flash.exact)
    _verdict(
        out, f"the page's p95 is {flash.times:.1f} times its own; goal < {GOAL_TIMES:.0f}", met=flash.times < GOAL_TIMES
    )


def _verdict(out: Console, text: str, *, met: bool) -> None:
    out.print(f"{'[green]reached[/]' if met else '[red]missed[/]'}: {text}")


def as_json(outcome: Outcome) -> dict[str, object]:
    """Everything, for a file."""
    found: dict[str, object] = msgspec.to_builtins(outcome)
    return found
