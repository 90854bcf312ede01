"""Every call that takes JSON, and every trap of JSON: a 4xx problem that says where, never a 500, nothing changed."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.security.conftest import Credential, scheme_of
from tests.support.books import fingerprint
from tests.support.members import Phone
from tests.support.value import findings, give

Call = tuple[str, str, dict[str, Any]]
"""Method, path, and the OpenAPI operation."""

OPEN = {"/v1/member/login", "/v1/member/token", "/v1/admin/login", "/v1/admin/token"}


def json_calls(document: dict[str, Any]) -> Iterator[Call]:
    """Every operation with a JSON body."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                yield method.upper(), path, operation


def schema_of(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    """The body's object schema, references followed."""
    return resolve(document, operation["requestBody"]["content"]["application/json"]["schema"])


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema or "anyOf" in schema or "oneOf" in schema:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        else:
            options = schema.get("anyOf") or schema["oneOf"]
            schema = next(option for option in options if option.get("type") != "null")
    return schema


def sample(document: dict[str, Any], schema: dict[str, Any], name: str = "") -> Any:
    """A value that fits a schema, with every field there is."""
    schema = resolve(document, schema)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    if kind == "object":
        fields = {key: sample(document, inner, key) for key, inner in schema.get("properties", {}).items()}
        if not fields and schema.get("minProperties"):
            named = _text(schema.get("propertyNames", {}), "code")
            return {named: sample(document, schema["additionalProperties"], named)}
        return fields
    if kind == "array":
        return [sample(document, schema["items"], name)]
    if kind == "integer":
        return schema.get("minimum", 1)
    if kind == "boolean":
        return False
    if kind == "string":
        return _text(schema, name)
    return None


_PATTERNED = {
    "pin": "271828",
    "current_pin": "271828",
    "totp": "000000",
    "id": "X1",
    "store_id": "S1",
    "timezone": "UTC",
    "phone": "13900000000",
    "phone_last4": "8000",
    "picture": "a" * 64,
    "media_id": "a" * 64,
    "pictures": "a" * 64,
    "cover": "a" * 64,
    "owner_id": "1",
    "parent_id": "H1",
    "tracking_no": "YT1000001",
    "colour": "#0B7A5B",
    "card_no": "9000123456789012",
    "administrators": "4711",
    "staff_id": "4711",
    "tax_no": "91110000MA0000000X",
    "email": "a@b.cn",
    "region": "440305",
    "province": "广东省",
    "regions": "44",
    "member_nos": "100000000000",
    "to": "x",
    "regions_excluded": "44",
}


_OTHERS = ("1", "09:00", "aa.bb", "A1", "1" * 6, "1" * 8, "1" * 10, "139" + "0" * 8, "1" * 12, "1" * 20, "a" * 64)
"""What is tried where a pattern wants something else."""


def _text(schema: dict[str, Any], name: str) -> str:
    if schema.get("format") == "date-time":
        return "2026-01-01T00:00:00Z"
    if schema.get("format") == "date":
        return "2000-01-01"
    options = re.match(r"\^\(([a-z|]+)\)\$", schema.get("pattern", ""))
    if options:
        return options[1].split("|")[0]
    text = _PATTERNED.get(name, "a" * max(2, schema.get("minLength", 1)))
    fits = (other for other in (text, *_OTHERS) if re.search(schema.get("pattern", ""), other))
    return next(fits, text)


async def send(
    client: httpx.AsyncClient, credentials: dict[str, Credential], call: Call, body: bytes, media_type: str | None
) -> httpx.Response:
    method, path, operation = call
    target = re.sub(r"\{\w+\}", "1", path)
    headers = credentials[scheme_of(operation)].headers(method, target, body, "trap")
    headers |= {"Idempotency-Key": "trap"}
    if media_type is not None:
        headers["Content-Type"] = media_type
    return await client.request(method, target, content=body, headers=headers)


def problem(answer: httpx.Response, where: str, statuses: tuple[int, ...]) -> dict[str, Any]:
    assert answer.status_code in statuses, f"{where}: {answer.status_code} {answer.text[:300]}"
    assert answer.headers["content-type"] == "application/problem+json", where
    assert len(answer.content) < 4_000, where
    document: dict[str, Any] = answer.json()
    assert document["status"] == answer.status_code
    assert {"type", "title", "code", "detail"} <= document.keys(), where
    assert "Traceback" not in answer.text
    return document


def test_the_walk_covers_the_calls_that_matter(document):
    calls = {f"{method} {path}" for method, path, _ in json_calls(document)}

    assert len(calls) >= 20
    assert {
        "POST /v1/pos/sales",
        "POST /v1/member/recharges",
        "POST /v1/member/register",
        "POST /v1/admin/staff",
    } <= calls


DEEP = b"[" * 1000 + b"]" * 1000
DEEP_OBJECTS = b'{"a":' * 1000 + b"1" + b"}" * 1000

WITH_PICTURES = {"POST /v1/anonymous/suggestions", "POST /v1/anonymous/suggestion/messages"}
"""What takes more than a megabyte, of those whom their ticket or receipt admits."""

WHOLE_BODIES: dict[str, tuple[bytes, str | None, tuple[int, ...]]] = {
    "text": (b"{}", "text/plain", (415,)),
    "a form": (b"a=1", "application/x-www-form-urlencoded", (415,)),
    "several parts": (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", (415,)),
    "XML": (b"<a/>", "application/xml", (415,)),
    "another charset": (b"{}", "application/json; charset=gbk", (415,)),
    "no media type": (b"{}", None, (415,)),
    "bad UTF-8": (b'{"a": "\xff\xfe"}', "application/json", (422,)),
    "UTF-16": ('{"a":1}'.encode("utf-16"), "application/json", (422,)),
    "half a surrogate": (b'{"a": "\\ud800"}', "application/json", (422,)),
    "a NUL": (b'{"a": "b\\u0000"}', "application/json", (422,)),
    "a NUL byte": (b'{"a": "b\x00"}', "application/json", (422,)),
    "nothing but NULs": (b"\x00" * 100, "application/json", (422,)),
    "an array": (b"[]", "application/json", (422,)),
    "an array of objects": (b"[{}]", "application/json", (422,)),
    "null": (b"null", "application/json", (422,)),
    "a number": (b"1", "application/json", (422,)),
    "a string": (b'"a"', "application/json", (422,)),
    "half an object": (b'{"a":', "application/json", (422,)),
    "an object and more": (b"{}{}", "application/json", (422,)),
    "a comment": (b"{}//", "application/json", (422,)),
    "not a number": (b'{"a": NaN}', "application/json", (422,)),
    "nested a thousand deep": (DEEP, "application/json", (422,)),
    "objects a thousand deep": (DEEP_OBJECTS, "application/json", (422,)),
    "a field nested a thousand deep": (b'{"a":' + DEEP + b"}", "application/json", (422,)),
    "an unknown field": (b'{"__proto__": {}}', "application/json", (422,)),
    "a field with an empty name": (b'{"": 1}', "application/json", (422,)),
    "a field twice": (b'{"a": 1, "a": 2}', "application/json", (422,)),
    "a number of five thousand digits": (b'{"a": ' + b"9" * 5_000 + b"}", "application/json", (422,)),
    "an exponent out of range": (b'{"a": 1e999}', "application/json", (422,)),
    "a name of 1 MB": (b'{"name": "' + b"x" * 1_000_000 + b'"}', "application/json", (413,)),
    "1 MB of blanks": (b" " * 1_000_000, "application/json", (413,)),
}


async def test_a_body_that_is_none_is_refused_everywhere(client, settings, document, by_scheme):
    calls = list(json_calls(document))
    before = await fingerprint(settings)

    for trap, (body, media_type, statuses) in WHOLE_BODIES.items():
        taken = [call for call in calls if trap != "null" or call[2]["requestBody"].get("required", False)]
        # Few at once: a process has room for 4 MB of large bodies, and refuses the others before it looks at them.
        answers = [
            answer
            for start in range(0, len(taken), 12)
            for answer in await asyncio.gather(
                *(send(client, by_scheme, call, body, media_type) for call in taken[start : start + 12])
            )
        ]
        for call, answer in zip(taken, answers, strict=True):
            where = f"{call[0]} {call[1]} with {trap}"
            takes_more = statuses == (413,) and f"{call[0]} {call[1]}" in WITH_PICTURES
            found = problem(answer, where, (422,) if takes_more else statuses)
            assert answer.status_code != 422 or found["errors"][0].keys() == {"pointer", "message"}, where

    assert await fingerprint(settings) == before


WRONG: dict[str, list[tuple[str, Any]]] = {
    "integer": [
        ("a float", 1.5),
        ("a whole float", 1.0),
        ("text", "1"),
        ("true", True),
        ("an array", [1]),
        ("an object", {}),
        ("more than 64 bits", 2**64),
        ("much more", 10**40),
        ("much less", -(10**40)),
        ("an exponent", 1e30),
    ],
    "string": [
        ("a number", 1),
        ("true", True),
        ("an array", ["a"]),
        ("an object", {"a": 1}),
        ("a NUL inside", "a\0b"),
        ("100 KB", "x" * 100_000),
    ],
    "boolean": [("text", "true"), ("a number", 1), ("an array", [])],
    "array": [("an object", {}), ("text", "a"), ("a number", 1), ("ten thousand items", [1] * 10_000)],
    "object": [("an array", []), ("text", "a"), ("a number", 1)],
    "enum": [("none of its words", "a"), ("a number", 1), ("100 KB", "x" * 100_000), ("a NUL", "\0")],
}


def leaves(document: dict[str, Any], schema: dict[str, Any], steps: tuple[Any, ...] = ()) -> Iterator[tuple[Any, str]]:
    """Every field of a body, as the steps that lead to it, with its type; one that may be of several is left out."""
    if len([one for one in schema.get("anyOf", ()) if one.get("type") != "null"]) > 1:
        return
    schema = resolve(document, schema)
    kind = schema.get("type")
    if steps and "enum" in schema:
        yield steps, "enum"
    elif steps and kind in WRONG:
        yield steps, kind
    for name, inner in schema.get("properties", {}).items():
        yield from leaves(document, inner, (*steps, name))
    if kind == "array":
        yield from leaves(document, schema["items"], (*steps, 0))


def put(value: Any, steps: tuple[Any, ...], wrong: Any) -> Any:
    """A copy of a body with something else at that place."""
    copied = json.loads(json.dumps(value))
    place = copied
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = wrong
    return copied


BY_ROW = frozenset({"/v1/pos/accruals/batch"})
"""Calls that judge each row of ``items`` for itself, and say so in the row; what is no JSON of ours they refuse too."""


async def test_every_field_refuses_what_is_not_of_its_type_and_says_which_it_was(client, settings, document, by_scheme):
    wishes: list[tuple[Call, tuple[Any, ...], str, bytes]] = []
    for call in json_calls(document):
        schema = schema_of(document, call[2])
        good = sample(document, schema)
        for steps, kind in leaves(document, schema):
            for name, wrong in WRONG[kind]:
                wishes.append((call, steps, name, json.dumps(put(good, steps, wrong)).encode()))
            around = put(good, steps[:-1], {"surprise": 1}) if len(steps) > 1 and isinstance(steps[-1], str) else None
            if around is not None:
                wishes.append((call, (*steps[:-1], "?"), "a field of nobody's", json.dumps(around).encode()))
    before = await fingerprint(settings)

    for start in range(0, len(wishes), 24):
        part = wishes[start : start + 24]
        answers = await asyncio.gather(*(send(client, by_scheme, w[0], w[3], "application/json") for w in part))
        for (call, steps, name, _), answer in zip(part, answers, strict=True):
            pointer = "/" + "/".join(str(step) for step in steps)
            where = f"{call[0]} {call[1]} with {name} at {pointer}"
            if call[1] in BY_ROW and len(steps) > 1 and answer.status_code == 200:
                (row,) = answer.json()["items"]
                assert (row["result"], row["code"]) == ("refused", "validation_failed"), where
                assert row["pointer"].startswith("/items/0"), where
                continue
            found = problem(answer, where, (422,))
            named = found["errors"][0]["pointer"]
            assert steps[-1] == "?" or pointer.startswith(named) or named.startswith(pointer), (where, found)

    assert len(wishes) > 500
    assert await fingerprint(settings) == before


# ------------------------------------------------------------------------------- money, where nothing may happen

BAD_AMOUNTS = [0, -1, 10**11 + 1, 2**63, 2**63 - 1, 1.5, 1.0, 1e10, "100", True, [], {}, "1e3", "１００"]


async def test_an_amount_that_is_not_a_positive_integer_in_bounds_is_refused(client, chain, phone, settings):
    await give(phone.member_id, principal=10_000)
    sale = (await chain.till.sell(client, phone.code())).json()
    refund = f"/v1/pos/sales/{sale['id']}/refunds"
    line = {"sku": "a", "qty": 1, "unit_price_fen": 100}
    before = await fingerprint(settings)

    for amount in BAD_AMOUNTS:
        code = phone.code()
        points = [{"type": "points", "points": amount, "amount_fen": 5}]
        pieces = {"reason": "x", "lines": [{"line_no": amount, "qty": 1}]}
        answers = {
            "/lines/0/unit_price_fen": chain.till.sell(client, code, lines=[line | {"unit_price_fen": amount}]),
            "/lines/0/qty": chain.till.sell(client, code, lines=[line | {"qty": amount}]),
            "/tenders/0/points": chain.till.sell(client, code, tenders=points),
            "/lines/0/line_no": chain.till.post(client, refund, pieces),
            "/amount_fen": phone.call("POST", "/v1/member/recharges", {"amount_fen": amount}, key="bad"),
        }
        for pointer, call in answers.items():
            found = problem(await call, f"{pointer}: {amount!r}", (422,))
            assert found["code"] == "validation_failed", (pointer, amount, found)
            assert pointer.startswith(found["errors"][0]["pointer"]), (pointer, amount, found)

    assert await fingerprint(settings) == before
    assert await findings(settings) == []


@pytest.mark.parametrize(
    "target",
    [
        "/v1/pos/sales?order_no=",
        "/v1/pos/sales?order_no=%00",
        "/v1/pos/sales?order_no=%ff",
        "/v1/pos/sales?order_no=a&order_no=b",
        "/v1/pos/sales?order_no=" + "x" * 5_000,
        "/v1/pos/sales?other=1",
        "/v1/pos/sales?order_no=%E4%BD%A0",
        "/v1/pos/articles?limit=x",
        "/v1/pos/articles?limit=99999999999999999999",
        "/v1/pos/articles?limit=0",
        "/v1/pos/articles?query=" + "%F0%9F%98%80" * 65,
        "/v1/pos/articles?" + "&".join(f"a{n}=1" for n in range(200)),
        "/v1/pos/context?x=1",
        "/v1/pos/sales/%00",
        "/v1/pos/sales/S%00000000000000000000000000",
        "/v1/pos/sales/%ff%fe",
        "/v1/pos/sales/" + "S" * 5_000,
        "/v1/pos/sales/..%2f..%2fetc",
        "/v1/pos/sales/' OR 1=1 --".replace(" ", "%20"),
    ],
)
async def test_a_strange_address_is_a_problem_and_not_a_failure(client, chain, target):
    answer = await chain.till.get(client, target)

    problem(answer, target, (404, 422))


@pytest.mark.parametrize(
    "target", ["/v1/pos/articles?query=%25", "/v1/pos/articles?query=_", "/v1/pos/articles?query=%5C"]
)
async def test_a_search_takes_wildcards_for_what_they_are(client, chain, target):
    answer = await chain.till.get(client, target)

    assert (answer.status_code, answer.json()["items"]) == (200, [])


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "键", "a\tb", "\x7f"])
async def test_a_strange_idempotency_key_is_a_problem_and_sells_nothing(client, chain, phone, settings, key):
    await give(phone.member_id, principal=1_000)
    body = json.dumps({"code": phone.code(), "order_no": "K-1", "lines": [{"sku": "a", "qty": 1, "unit_price_fen": 1}]})
    before = await fingerprint(settings)
    raw = key.encode()
    headers = {
        b"Authorization": chain.till.authorization(
            "POST", "/v1/pos/sales", body.encode(), raw.decode("latin-1").strip()
        ).encode(),
        b"Content-Type": b"application/json",
        b"Idempotency-Key": raw,
    }
    if not raw.strip():
        del headers[b"Idempotency-Key"]

    answer = await client.post("/v1/pos/sales", content=body.encode(), headers=list(headers.items()))

    problem(answer, repr(key), (400, 401, 422))
    assert await fingerprint(settings) == before


async def test_a_body_of_unknown_length_has_the_same_limit(client, phone):
    async def endless():
        for _ in range(100):
            yield b"x" * 10_000

    headers = {"Authorization": f"Bearer {phone.access_token}", "Content-Type": "application/json"}
    answer = await client.post("/v1/member/profile", content=endless(), headers=headers)

    assert problem(answer, "chunked", (413,))["code"] == "payload_too_large"


async def test_texts_come_back_as_they_were_sent(client, phone: Phone):
    name = "王 <script>alert(1)</script> 𠮷野家 '--"

    answer = await phone.call("PATCH", "/v1/member/profile", {"name": name})

    assert answer.status_code in (200, 422)
    if answer.status_code == 200:
        assert answer.json()["name"] == name
