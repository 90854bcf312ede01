"""What the commands print: one line a step, with a spinner where a person is watching."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_PLAIN_EVERY_S = 2.0


@contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """Show a step while it runs and how long it took; yields ``say``, which tells how far it is.

    On a terminal ``say`` changes the spinner's text; in a log it prints a line, at most one every two seconds.
    """
    started = last = time.monotonic()
    if sys.stdout.isatty():
        with out.status(f"{title} …") as status:
            yield lambda text: status.update(f"{title} … [dim]{escape(text)}[/dim]")
    else:

        def say(text: str) -> None:
            nonlocal last
            if time.monotonic() - last >= _PLAIN_EVERY_S:
                last = time.monotonic()
                print(f"  {title} … {text}", flush=True)

        yield say
    out.print(f"[green]✓[/green] {title} [dim]{time.monotonic() - started:.1f} s[/dim]")


def notice(text: str) -> None:
    """Say something the user should know even when all goes well."""
    out.print(f"[yellow]·[/yellow] {escape(text)}")
