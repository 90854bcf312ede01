"""``huiyuan bench``: one command a benchmark; each imports what it measures when it runs."""

from __future__ import annotations

import asyncio
import json as jsonlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from backend.bench.attack import Outcome as AttackOutcome
    from backend.bench.settle import Bench, Options, Outcome

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

# A till of the benchmark is a whole shop in a hurry.
_SHOP_IN_A_HURRY = {"HUIYUAN_RATE_TERMINAL_PER_MINUTE": "1000000"}

# The phones of the benchmark are all at one address.
_MANY_PHONES = {"HUIYUAN_RATE_MEMBER_PER_MINUTE": "1000000", "HUIYUAN_RATE_ANONYMOUS_PER_MINUTE": "1000000"}


def _can_be_written(file: Path | None) -> Path | None:
    """Told before anything is measured, not after it."""
    if file is not None and not os.access(file if file.exists() else file.parent, os.W_OK):
        raise typer.BadParameter(f"{file} cannot be written")
    return file


Json = Annotated[
    Path | None,
    typer.Option(help="Also write everything measured to this file.", dir_okay=False, callback=_can_be_written),
]


@app.callback()
def main() -> None:
    """Measure the running program."""


@app.command()
def settle(
    *,
    seconds: Annotated[float, typer.Option(min=1, max=25, help="Length of a run; codes live 30 s.")] = 20,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="Runs of each; medians count.")] = 3,
    connections: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Tills at once; else the best of 32, 64, 128 and 256.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes.")] = 1,
    data: Annotated[Path | None, typer.Option(help="Where the engines keep their files; a temporary place.")] = None,
    coupons: Annotated[bool, typer.Option("--coupons", help="Beside sales with a coupon each, instead.")] = False,
    json: Json = None,
) -> None:
    """Sales settled a second over HTTP, beside what PostgreSQL alone does with the same plans (pgbench)."""
    if coupons:
        from backend.bench import with_coupons

        from . import with_coupons as command

        chosen = with_coupons.Options(seconds=seconds, rounds=rounds, connections=connections or 128)
        raise typer.Exit(command.run(chosen, workers, data, json))
    from backend.bench.settle import CONNECTIONS, Options

    tills = (connections,) if connections else CONNECTIONS
    outcome = _settle(Options(seconds=seconds, rounds=rounds, connections=tills), workers, data)
    if outcome is None:
        raise typer.Exit(130)
    from backend.bench import report

    from .console import out

    report.show(outcome, out)
    if json is not None:
        json.write_text(jsonlib.dumps(report.as_json(outcome), indent=2) + "\n")
    if outcome.findings or outcome.failures:
        raise typer.Exit(1)


@app.command()
def grow(
    *,
    members: Annotated[int, typer.Option(min=100, max=10_000_000, help="Members in the end.")] = 1_000_000,
    entries: Annotated[int, typer.Option(min=1000, max=200_000_000, help="Their entries, about.")] = 20_000_000,
    few: Annotated[int, typer.Option(min=50, max=100_000, help="Members at first: those who buy and look.")] = 20_000,
    seconds: Annotated[float, typer.Option(min=1, max=25, help="Length of a run; codes live 30 s.")] = 8,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="Runs of each path; medians count.")] = 3,
    connections: Annotated[int, typer.Option(min=1, max=1024, help="Clients that ask at once.")] = 32,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes.")] = 1,
    audit_every: Annotated[int, typer.Option(min=1, help="Prove the books of one in so many members.")] = 20,
    data: Annotated[Path | None, typer.Option(help="Where the engines keep their files; a temporary place.")] = None,
    json: Json = None,
) -> None:
    """Fill the books with a million members' past, and see what that leaves of each path's speed.

    Takes about half an hour and 35 GB of disk, which are given back at the end; Ctrl-C gives them back too.
    """
    from backend.bench.growth import Options

    from . import growth

    options = Options(
        members=max(members, few), entries=entries, few=few, seconds=seconds, rounds=rounds, connections=connections,
        audit_every=audit_every,
    )  # fmt: skip
    raise typer.Exit(growth.run(options, workers, data, json))


@app.command("all")
def every(
    *,
    seconds: Annotated[float, typer.Option(min=1, max=15, help="Length of a run.")] = 4,
    connections: Annotated[int, typer.Option(min=1, max=1024, help="Clients that ask at once.")] = 32,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes.")] = 1,
    members: Annotated[int, typer.Option(min=100, max=1_000_000, help="Members to load.")] = 5000,
    only: Annotated[list[str] | None, typer.Option(help="Only these paths, by commas.")] = None,
    sockets: Annotated[int, typer.Option(min=0, max=8000, help="Live sockets to open, in two steps.")] = 2000,
    data: Annotated[Path | None, typer.Option(help="Where the engines keep their files; a temporary place.")] = None,
    json: Json = None,
) -> None:
    """Every path beside its floor (its bare statements by pgbench), in one table; memory; the books."""
    from backend.bench import overview

    from . import overview as command

    try:
        names = overview.chosen_names(only or [])
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--only") from None
    steps = tuple(sorted({0, sockets // 2, sockets}))
    if sockets > members:
        raise typer.BadParameter("each socket needs a member of its own", param_hint="--sockets")
    options = overview.Options(seconds=seconds, connections=connections, members=members, only=names, sockets=steps)
    raise typer.Exit(command.run(options, workers, data, json))


@app.command()
def laps(
    *, data: Annotated[Path | None, typer.Option(help="Where the engines keep their files; a temporary place.")] = None
) -> None:
    """Where ledger_post spends its time, part by part: a sale alone, and in a batch."""
    from backend.bench import report
    from backend.bench.laps import measure

    from .console import out, step
    from .running import running

    try:
        with running(data, 1) as system, step("Post sales with a clock between the parts") as say:
            parts = asyncio.run(measure(system.settings, say))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    out.print()
    out.print(report.laps(parts))


def _settle(options: Options, workers: int, data: Path | None) -> Outcome | None:
    """The runs on a system of their own. None when it was interrupted."""
    from backend.bench.settle import Bench

    from .running import running

    try:
        with running(data, workers, _SHOP_IN_A_HURRY) as system:
            return _measure(Bench(system, options), options, workers)
    except KeyboardInterrupt:
        return None


def _measure(bench: Bench, options: Options, workers: int) -> Outcome:
    from backend.bench.settle import Outcome

    from .console import step

    with step("Load the chain and the first members") as say:
        asyncio.run(bench.load_first(say))
    with step("Try the server") as say:
        served = bench.calibrate_server(say)
    with step("Try pgbench with 8, 16 and 32 clients") as say:
        tried = asyncio.run(bench.calibrate_floor(say))
    clients = max(tried, key=lambda number: tried[number])
    # A first try on a busy machine says little; the floor is a bound.
    expected = max(served[bench.connections], tried[clients])
    with step("Load the other members") as say:
        asyncio.run(bench.load_rest(expected, say))
    outcome = Outcome(
        options=options, workers=workers, cpus=os.cpu_count() or 1, members=bench.members,
        connections=bench.connections, tried=served, calibration=dict(tried),
    )  # fmt: skip
    with step("One till alone") as say:
        outcome.lone = bench.lone_sale(say)
    for number in range(1, options.rounds + 1):
        with step(f"Run {number} of {options.rounds}: the server") as say:
            outcome.served.append(bench.serve(say, seconds=options.seconds, expected=expected))
        with step(f"Run {number} of {options.rounds}: pgbench") as say:
            floor = asyncio.run(bench.post(say, clients=clients, seconds=options.seconds, expected=tried[clients]))
            outcome.floors.append(floor)
            tried[clients] = max(tried[clients], floor.per_second)
    with step("Both in turn at half of the server's rate") as say:
        outcome.half = bench.half(say, rate=outcome.server_median / 2, clients=clients)
    with step("Check the books") as say:
        outcome.findings, outcome.audited = asyncio.run(bench.system.audit(say))
    return outcome


@app.command()
def combine(
    *,
    wallets: Annotated[int, typer.Option(min=10, max=100_000, help="Wallets of each family.")] = 500,
    json: Json = None,
) -> None:
    """The best set of coupons: 20 coupons × 30 lines, usual wallets and nasty ones; CPU time, and what is proven."""
    from rich.table import Column, Table

    from backend.bench import combine as bench

    from .console import err, out

    found = bench.measure(wallets, err.print)
    numbers = ("p50 ms", "p99 ms", f"≤ {bench.GOAL_MS:g} ms", "most off", "best")
    columns = [Column(name, justify="right", no_wrap=True) for name in numbers]
    table = Table("wallet", *columns, box=None, pad_edge=False)
    for number, row in enumerate(bench.rows(found)):
        table.add_row(*row, style=None if found[number].usual else "dim")
    out.print(table)
    out.print(bench.verdict(found))
    if json is not None:
        json.write_text(jsonlib.dumps(bench.as_json(found), indent=2) + "\n")


@app.command()
def statements(
    *,
    uses: Annotated[int, typer.Option(min=1000, max=20_000_000, help="Uses of coupons within a year.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="How often each statement is read.")] = 3,
    data: Annotated[Path | None, typer.Option(help="Where the engines keep their files; a temporary place.")] = None,
    json: Json = None,
) -> None:
    """Statements of coupons with a million uses in the books; exit code 1 where a month takes longer than 2 s."""
    from backend.bench.coupon_uses import Options

    from . import coupon_uses

    raise typer.Exit(coupon_uses.run(Options(uses=uses, rounds=rounds), data, json))


@app.command()
def contact(
    *,
    entries: Annotated[
        int, typer.Option(min=100, max=1_000_000, help="Entries of the member who is looked up.")
    ] = 10_000,
    members: Annotated[int, typer.Option(min=10, max=100_000, help="Members of the chain.")] = 2_000,
    requests: Annotated[int, typer.Option(min=20, max=10_000, help="Cards, one after the other.")] = 400,
    data: Annotated[Path | None, typer.Option(help="Where the engines keep their files; a temporary place.")] = None,
    json: Json = None,
) -> None:
    """A contact card whose member has 10,000 entries; exit code 1 where 5 of 100 take longer than 30 ms."""
    from backend.bench.contact import Options

    from . import contact as command

    raise typer.Exit(command.run(Options(entries=entries, members=members, requests=requests), data, json))


@app.command()
def finding(
    *,
    members: Annotated[int, typer.Option(min=1_000, max=10_000_000, help="Members of the chain.")] = 1_000_000,
    requests: Annotated[int, typer.Option(min=20, max=10_000, help="First pages of each filter.")] = 60,
    data: Annotated[Path | None, typer.Option(help="Where the engines keep their files; a temporary place.")] = None,
    json: Json = None,
) -> None:
    """First pages of filters over a million members; exit code 1 where 5 of 100 of one take longer than 50 ms."""
    from backend.bench.finding import Options

    from . import finding as command

    raise typer.Exit(command.run(Options(members=members, requests=requests), data, json))


@app.command()
def claims(
    *,
    count: Annotated[
        int, typer.Option("--claims", min=1, max=1_000_000, help="Claims, each with a key of its own.")
    ] = 10_000,
    members: Annotated[int, typer.Option(min=1, max=1_000_000, help="Members who claim, in turn.")] = 10_000,
    total: Annotated[int, typer.Option(min=1, max=1_000_000, help="Coupons that there are.")] = 100,
    connections: Annotated[int, typer.Option(min=1, max=8000, help="Phones that ask at once.")] = 1000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes.")] = 1,
    data: Annotated[Path | None, typer.Option(help="Where the engines keep their files; a temporary place.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write everything measured to this file.")] = None,
) -> None:
    """Many members claim few coupons at once: exactly so many are issued, and how soon all are answered."""
    from backend.bench import claims_report
    from backend.bench.claims import Bench as Claims
    from backend.bench.claims import Outcome as ClaimsOutcome

    from .console import out, step
    from .running import running

    try:
        with running(data, workers, _MANY_PHONES) as system:
            bench = Claims(system, claims=count, members=members, total=total, connections=connections)
            with step("Load the chain, its members and the template") as say:
                asyncio.run(bench.load(say))
            with step("Claim") as say:
                driven = bench.run(say)
            outcome = ClaimsOutcome(
                claims=count, members=members, total=total, connections=connections, workers=workers, driven=driven,
                issued=asyncio.run(bench.issued()),
            )  # fmt: skip
            with step("Check the books") as say:
                outcome.findings, outcome.audited = asyncio.run(system.audit(say))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    claims_report.show(outcome, out)
    if json is not None:
        json.write_text(jsonlib.dumps(claims_report.as_json(outcome), indent=2) + "\n")
    if outcome.findings or not outcome.exact or outcome.refused_otherwise:
        raise typer.Exit(1)


@app.command()
def order(
    *,
    seconds: Annotated[float, typer.Option(min=1, max=120, help="How long orders are placed.")] = 10,
    members: Annotated[int, typer.Option(min=10, max=1_000_000, help="Members who buy, six times at most.")] = 3000,
    connections: Annotated[int, typer.Option(min=1, max=8000, help="Phones that ask at once.")] = 64,
    flash: Annotated[bool, typer.Option("--flash", help="Then a flash sale, and the product page meanwhile.")] = False,
    buyers: Annotated[int, typer.Option(min=1, max=1_000_000, help="Who wants a piece of it.")] = 20_000,
    total: Annotated[int, typer.Option(min=1, max=1_000_000, help="Pieces that there are.")] = 1000,
    phones: Annotated[int, typer.Option(min=1, max=8000, help="Buyers who ask at once.")] = 1000,
    within: Annotated[float, typer.Option(min=0, max=60, help="Seconds in which they all come; 0: at once.")] = 20,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes.")] = 1,
    data: Annotated[Path | None, typer.Option(help="Where the engines keep their files; a temporary place.")] = None,
    json: Json = None,
) -> None:
    """Carts become orders that a coupon and stored value pay; and a flash sale sells exactly what there is."""
    from backend.bench import order_report
    from backend.bench.order import Bench as Orders
    from backend.bench.order import Outcome as OrdersOutcome

    from .console import out, step
    from .running import running

    try:
        with running(data, workers, _MANY_PHONES) as system:
            members = max(members, buyers) if flash else members
            bench = Orders(system, members=members, connections=connections)
            outcome = OrdersOutcome(workers=workers, members=members, connections=connections)
            with step("Load the chain, its shelves and its members") as say:
                asyncio.run(bench.load(say, flash=total if flash else 0))
            with step("Warm up") as say:
                warm = bench.place(say, seconds=2, expected=1500)
            with step("Place orders") as say:
                outcome.served = bench.place(say, seconds=seconds, expected=warm.per_second * 1.5)
            if flash:
                with step("Flash sale") as say:
                    outcome.flash = bench.flash(say, buyers=buyers, total=total, connections=phones, within_s=within)
            with step("Check the books") as say:
                outcome.findings, outcome.audited = asyncio.run(system.audit(say))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    order_report.show(outcome, out)
    if json is not None:
        json.write_text(jsonlib.dumps(order_report.as_json(outcome), indent=2) + "\n")
    if outcome.findings or outcome.failures or (outcome.flash is not None and not outcome.flash.exact):
        raise typer.Exit(1)


@app.command()
def attack(
    *,
    seconds: Annotated[float, typer.Option(min=2, max=60, help="How long the shop is measured each time.")] = 15,
    only: Annotated[list[str] | None, typer.Option(help="This attack alone; may be given again.")] = None,
    line_mbit: Annotated[
        int, typer.Option(min=0, help="What the attackers' line carries, Mbit/s; 0: as fast as this machine sends.")
    ] = 1_000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes.")] = 1,
    data: Annotated[Path | None, typer.Option(help="Where the engines keep their files; a temporary place.")] = None,
    json: Json = None,
) -> None:
    """What an honest shop sees, and the memory the servers hold, while they are attacked on this machine."""
    from backend.bench.attackers import ATTACKS

    if unknown := set(only or ()) - set(ATTACKS):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: choose from {', '.join(ATTACKS)}")
    outcome = _attack(only or list(ATTACKS), seconds, line_mbit, workers, data)
    if outcome is None:
        raise typer.Exit(130)
    from backend.bench import attack_report

    from .console import out

    attack_report.show(outcome, out)
    if json is not None:
        json.write_text(jsonlib.dumps(attack_report.as_json(outcome), indent=2) + "\n")
    if outcome.findings or outcome.errors:
        raise typer.Exit(1)


def _attack(names: list[str], seconds: float, line_mbit: int, workers: int, data: Path | None) -> AttackOutcome | None:
    """Production's limits: the shop is small. None when it was interrupted."""
    from backend.bench.attack import WARM_UP_S, Bench
    from backend.bench.attack import Outcome as AttackOutcome

    from .console import step
    from .running import running

    try:
        with running(data, workers) as system:
            bench = Bench(system, seconds=seconds, line_mbit=line_mbit)
            outcome = AttackOutcome(seconds=seconds, workers=workers, line_mbit=line_mbit)
            with step("Load the chain and its members") as say:
                asyncio.run(bench.load(say))
            with step("Warm up"):
                bench.alone(seconds=WARM_UP_S)
            with step("The shop alone"):
                outcome.idle.append(bench.alone())
            for name in names:
                with step(f"Under attack: {name}"):
                    outcome.rows.append(bench.under(name))
            with step("The shop alone again"):
                outcome.idle.append(bench.alone())
            with step("Check the books") as say:
                outcome.findings, outcome.audited = asyncio.run(system.audit(say))
            return outcome
    except KeyboardInterrupt:
        return None
