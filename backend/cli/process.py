"""The start of a process that serves for weeks, with nothing in it that it never calls.

``python -m backend.cli.process serve --fd 3``, ``worker``, or a demo's ``mailbox --fd 4``. Not for people:
``huiyuan serve``, ``worker`` and ``demo`` start it. Typer loads pydantic to read a command line, Tortoise loads it
where it is installed, and structlog and httpx load rich and pygments so: 12 MB in every process, for what a server
never does.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import NoReturn

_UNUSED = ("rich", "pygments", "pydantic")


def command(*args: str) -> list[str]:
    """The command line that starts such a process with this very interpreter."""
    return [sys.executable, "-m", "backend.cli.process", *args]


def become(*args: str) -> NoReturn:
    """Go on as such a process, under the same id; nothing of ours is left but the environment and what is inherited."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, command(*args))  # noqa: S606 - there is nothing for a shell to do


def main() -> None:
    """Serve on a socket that was handed down, or be the worker."""
    parser = argparse.ArgumentParser(prog="huiyuan", allow_abbrev=False)
    parser.add_argument("what", choices=("serve", "worker", "mailbox"))
    parser.add_argument("--fd", type=int, help="the listening socket")
    parser.add_argument("--ready-fd", type=int, help="a pipe to say on that it serves")
    parser.add_argument("--alone", action="store_true", help="there is no supervisor that could replace it")
    given = parser.parse_args()
    for name in _UNUSED:
        sys.modules[name] = None  # type: ignore[assignment]  # the import system's word for "not installed"

    from . import serve
    from .mistakes import told_plainly

    with told_plainly():
        if given.what == "worker":
            serve.work()
        elif given.what == "mailbox":
            from . import mailbox

            mailbox.run(given.fd)
        else:
            serve.serve_on(given.fd, ready_fd=given.ready_fd, alone=given.alone)


if __name__ == "__main__":
    main()
