"""What ``bench claims`` prints."""

from __future__ import annotations

import msgspec
from rich.console import Console

from .claims import GOAL_S, Outcome


def show(outcome: Outcome, out: Console) -> None:
    """How many were issued, how many refused, how soon; and whether all books agree."""
    driven, issued = outcome.driven, outcome.issued
    half, _, most, longest = driven.latencies_ms
    refused = ", ".join(f"{count:,} × {status}" for status, count in sorted(driven.statuses.items())) or "none"
    out.print()
    out.print(
        f"{outcome.claims:,} claims by {outcome.members:,} members of {outcome.total:,} coupons, "
        f"{outcome.connections:,} phones at once, {outcome.workers} server process(es)"
    )
    out.print(f"issued {driven.accepted:,} (201), refused {refused}")
    out.print(
        f"by the ledger {issued.booked:,}, rows {issued.rows:,}, counted {issued.counted:,}, "
        f"at most {issued.most} of one member"
    )
    out.print(
        f"all answered after {driven.seconds:.2f} s ({driven.answered / driven.seconds:,.0f} a second); "
        f"p50 {half:.0f} ms, p99 {most:.0f} ms, longest {longest:.0f} ms"
    )
    _verdict(out, "exactly as many as there were", met=outcome.exact)
    _verdict(out, f"{driven.seconds:.2f} s; goal < {GOAL_S:.0f} s", met=driven.seconds < GOAL_S)
    verdict = "the books balance" if not outcome.findings else f"{outcome.findings} FINDINGS"
    out.print(f"Audit of {outcome.audited:,} members: {verdict}")


def _verdict(out: Console, text: str, *, met: bool) -> None:
    out.print(f"{'[green]reached[/]' if met else '[red]missed[/]'}: {text}")


def as_json(outcome: Outcome) -> dict[str, object]:
    """Everything, for a file."""
    found: dict[str, object] = msgspec.to_builtins(outcome)
    return found | {"exact": outcome.exact}
