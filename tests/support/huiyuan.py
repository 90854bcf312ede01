"""``huiyuan`` as an operator types it, in a process of its own that has the program imported already.

A new interpreter takes half a second to begin; a copy of one that has begun takes a twentieth of that.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess

from tests.support.logs import watch

LIMIT_S = 60

_copies = multiprocessing.get_context("forkserver")
# Nothing that looks at the environment when it is imported, as `backend.cli.console` does.
_copies.set_forkserver_preload(["pytest", "typer", "rich.console", "backend.app", "backend.worker"])


def huiyuan(*arguments: str, env: Mapping[str, str], stdin: str = "") -> CompletedProcess[str]:
    """Run a command in this directory, with nothing but ``env`` for its environment."""
    with tempfile.TemporaryDirectory() as place:
        streams = [Path(place) / name for name in ("stdin", "stdout", "stderr")]
        streams[0].write_text(stdin)
        child = _copies.Process(target=_run, args=(arguments, dict(env), str(Path.cwd()), [str(s) for s in streams]))
        child.start()
        child.join(LIMIT_S)
        if child.exitcode is None:
            child.kill()
            child.join()
        assert child.exitcode is not None
        said = streams[2].read_text()
        watch.printed(said)
        return CompletedProcess(arguments, child.exitcode, streams[1].read_text(), said)


def _run(arguments: tuple[str, ...], env: dict[str, str], directory: str, streams: list[str]) -> None:
    """In the copy: become what the shell would have started."""
    for number, path in enumerate(streams):
        opened = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, "r" if number == 0 else "w") for number in range(3))
    os.environ.clear()
    os.environ.update(env)
    os.chdir(directory)
    sys.argv = ["huiyuan", *arguments]
    from backend.cli.main import main

    main()
