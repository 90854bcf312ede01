"""Of a run that failed, the servers' last errors are told."""

from __future__ import annotations

from backend.torture.logged import failures_in


def test_the_last_errors_are_told_with_the_end_of_their_traceback(tmp_path):
    trace = "\\n".join(f"line {number}" for number in range(40))
    log = tmp_path / "server.log"
    log.write_text(
        "".join(f'{{"event": "old", "level": "error", "n": {number}, "exception": "E"}}\n' for number in range(5))
        + '{"event": "unreachable", "level": "error"}\n'
        + 'no JSON\n{"event": "fine", "level": "info"}\n'
        + f'{{"event": "http.failed", "level": "error", "route": "/v1/x", "exception": "{trace}"}}\n'
        + '{"event": "late", "level": "warn'
    )

    first, _, last = failures_in(log)

    assert first.splitlines() == ["old n=3", "E"]
    assert last.splitlines() == ["http.failed route=/v1/x", *(f"line {number}" for number in range(26, 40))]


def test_where_there_is_no_log_nothing_is_told(tmp_path):
    assert failures_in(tmp_path / "server.log") == []
