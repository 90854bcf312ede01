"""``huiyuan``: every command of the program. What a command needs is imported when it runs, so that help is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend import __version__

from . import bench

app = typer.Typer(
    name="huiyuan",
    help="Huiyuan (惠员): the member backend of a retail chain.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(bench.app, name="bench", help="Measure the running program.")

DEFAULT_DATA = Path("var/demo")

Data = Annotated[Path | None, typer.Option("--data", help="Data directory of a demo, instead of the environment.")]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Server processes; they share the port.")]


@app.command()
def demo(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data: Annotated[Path, typer.Option(help="Where the demo keeps everything.")] = DEFAULT_DATA,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the data directory's contents first.")] = False,
    empty: Annotated[bool, typer.Option("--empty", help="Do not load the demo chain.")] = False,
    workers: Workers = 1,
) -> None:
    """Start everything on this machine, with a demo chain and a simulated WeChat; stop with Ctrl-C."""
    from . import demo as command

    command.run(command.Options(host=host, port=port, data=data, fresh=fresh, empty=empty, workers=workers))


@app.command()
def serve(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
    fd: Annotated[int | None, typer.Option(hidden=True, help="A listening socket that was handed down.")] = None,
    ready_fd: Annotated[int | None, typer.Option(hidden=True, help="A pipe to say on that it serves.")] = None,
) -> None:
    """Answer HTTP requests, as configured by the environment (see `huiyuan doctor`).

    With several workers SIGHUP replaces them one after the other, and no request is lost.
    """
    from . import serve as command

    command.run(host=host, port=port, workers=workers, fd=fd, ready_fd=ready_fd)


@app.command()
def worker() -> None:
    """Relay events and run background jobs, as configured by the environment."""
    from . import serve as command

    command.run_worker()


@app.command()
def migrate(
    *,
    data: Data = None,
    to: Annotated[
        str | None, typer.Option(help="app.name: migrate that app up or down to there; app.zero: away.")
    ] = None,
) -> None:
    """Bring the database's schema, functions and rights up to this release."""
    from . import maintenance

    maintenance.migrate(data, to)


@app.command()
def audit(
    *,
    data: Data = None,
    record: Annotated[
        Path | None, typer.Option(help="Write every chain's end here, after holding what it says against it.")
    ] = None,
    against: Annotated[Path | None, typer.Option(help="An earlier record that every chain must contain.")] = None,
) -> None:
    """Prove the books; exit code 1 and a list where they do not balance. Works beside a running demo."""
    from . import maintenance

    raise typer.Exit(maintenance.audit(data, record=record, against=against))


@app.command()
def backup(
    place: Annotated[Path, typer.Argument(help="Directory that holds the backups.")],
    *,
    keep: Annotated[int, typer.Option(min=1, max=1000, help="Keep so many, delete the older ones.")] = 7,
    gently: Annotated[bool, typer.Option("--gently", help="Spread the checkpoint: minutes, but no burst.")] = False,
) -> None:
    """Copy the running cluster and record every chain. libpq's variables (PGHOST, PGUSER, …) name the server."""
    from . import backup as command

    command.back_up(place, keep=keep, gently=gently)


@app.command()
def restore(
    backup: Annotated[Path, typer.Argument(help="A backup of `huiyuan backup`, or a directory of pg_basebackup.")],
    *,
    wal: Annotated[str, typer.Option(help="The WAL archive's directory, or a command with %f and %p.")],
    to: Annotated[str | None, typer.Option(help="Last moment, 2026-11-26T03:15:00+08:00; else all there is.")] = None,
    into: Annotated[Path | None, typer.Option(help="Keep the restored cluster here; else it is deleted.")] = None,
    against: Annotated[Path | None, typer.Option(help="A record of heads; else that of the backup.")] = None,
    database: Annotated[str, typer.Option(help="The database in it.")] = "huiyuan",
    superuser: Annotated[str, typer.Option(help="The cluster's superuser.")] = "postgres",
) -> None:
    """Restore a backup to a moment, on a private PostgreSQL, and prove it; without --into it is a rehearsal."""
    from . import backup as command

    at = command.moment(to) if to else None
    target = command.Target(backup, wal, at, against, database, superuser)
    raise typer.Exit(command.restore(target, into))


@app.command()
def drill(
    *,
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help="How long value is posted, before and after.")] = 3,
) -> None:
    """Rehearse losing the database: post, back up, lose, restore to a moment, prove. Leaves nothing behind."""
    from . import drill as command

    raise typer.Exit(command.run(seconds))


@app.command()
def admin(
    username: Annotated[str, typer.Argument(help="2 to 40 letters, digits and . _ -")],
    *,
    totp: Annotated[bool, typer.Option(help="Set up a second factor.")] = True,
) -> None:
    """Add a head-office login, for a fresh installation; asks for the password, or reads a line from a pipe."""
    from . import staff

    staff.make_admin(username, totp=totp)


@app.command()
def outbox(
    *,
    data: Data = None,
    retry: Annotated[bool, typer.Option("--retry", help="Let the worker try all of them again.")] = False,
) -> None:
    """List the events that were given up on; exit code 1 where there are any."""
    from . import outbox as command

    raise typer.Exit(command.run(data, retry=retry))


@app.command("feed-restart")
def feed_restart(*, data: Data = None) -> None:
    """After a restore: have every subscriber of the members' feed begin again with a snapshot."""
    from . import feed as command

    command.restart(data)


@app.command()
def doctor(
    *,
    data: Data = None,
    workers: Annotated[int, typer.Option(min=1, help="Server processes on all machines, for the connections.")] = 4,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 for warnings too.")] = False,
) -> None:
    """List every setting, and find what is misconfigured, what it causes, and what to do."""
    from . import doctor as command

    raise typer.Exit(command.run(data, workers=workers, strict=strict))


@app.command()
def torture(
    *,
    seed: Annotated[int, typer.Option(min=0, help="Decides the operations and what goes wrong when.")] = 1,
    ops: Annotated[int, typer.Option(min=50, help="Operations.")] = 10_000,
    minutes: Annotated[float, typer.Option(min=0.2, help="At most so long; then it is judged as far as it came.")] = 10,
    faults: Annotated[int, typer.Option(min=0, max=1000, help="How many things go wrong.")] = 19,
    schedule: Annotated[
        str | None, typer.Option(help="What goes wrong when, as it is printed, instead of the seed's; or a file of it.")
    ] = None,
    members: Annotated[int, typer.Option(min=0, max=3000, help="How many; 0 takes one for 50 operations.")] = 0,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Server processes.")] = 2,
    shrink_minutes: Annotated[
        float, typer.Option(min=0, help="After a failure: time to look for the shortest schedule that still fails.")
    ] = 10,
    keep: Annotated[Path | None, typer.Option(help="Keep the data directory and its logs here.")] = None,
) -> None:
    """Ill-treat a whole system of its own and prove that it lost and doubled nothing; exit code 1 where it did."""
    from . import torture as command

    options = command.Options(seed, ops, minutes, faults, schedule, members, workers, shrink_minutes, keep)
    raise typer.Exit(command.run(options))


@app.command()
def distribute(
    *,
    data: Data = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the statements, as a script; change nothing.")
    ] = False,
    shards: Annotated[int, typer.Option(min=1, max=1024, help="Shards by member; a node can hold many.")] = 32,
) -> None:
    """Lay the schema out on a Citus cluster (docs/scaling.md); exit code 1 where it cannot be, as it is."""
    from . import distribute as command

    raise typer.Exit(command.run(data, dry_run=dry_run, shards=shards))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Run one command."""
    from .mistakes import told_plainly

    with told_plainly():
        app()


if __name__ == "__main__":
    main()
