"""``huiyuan bench``: one command a benchmark; each imports what it measures when it runs."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def main() -> None:
    """Measure the running program."""
