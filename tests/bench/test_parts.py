"""The benchmark's own parts: people that do not collide, requests the server believes, answers read piece by piece."""

from __future__ import annotations

import itertools
import select
import socket
import time
from random import Random
from threading import Thread

import msgspec
import pytest

from backend.auth import codes
from backend.auth import rules as auth_rules
from backend.bench import bare, clients, floor, generator, paths
from backend.bench.clients import Connection, Paced
from backend.bench.population import DEVICES, Population
from backend.bench.requests import Requests
from backend.pos.schemas import SaleIn

MEMBERS = 2000
CREATED = b'HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 8\r\n\r\n{"id":1}'
REFUSED = b'HTTP/1.1 409 Conflict\r\ncontent-length: 13\r\n\r\n{"code":"no"}'


@pytest.fixture(scope="module")
def people() -> Population:
    return Population("a seed")


def test_nobody_shares_a_number_with_anybody(people):
    everyone = [(number, slot) for number in range(MEMBERS) for slot in range(DEVICES)]
    phones = [people.phone(*who) for who in everyone]

    assert len({people.member(number).id for number in range(MEMBERS)}) == MEMBERS
    assert len({people.member_no(number) for number in range(MEMBERS)}) == MEMBERS
    assert len({people.phone_number(number) for number in range(MEMBERS)}) == MEMBERS
    assert len({phone.handle for phone in phones}) == len(everyone)
    assert len({phone.id for phone in phones} | {people.mark(*who) for who in everyone}) == 2 * len(everyone)


def test_visits_come_back_to_a_phone_only_after_every_other_one(people):
    visits = list(people.visits(3, 3 * DEVICES + 2))

    assert len(set(visits)) == len(visits)
    assert len({(number, slot) for number, slot, _ in visits[: 3 * DEVICES]}) == 3 * DEVICES
    assert visits[3 * DEVICES :] == [(0, 0, 1), (1, 0, 1)]


def test_the_server_s_own_rules_believe_a_request(people):
    requests = Requests(people, members=6, host="h", run="r", step=119_000_000, timestamp=1_785_000_000)

    head, body = paths.every()["sale"].request(requests, 6 + 5).split(b"\r\n\r\n")

    lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    match = auth_rules.TERMINAL_HEADER.match(lines["authorization"])
    assert match is not None
    terminal_id, timestamp, nonce, signature = match.groups()
    till = next(till for till in people.tills if till.id == terminal_id)
    signed = auth_rules.signed_text("POST", "/v1/pos/sales", timestamp, nonce, lines["idempotency-key"], body)
    assert auth_rules.signature_matches(till.secret.encode(), signed, signature)
    assert till.store_id == people.member(5).store_id
    sale = msgspec.json.decode(body, type=SaleIn)
    handle, given = codes.parse(sale.code or "") or ("", "")
    verdict, step = codes.judge(people.phone(5, 1).secret, handle, given, range(118_999_999, 119_000_001))
    assert (verdict, step) == (codes.Verdict.GOOD, 119_000_000)


@pytest.mark.parametrize("answer", [CREATED, REFUSED])
def test_reads_an_answer_that_comes_in_pieces(answer):
    near, far = socket.socketpair()
    connection = Connection.__new__(Connection)
    connection.sock, connection.buffer, connection.sent_at = near, b"", 0.0
    seen = []
    with near, far:
        for at in range(0, len(answer), 7):
            far.send(answer[at : at + 7])
            seen.append(clients._read(connection, b"201"))

    assert seen[:-1] == [None] * (len(seen) - 1)
    assert seen[-1] == answer[9:12]


def test_percentiles_are_in_milliseconds():
    assert generator.percentiles([n / 1000 for n in range(1, 101)]) == pytest.approx((51, 96, 100, 100))


def test_a_floor_reads_its_arguments_within_each_statement():
    floor = paths.Floor(
        statements=("SELECT $1 FROM t WHERE id = ANY($2)", "WITH a AS (SELECT $1)\n SELECT * FROM a"),
        types=("text", "bigint[]"),
        row=lambda ground, n: (),
    )

    args = "WITH args AS MATERIALIZED (SELECT * FROM bench_args WHERE id = :n)"
    assert bare.script(floor, 7).splitlines() == [
        "\\set n random(1, 7)",
        f"{args} SELECT (SELECT a1 FROM args)::text FROM t WHERE id = ANY((SELECT a2 FROM args)::bigint[]);",
        f"{args}, a AS (SELECT (SELECT a1 FROM args)::text) SELECT * FROM a;",
    ]


def test_every_path_has_a_name_and_a_place_of_its_own():
    every = [path for domain in paths.domains() for path in domain.paths]

    assert len({path.name for path in every}) == len(every) == len(paths.every())


def test_a_paced_run_counts_from_the_moment_a_request_was_due():
    near, far = socket.socketpair()
    connection = Connection.__new__(Connection)
    connection.sock, connection.buffer, connection.sent_at = near, b"", 0.0
    moments = iter([0.0, 0.001, 9.0])
    with near, far:
        driver = Paced([b"first", b"second"], [connection], b"201", moments)
        asking = Thread(target=driver.run, args=(5.0,))
        asking.start()
        assert far.recv(100) == b"first"
        held = time.perf_counter()
        assert not select.select([far], [], [], 0.05)[0]  # the only connection is busy
        held = time.perf_counter() - held
        far.send(CREATED)
        assert far.recv(100) == b"second"
        far.send(CREATED)
        asking.join(60)

    assert not asking.is_alive()
    assert driver.answered == len(driver.latencies) == 2
    assert min(driver.latencies) >= held - 0.01  # the second one too: it was due while the first was under way
    assert driver.statuses == {}


def test_moments_come_as_often_as_asked():
    random = Random(1)

    last = next(itertools.islice(clients.moments(200.0, random), 9_999, None))

    assert last == pytest.approx(50, rel=0.05)


@pytest.mark.parametrize(("uncounted_s", "counted"), [(0.0, [0.001, 0.0025, 0.004]), (1.0, [0.001, 0.004])])
def test_the_log_of_pgbench_is_read_and_removed(tmp_path, uncounted_s, counted):
    (tmp_path / "log.7").write_text("0 1 2500 0 1785000000 2500 40\n1 1 1000 0 1785000001 1000 0\n")
    (tmp_path / "log.7.1").write_text("2 1 4000 0 1785000001 500000 0\n")

    assert sorted(floor._logged(tmp_path / "log", uncounted_s)) == counted
    assert list(tmp_path.iterdir()) == []
