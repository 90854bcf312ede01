"""Every refusal is a problem document, and every answer carries the safety headers."""

from __future__ import annotations

import httpx
import pytest

from .conftest import Site

KEY = {"idempotency-key": "k"}


def check_problem(answer: httpx.Response, status: int, code: str) -> dict:
    problem = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["type"] == f"urn:huiyuan:problem:{code}"
    assert problem["detail"]
    assert problem["instance"] == f"urn:huiyuan:request:{answer.headers['x-request-id']}"
    return problem


@pytest.mark.parametrize("path", ["/nothing", "/v1/nothing", "/v1/orders/", "/v1//orders", "/v1/live"])
def test_an_unknown_address_is_404(http: httpx.Client, path: str) -> None:
    check_problem(http.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/v1/orders", "GET, HEAD, POST"),
        ("OPTIONS", "/v1/orders", "GET, HEAD, POST"),
        ("POST", "/v1/orders/O1", "GET, HEAD"),
        ("PUT", "/read", "POST"),
    ],
)
def test_an_unknown_method_is_405_and_lists_the_known(http: httpx.Client, method: str, path: str, allow: str) -> None:
    answer = http.request(method, path)

    check_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allow


def test_head_answers_like_get_without_the_body(http: httpx.Client) -> None:
    answer = http.head("/v1/orders")

    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["content-length"] == str(len(http.get("/v1/orders").content))


def test_a_domain_refusal_brings_its_extra_members_but_not_over_the_standard_ones(http: httpx.Client) -> None:
    answer = http.post("/v1/orders", json={"name": "sold out"}, headers=KEY)

    problem = check_problem(answer, 409, "sold_out")
    assert problem["id"] == "O1"
    assert problem["detail"] == "Nothing is left of it."
    assert answer.headers["retry-after"] == "7"


def test_who_was_in_somebodys_way_comes_back(http: httpx.Client) -> None:
    answer = http.get("/v1/crossed")

    check_problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("path", ["/v1/broken", "/v1/mistake"])
def test_a_bug_is_500_and_tells_nothing(http: httpx.Client, path: str) -> None:
    answer = http.get(path)

    check_problem(answer, 500, "internal_error")
    assert "hunter2" not in answer.text
    assert "Traceback" not in answer.text


def test_missing_credentials_are_401(site: Site) -> None:
    answer = httpx.get(f"{site.base_url}/v1/orders", trust_env=False)

    check_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_credentials_come_before_everything_else(site: Site) -> None:
    answer = httpx.post(f"{site.base_url}/v1/orders?x=1", content=b"{", trust_env=False)

    check_problem(answer, 401, "unauthenticated")


def test_a_caller_over_its_limit_is_429_and_told_when_to_come_back(http: httpx.Client) -> None:
    rare = {"Authorization": "Bearer rare"}
    allowed = [http.get("/v1/orders", headers=rare).status_code for _ in range(3)]

    answer = http.get("/v1/orders", headers=rare)

    assert allowed == [200, 200, 200]
    check_problem(answer, 429, "rate_limited")
    assert 1 <= int(answer.headers["retry-after"]) <= 120


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/nothing", "/healthz", "/openapi.json"])
def test_every_answer_has_the_safety_headers(http: httpx.Client, path: str) -> None:
    headers = http.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "server" not in headers


def test_a_reply_may_say_how_long_it_may_be_kept(http: httpx.Client) -> None:
    answer = http.get("/v1/image")

    assert answer.content == b"\x89PNG"
    assert answer.headers.get_list("cache-control") == ["max-age=60"]
    assert answer.headers["content-type"] == "image/png"


def test_a_sane_request_id_is_kept_and_another_replaced(http: httpx.Client) -> None:
    kept = http.get("/v1/orders", headers={"X-Request-Id": "till-7.2026_11"})
    replaced = http.get("/v1/orders", headers={"X-Request-Id": "a b\tc"})

    assert kept.headers["x-request-id"] == "till-7.2026_11"
    assert len(replaced.headers["x-request-id"]) == 24


def test_mounted_pages_keep_their_policy_and_get_the_rest(http: httpx.Client) -> None:
    answer = http.get("/hello")

    assert answer.text == "hello"
    assert answer.headers["content-security-policy"] == "default-src 'self'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"]


def test_a_bug_in_a_mounted_application_is_a_problem_too(http: httpx.Client) -> None:
    check_problem(http.get("/fail"), 500, "internal_error")


def test_a_mounted_application_gets_no_body_above_the_limit(http: httpx.Client) -> None:
    def chunks():
        for _ in range(40):
            yield b"x" * 10_000

    assert http.post("/read", content=b"x" * 1000).text == "1000"
    check_problem(http.post("/read", content=b"x" * 300_000), 413, "payload_too_large")
    check_problem(http.post("/read", content=chunks()), 413, "payload_too_large")


def test_a_path_with_a_nul_is_refused(http: httpx.Client) -> None:
    answer = http.get("/v1/orders/%00")

    problem = check_problem(answer, 422, "validation_failed")
    assert problem["errors"][0]["pointer"] == "/path/order_id"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=x", "/query/limit"),
        ("limit=0", "/query/limit"),
        ("limit=1&limit=2", "/query/limit"),
        ("account=gold", "/query/account"),
        ("surprise=1", "/query/surprise"),
        ("cursor=%00", "/query/cursor"),
        ("cursor=%ff", "/query"),
        ("&".join(f"f{i}=1" for i in range(200)), "/query"),
    ],
)
def test_a_wrong_query_names_the_field(http: httpx.Client, query: str, pointer: str) -> None:
    problem = check_problem(http.get(f"/v1/orders?{query}"), 422, "validation_failed")

    assert problem["errors"][0]["pointer"] == pointer


def test_a_query_is_converted(http: httpx.Client) -> None:
    assert http.get("/v1/orders?limit=7&account=points").json() == {"limit": 7, "account": "points"}


def test_a_call_without_query_refuses_one(http: httpx.Client) -> None:
    check_problem(http.get("/v1/image?x=1"), 422, "validation_failed")


@pytest.mark.parametrize("key", ["", None])
def test_a_missing_idempotency_key_is_400(http: httpx.Client, key: str | None) -> None:
    headers = {} if key is None else {"idempotency-key": key}

    check_problem(http.post("/v1/orders", json={"name": "a"}, headers=headers), 400, "idempotency_key_required")


@pytest.mark.parametrize("key", ["a b", "k" * 256, "ключ".encode()])
def test_an_idempotency_key_is_visible_ascii(http: httpx.Client, key: str | bytes) -> None:
    raw = key if isinstance(key, bytes) else key.encode()
    answer = http.post("/v1/orders", json={"name": "a"}, headers={b"idempotency-key": raw})

    problem = check_problem(answer, 422, "validation_failed")
    assert problem["errors"][0]["pointer"] == "/header/Idempotency-Key"


def test_the_request_hash_is_of_method_path_and_value(http: httpx.Client) -> None:
    def hash_of(content: bytes, key: str = "k") -> str:
        headers = {"content-type": "application/json", "idempotency-key": key}
        return http.post("/v1/orders", content=content, headers=headers).json()["request_hash"]

    first = hash_of(b'{"name":"a","counts":{"x":1,"y":2}}')

    assert hash_of(b'{ "counts" : {"y":2, "x":1},\n "name":"\\u0061"}', key="other") == first
    assert hash_of(b'{"name":"a","counts":{"x":1,"y":3}}') != first


def test_a_replayed_answer_says_so(http: httpx.Client) -> None:
    first = http.post("/v1/orders", json={"name": "a"}, headers=KEY)
    again = http.post("/v1/orders", json={"name": "a"}, headers={"idempotency-key": "again"})

    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["x-sample"] == "yes"
    assert again.status_code == 201
