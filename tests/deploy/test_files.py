"""The files in ``deploy/`` speak of metrics, labels, jobs, commands, settings and headings that exist."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.metrics import MetricWrapperBase
from typer.main import get_command

from backend import worker
from backend.app import routers
from backend.cli.main import app
from backend.kernel import config, metrics
from backend.kernel.http.routing import Route
from backend.kernel.jobs import registry

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SERVICES = sorted((DEPLOY / "systemd").glob("*.service"))
ALERTS = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())
DASHBOARD = json.loads((DEPLOY / "grafana/huiyuan.json").read_text())
PROMETHEUS_ITSELF = {"job", "instance", "le"}


def rules() -> list[dict[str, Any]]:
    return [rule for group in ALERTS["groups"] for rule in group["rules"]]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])


def labels_of() -> dict[str, set[str]]:
    """The labels of every series that our metrics make."""
    found: dict[str, set[str]] = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            for suffix in ("", "_total", "_bucket", "_sum", "_count"):
                found[f"{metric._name}{suffix}"] = set(metric._labelnames)
    return found


async def test_every_metric_is_one_that_the_server_shows(client: httpx.AsyncClient):
    await client.get("/readyz")
    shown = (await client.get("/metrics")).text
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", shown, re.MULTILINE))
    series = {f"{name}{suffix}" for name in kinds for suffix in _suffixes(kinds[name])}

    used = {name for expression in expressions() for name in re.findall(r"\bhuiyuan_\w+", expression)}

    assert len(used) >= 12
    assert used <= series, used - series


def _suffixes(kind: str) -> tuple[str, ...]:
    return ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)


def test_every_label_is_one_of_its_metric():
    known = labels_of()
    for expression in expressions():
        for name, matchers in re.findall(r"\b(huiyuan_\w+)\{([^}]*)\}", expression):
            used = set(re.findall(r"(\w+)\s*[=!]~?", matchers))
            assert used <= known[name] | PROMETHEUS_ITSELF, (expression, used)
        names = re.findall(r"\bhuiyuan_\w+", expression)
        for group in re.findall(r"\bby \(([^)]*)\)", expression):
            used = {label.strip() for label in group.split(",")}
            assert all(used <= known[name] | PROMETHEUS_ITSELF for name in names), (expression, used)


def test_jobs_and_routes_that_are_named_exist():
    worker.load()
    jobs = {job.name for job in registry.declared()}
    text = "\n".join(expressions())

    from backend.app import routers

    routes = {route.path for router in routers() for route in router.routes}
    assert set(re.findall(r'task="([^"]+)"', text)) <= jobs
    assert set(re.findall(r'route="([^"]+)"', text)) <= routes


def test_every_alert_has_a_summary_a_severity_and_a_runbook_that_exists():
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    anchors = {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    }

    assert len({rule["alert"] for rule in rules()}) == len(rules()) >= 12
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "warn"}
        assert rule["annotations"]["summary"]
        file, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert file == "docs/operations.md"
        assert anchor in anchors, anchor


def test_panels_of_the_dashboard_do_not_overlap_and_have_ids_of_their_own():
    panels = DASHBOARD["panels"]
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells

    assert len({panel["id"] for panel in panels}) == len(panels)


def exec_lines(unit: Path) -> list[list[str]]:
    """The arguments after ``… -m backend.cli.main`` of each start."""
    lines = re.findall(r"^ExecStart=\S+/python -m backend\.cli\.main (.+)$", unit.read_text(), re.MULTILINE)
    return [line.split() for line in lines]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda path: path.stem)
def test_a_unit_starts_a_command_that_exists_with_its_options(unit: Path):
    (arguments,) = exec_lines(unit)

    command = get_command(app).commands[arguments[0]]  # type: ignore[attr-defined]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("--")} <= known


@pytest.mark.parametrize("unit", SERVICES, ids=lambda path: path.stem)
def test_a_unit_gives_the_service_no_more_than_it_needs(unit: Path):
    lines = set(unit.read_text().splitlines())

    assert {
        *("NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict", "ProtectHome=yes"),
        *("PrivateTmp=yes", "PrivateDevices=yes", "RestrictSUIDSGID=yes", "SystemCallFilter=@system-service"),
    } <= lines
    for timer in (DEPLOY / "systemd").glob("*.timer"):
        assert timer.with_suffix(".service").exists()


def test_what_knows_the_owners_password_runs_as_another_account_than_what_faces_the_network():
    accounts: dict[bool, set[str]] = {True: set(), False: set()}
    for unit in SERVICES:
        text = unit.read_text()
        accounts["/etc/huiyuan/audit.env" in text].update(re.findall(r"^User=(.+)$", text, re.MULTILINE))

    assert accounts == {True: {"huiyuan-ops"}, False: {"huiyuan"}}
    install = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert all(re.search(rf"^useradd .* {name}\b", install, re.MULTILINE) for name in ("huiyuan", "huiyuan-ops"))


def test_the_server_reloads_by_sighup_and_has_time_to_finish():
    text = (DEPLOY / "systemd/huiyuan-serve.service").read_text()
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)

    assert "ExecReload=/bin/kill -HUP $MAINPID" in text
    assert int(seconds) > config.Settings(database_url="", master_keys="").shutdown_grace_s + 5


def test_the_proxy_closes_idle_connections_before_the_server_does():
    from backend.kernel.http.server import KEEP_ALIVE_S

    text = (DEPLOY / "nginx/huiyuan.conf").read_text()
    (seconds,) = re.findall(r"^\s+keepalive_timeout (\d+)s;$", text, re.MULTILINE)
    settings = config.Settings(database_url="", master_keys="")

    assert int(seconds) < min(KEEP_ALIVE_S, settings.drain_s)


def test_the_proxy_lets_through_what_the_routes_take():
    text = (DEPLOY / "nginx/huiyuan.conf").read_text()
    of_all, of_nameless = (
        int(size) << 20 for size in re.findall(r"^\s+client_max_body_size (\d+)m;$", text, re.MULTILINE)
    )
    routes = [route for router in routers() for route in router.routes if isinstance(route, Route)]
    wanted = [(route.path, route.body_limit or 0) for route in routes]

    assert of_all == max(size for _, size in wanted)
    assert of_nameless >= max(size for path, size in wanted if path.startswith("/v1/anonymous/"))


def test_the_proxy_never_repeats_what_a_till_has_sent():
    """The repetition has the same nonce: it is refused with 401, while the sale may have been made."""
    directives = re.sub(r"#.*", "", (DEPLOY / "nginx/huiyuan.conf").read_text())

    assert "non_idempotent" not in directives
    assert "proxy_next_upstream" not in directives


def test_the_container_is_pinned_runs_as_nobody_special_and_copies_what_is_there():
    lines = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ").splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    (user,) = [rest for word, rest in steps if word == "USER"]
    images = [rest.split()[0] for word, rest in steps if word == "FROM"]

    assert user.isdigit()
    assert int(user) > 0
    assert len(images) == 2
    assert all("/" not in image for image in images)
    assert any("--require-hashes" in rest for word, rest in steps if word == "RUN")
    assert {word for word, _ in steps} >= {"HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT", "CMD", "EXPOSE"}
    for word, rest in steps:
        if word == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
        if word in {"ENTRYPOINT", "CMD"}:
            assert json.loads(rest)


def test_wal_is_archived_whole_and_never_overwritten(tmp_path: Path):
    script = DEPLOY / "postgres/archive-wal"
    one, other, target = tmp_path / "one", tmp_path / "other", tmp_path / "archive" / "000000010000000000000001"
    target.parent.mkdir()
    one.write_text("first")
    other.write_text("second")

    def archive(path: Path) -> int:
        return subprocess.run([script, path, target], check=False, capture_output=True).returncode

    assert script.stat().st_mode & stat.S_IXUSR
    assert archive(one) == 0
    assert archive(one) == 0  # handed over again after a crash
    assert archive(other) != 0
    assert target.read_text() == "first"
    assert [path.name for path in target.parent.iterdir()] == [target.name]
