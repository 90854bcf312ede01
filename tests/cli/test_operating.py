"""``huiyuan admin`` and ``huiyuan outbox``, as an operator types them."""

from __future__ import annotations

import fcntl
import hashlib
import inspect
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest

from backend import proofs
from backend.cli import maintenance
from backend.engines import datadir
from backend.kernel import db
from backend.kernel.proofs import MAX_FINDINGS, Finding
from backend.ledger import service as ledger
from tests.support import huiyuan as commands
from tests.support.value import give


@pytest.fixture
def huiyuan(settings):
    """Run a command on this module's database."""

    def run(*arguments: str, stdin: str = "", **other: str) -> CompletedProcess[str]:
        environ = datadir.environment(settings) | {"COLUMNS": "200"} | other
        return commands.huiyuan(*arguments, env=environ, stdin=stdin)

    return run


async def test_the_first_admin_logs_in_with_both_factors(huiyuan, client: httpx.AsyncClient):
    made = huiyuan("admin", "Boss", stdin="correct horse battery\n")

    assert made.returncode == 0, made.stderr
    uri = made.stdout.split()[-1]
    (secret,) = parse_qs(urlsplit(uri).query)["secret"]
    body = {"username": "boss", "password": "correct horse battery", "totp": pyotp.TOTP(secret).now()}
    answer = await client.post("/v1/admin/login", json=body)
    assert answer.status_code == 200
    assert (await client.post("/v1/admin/login", json=body | {"totp": None})).status_code == 401


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("admin2", "short", "10"),
        ("no good", "correct horse battery", "username"),
        ("boss", "correct horse battery", ""),
    ],
)
def test_a_login_that_cannot_be_is_refused_in_plain_words(huiyuan, database, name, password, said):
    huiyuan("admin", "boss", stdin="correct horse battery\n")

    refused = huiyuan("admin", name, stdin=f"{password}\n")

    assert refused.returncode == 2
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_parked_events_are_listed_and_tried_again(huiyuan, database):
    assert huiyuan("outbox").stdout == "no event is parked\n"
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO outbox (member_id, name, body, at, attempts, not_before, last_error)"
            " VALUES (7, 'SaleCompleted', '{}', now(), 12, 'infinity', 'KeyError: x')"
        )

    listed = huiyuan("outbox")
    retried = huiyuan("outbox", "--retry")

    assert listed.returncode == 1
    assert "SaleCompleted of member 7" in listed.stdout
    assert "KeyError: x (after 12 tries)" in listed.stdout
    assert retried.stdout == "1 events will be tried again\n"
    assert huiyuan("outbox").returncode == 0


async def test_the_audit_records_every_chain_and_refuses_a_damaged_record(huiyuan, database, tmp_path):
    file = tmp_path / "heads.txt"
    async with db.transaction() as tx:
        await ledger.open_member(tx, 7)
    await give(7, points=5)
    await give(7, points=5)

    recorded = huiyuan("audit", "--record", str(file))
    file.write_text(file.read_text().replace("huiyuan heads 1", "huiyuan heads 2"))
    damaged = huiyuan("audit", "--against", str(file))

    assert recorded.returncode == 0, recorded.stderr
    assert "1 chains of 2 transfers, digest " in recorded.stdout
    assert damaged.returncode == 2
    assert "does not begin with 'huiyuan heads 1'" in damaged.stderr


@pytest.mark.parametrize(("found", "stopped"), [(1, False), (MAX_FINDINGS, True)])
def test_an_audit_says_what_must_hold_and_does_not_and_where_it_stopped(monkeypatch, capsys, found, stopped):
    async def prove_all(url_args, progress, say):
        progress(300, 900)
        return {
            proof.of: [Finding(next(iter(proof.titles)), number, "D1")] * found
            for number, proof in enumerate(proofs.PROOFS)
        }

    monkeypatch.setattr(proofs, "prove_all", prove_all)

    assert not maintenance.prove_books({})

    printed = " ".join(capsys.readouterr().out.split())
    assert f"{found * len(proofs.PROOFS)} findings" in printed
    assert ("of members stopped at 200, after 300 of 900: there may be more" in printed) is stopped
    for number, proof in enumerate(proofs.PROOFS):
        whose = f"member {number}: " if number else ""
        assert f"{next(iter(proof.titles.values()))}: {whose}D1" in printed
        assert (f"proof of {proof.of} stopped" in printed) is stopped


def test_every_domain_that_can_be_proved_is():
    proved = {Path(inspect.getfile(proof.prove)).parent.name for proof in proofs.PROOFS}

    assert proved == {path.parent.name for path in Path(proofs.__file__).parent.glob("*/audit.py")}
    assert len(proofs.TITLES) == sum(len(proof.titles) for proof in proofs.PROOFS)


async def test_the_audit_never_writes_over_a_record_that_the_books_lack_something_of(huiyuan, database, tmp_path):
    file = tmp_path / "heads.txt"
    async with db.transaction() as tx:
        await ledger.open_member(tx, 8)
    await give(8, points=5)
    first = huiyuan("audit", "--record", str(file))
    await give(8, points=5)
    grown = huiyuan("audit", "--record", str(file))
    line = f"8 3 {'0' * 64}\n"
    longer = f"huiyuan heads 1 2026-11-26T00:00:00+00:00\n{line}end 1 3 {hashlib.sha256(line.encode()).hexdigest()}\n"
    file.write_text(longer)

    cut = huiyuan("audit", "--record", str(file))

    assert (first.returncode, grown.returncode) == (0, 0), grown.stderr
    assert "are here, whole" in grown.stdout
    assert cut.returncode == 1
    assert "member 8: cut: 3 transfers were recorded, 2 are here" in cut.stdout
    assert file.read_text() == longer


def test_what_a_killed_backup_left_is_deleted_by_the_next_and_two_never_run_at_once(huiyuan, database, tmp_path):
    left = tmp_path / ".20261125T022000Z.making"
    left.mkdir()

    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = huiyuan("backup", str(tmp_path))
    assert (second.returncode, left.exists()) == (2, True)
    assert "another backup is being made" in second.stderr

    nowhere = huiyuan("backup", str(tmp_path))  # libpq is not told where the cluster is
    assert nowhere.returncode == 2
    assert "pg_basebackup failed" in nowhere.stderr
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_books_of_another_release_are_named_as_such(huiyuan, settings):
    name = urlsplit(settings.migrate_database_url).path.strip("/")
    elsewhere = settings.migrate_database_url.replace(f"/{name}", "/postgres")

    done = huiyuan("audit", HUIYUAN_MIGRATE_DATABASE_URL=elsewhere)

    assert done.returncode == 2
    assert "kept by another release" in done.stderr
    assert "Traceback" not in done.stderr


NOBODY_THERE = "postgresql://huiyuan_owner@127.0.0.1:1/huiyuan"


@pytest.mark.parametrize("command", [["audit"], ["migrate"], ["distribute", "--dry-run"], ["backup", "backups"]])
def test_a_database_that_is_down_is_said_in_plain_words(huiyuan, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)

    done = huiyuan(*command, HUIYUAN_MIGRATE_DATABASE_URL=NOBODY_THERE)

    assert done.returncode == 2, done.stdout
    assert done.stderr.startswith("huiyuan: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["audit", "--record", "nowhere/heads.txt"],
        ["audit", "--against", "nowhere/heads.txt"],
        ["backup", "file"],
        ["restore", "nowhere", "--wal", "nowhere"],
        ["restore", "file", "--wal", "file"],
        ["torture", "--keep", "file"],
        ["torture", "--schedule", "nowhere"],
        ["bench", "settle", "--data", "file"],
        ["bench", "attack", "--json", "nowhere/table.json"],
        ["bench", "grow", "--json", "."],
        ["demo", "--data", "file", "--port", "0"],
    ],
    ids=" ".join,
)
def test_a_place_that_cannot_be_is_said_in_plain_words_and_nothing_is_left(
    huiyuan, database, tmp_path, monkeypatch, command
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("somebody's")

    done = huiyuan(*command)

    assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stderr
    assert "nowhere" in done.stderr or "file" in done.stderr or "directory" in done.stderr
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "somebody's")]
