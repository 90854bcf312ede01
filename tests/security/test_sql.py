"""SQL through every parameter of every call: an answer as to any other text, never a failure, nothing changed."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx

from backend.feeds.commands import numbering
from backend.kernel import db
from tests.security.conftest import Credential, scheme_of
from tests.support.books import fingerprint
from tests.support.value import give

PAYLOADS = (
    "' OR '1'='1",
    '" OR ""="',
    "' OR 1=1 --",
    "'; DROP TABLE member; --",
    "'; UPDATE ledger_account SET balance = 1; --",
    "1; SELECT pg_sleep(20)",
    "1' UNION SELECT secret_sealed FROM auth_terminal --",
    "1) OR (SELECT count(*) FROM member) > (0",
    "\\'; SELECT 1; --",
    "$1",
    "$$; SELECT 1; $$",
    "%s%(x)s{0}",
    "created_at DESC, (SELECT 1)",
    "NULL",
    "0x31",
    "1/**/OR/**/1=1",
    "ʼ OR ʼ1ʼ=ʼ1",
    "9223372036854775808",
    "-9223372036854775809",
    "1e309",
    "%",
    "_" * 30,
)

Call = tuple[str, str, dict[str, Any]]


def calls(document: dict[str, Any]) -> Iterator[Call]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method.upper() in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                yield method.upper(), path, operation


def parameters(operation: dict[str, Any], where: str) -> list[str]:
    return [item["name"] for item in operation.get("parameters", []) if item["in"] == where]


async def ask(
    client: httpx.AsyncClient, who: Credential, method: str, target: str, headers: dict[str, str] | None = None
) -> httpx.Response:
    """The call with an empty body, which is enough for those that take none."""
    body = b"" if method in ("GET", "DELETE") else b"{}"
    shown = who.headers(method, target, body, "sql") | {"Idempotency-Key": "sql"}
    if body:
        shown["Content-Type"] = "application/json"
    shown |= headers or {}
    return await client.request(method, target, content=body, headers=shown, extensions={"target": target.encode()})


def sane(answer: httpx.Response, where: str) -> None:
    assert answer.status_code < 500, f"{where}: {answer.status_code} {answer.text[:300]}"
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", where
        assert not re.search(r"syntax error|asyncpg|SQLSTATE|relation \"", answer.text), where


async def settle(made: list[tuple[str, Any]]) -> list[tuple[str, httpx.Response]]:
    """Every call, some at a time; with where each was."""
    found = []
    for start in range(0, len(made), 32):
        part = made[start : start + 32]
        answers = await asyncio.gather(*(call for _, call in part))
        found += list(zip((where for where, _ in part), answers, strict=True))
    return found


async def test_sql_in_a_query_finds_nothing_and_changes_nothing(client, settings, document, by_scheme, phone):
    await give(phone.member_id, principal=1_000)
    made = []
    for method, path, operation in calls(document):
        for name, payload in itertools.product(parameters(operation, "query"), PAYLOADS):
            others = "".join(f"&{other}=1" for other in _required(operation) - {name})
            target = f"{re.sub(r'{[^}]+}', '1', path)}?{name}={quote(payload, safe='')}{others}"
            made.append((f"{method} {target}", ask(client, by_scheme[scheme_of(operation)], method, target)))
    await numbering.number()  # whoever reads the feed numbers what waits
    before = await fingerprint(settings)

    answers = await settle(made)

    for where, answer in answers:
        sane(answer, where)
        # the log of staff has what this test's staff did
        if answer.status_code == 200 and "items" in answer.text and "/v1/admin/audit?" not in where:
            # a state of NULL is none; the plan of birthdays and the cards' head office are there from the beginning
            there = ("BIRTHDAY", "office")
            if "/registrations?" in where and where.endswith("=NULL"):  # who registered for this test
                continue
            assert [item for item in answer.json()["items"] if item.get("id") not in there] == [], where
    assert len(answers) >= 8 * len(PAYLOADS)
    assert await fingerprint(settings) == before


def _required(operation: dict[str, Any]) -> set[str]:
    return {item["name"] for item in operation.get("parameters", []) if item["in"] == "query" and item.get("required")}


async def test_sql_in_a_path_is_an_id_of_nothing(client, settings, document, by_scheme):
    made = []
    for method, path, operation in calls(document):
        for name, payload in itertools.product(parameters(operation, "path"), PAYLOADS[::3]):
            target = re.sub(r"{[^}]+}", "1", path.replace(f"{{{name}}}", quote(payload, safe="")))
            made.append((f"{method} {target}", ask(client, by_scheme[scheme_of(operation)], method, target)))
    before = await fingerprint(settings)

    answers = await settle(made)

    for where, answer in answers:
        sane(answer, where)
        # 415: what takes pictures only refuses another body before it looks for anything
        assert answer.status_code in (404, 415, 422), f"{where}: {answer.status_code} {answer.text[:200]}"
    assert len(answers) > 100
    assert await fingerprint(settings) == before


async def test_sql_in_a_header_is_a_text_like_any_other(client, settings, document, by_scheme):
    made = []
    names = ("Idempotency-Key", "X-Request-ID", "X-Forwarded-For", "Accept-Language", "User-Agent", "Cookie", "Host")
    plain = [payload for payload in PAYLOADS if payload.isascii()][:8]
    paths = ("/v1/member/wallet", "/v1/pos/context", "/v1/member/recharges")
    for method, path, operation in calls(document):
        if path in paths:
            for name, payload in itertools.product(names, plain):
                call = ask(client, by_scheme[scheme_of(operation)], method, path, {name: payload})
                made.append((f"{method} {path} {name}: {payload}", call))
    for payload in plain:
        for scheme in ("Bearer ", "HUIYUAN-HMAC-SHA256 terminal=", ""):
            headers = {"Authorization": scheme + payload}
            made.append((f"{scheme}{payload}", ask(client, by_scheme[""], "GET", "/v1/pos/context", headers)))
    before = await fingerprint(settings)

    for where, answer in await settle(made):
        sane(answer, where)

    assert await fingerprint(settings) == before


async def test_sql_in_every_text_of_a_public_call_changes_nothing_of_worth(client, settings):
    """Log-ins and refreshes read tables by what a stranger says."""
    bodies = [
        ("/v1/admin/login", lambda text: {"username": text, "password": text}),
        ("/v1/admin/token", lambda text: {"refresh_token": text}),
        ("/v1/member/token", lambda text: {"refresh_token": text}),
        ("/v1/member/login", lambda text: {"js_code": text}),
    ]
    before = await fingerprint(settings)

    made = [(f"{path}: {text}", client.post(path, json=body(text))) for path, body in bodies for text in PAYLOADS[:8]]
    for where, answer in await settle(made):
        sane(answer, where)
        assert answer.status_code in (401, 422, 429), f"{where}: {answer.status_code}"

    assert await fingerprint(settings) == before
    assert await db.fetchval("SELECT count(*) FROM member") is not None
