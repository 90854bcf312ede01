"""One line per event, one object per line, nothing in it that must not be there, and no failure ever."""

from __future__ import annotations

import json
import subprocess
import sys

# In a process of its own: what is configured is the whole process's.
PROGRAM = """
import logging as stdlib, sys
from backend.kernel import config, logging
from backend.kernel.config import Settings
logging.configure(Settings(database_url="", master_keys="", log_format={form!r}, log_level={level!r}))
log = logging.get("test")
{body}
"""


def run(body: str, *, form: str = "json", level: str = "info") -> str:
    program = PROGRAM.format(form=form, level=level, body=body)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == ""
    return done.stderr


def lines(body: str, **kwargs: str) -> list[dict]:
    return [json.loads(line) for line in run(body, **kwargs).splitlines()]


def test_writes_one_json_object_with_time_level_and_logger():
    (line,) = lines('log.info("ledger.posted", amount_fen=100, kind="sale")')

    assert line.pop("at").endswith("Z")
    assert line == {"level": "info", "logger": "test", "event": "ledger.posted", "amount_fen": 100, "kind": "sale"}


def test_redacts_ours_and_the_libraries():
    written = run("""
log.warning("x", openid="openid-zhang", note="call 13800138000")
stdlib.getLogger("somebody").warning("GET %s", "https://h/x?js_code=abcdef")
stdlib.getLogger("httpx").info("GET https://h/x?access_token=abcdef")
try:
    raise ValueError("no 13800138000")
except ValueError:
    log.exception("failed")
    stdlib.getLogger("uvicorn.error").exception("also")
""")

    assert len(written.splitlines()) == 4
    for secret in ("zhang", "13800138000", "abcdef"):
        assert secret not in written
    assert written.count("ValueError: no [redacted]") == 2


def test_survives_whatever_it_is_given():
    written = lines(r"""
class Broken:
    def __str__(self): raise RuntimeError
    __repr__ = __str__
loop = []
loop.append(loop)
log.info("a", value=Broken())
log.info("b", value=loop)
log.info("c", value="\ud800", big=10**40, nan=float("nan"), raw=b"\xff", kinds={1, 2}, nothing=None)
log.info("d\nlevel=error", value="x\ny")
stdlib.getLogger("x").info("%d", "not a number")
""")

    assert [line["event"] for line in written] == ["logging.failed", "b", "c", "d\nlevel=error", "logging.failed"]


def test_an_uncaught_exception_is_one_redacted_line():
    (line,) = lines('raise ValueError("no 13800138000")')

    assert (line["event"], line["level"]) == ("process.failed", "critical")
    assert line["exception"].endswith("ValueError: no [redacted]")


def test_the_level_is_the_settings_one():
    assert [line["event"] for line in lines('log.debug("a"); log.info("b"); log.warning("c")', level="warning")] == [
        "c"
    ]


def test_a_console_line_cannot_be_begun_by_a_value():
    written = run('log.info("x\\nERROR forged", value="y\\nERROR forged")', form="console")

    assert len(written.splitlines()) == 1


def test_a_closed_stream_is_no_error():
    assert run('sys.stderr.close(); log.info("x"); stdlib.getLogger("y").warning("z")') == ""
