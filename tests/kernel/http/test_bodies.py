"""Every trap of JSON is a 422 that names the field."""

from __future__ import annotations

import tracemalloc

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.kernel.errors import ValidationFailed
from backend.kernel.http import decoding

from .sample import Order

DEEP = b"[" * 1000 + b"]" * 1000

TRAPS = [
    (b"", ""),
    (b"{", ""),
    (b"[]", ""),
    (b"null", ""),
    (b"\xff\xfe", ""),
    (b'{"name":"a"}x', ""),
    (b"{}", "/name"),
    (b'{"name":1}', "/name"),
    (b'{"name":null}', "/name"),
    (b'{"name":NaN}', "/name"),
    (b'{"name":"a","surprise":1}', "/surprise"),
    (b'{"name":"a","a/b~c":1}', "/a~1b~0c"),
    (b'{"name":"' + b"x" * 100_000 + b'"}', "/name"),
    (b'{"name":"a\\u0000b"}', "/name"),
    (b'{"name":"a","attributes":{"x":{"\\u0000":1}}}', "/attributes/x/\ufffd"),
    (b'{"name":"\xff"}', "/name"),
    (b'{"name":"a","lines":[{"sku":"\xc3(","qty":1}]}', "/lines/0/sku"),
    (b'{"name":"\xed\xa0\x80"}', "/name"),
    (b'{"name":"\\ud800"}', "/name"),
    (b'{"name":"a","name":"b"}', "/name"),
    (b'{"name" : "a", "name" : "b"}', "/name"),
    (b'{"name":"a","attributes":{"x":[{"k":1,"k":1}]}}', "/attributes/x/0/k"),
    (b'{"name":"a","attributes":{"\\u0061\\"":1,"a\\u0022":2}}', '/attributes/a"'),
    (b'{"name":"a","lines":[{"sku":"A","qty":1},{"sku":"B","qty":0}]}', "/lines/1/qty"),
    (b'{"name":"a","lines":[{"sku":"A","qty":1.5}]}', "/lines/0/qty"),
    (b'{"name":"a","lines":[{"sku":"A","qty":1.0}]}', "/lines/0/qty"),
    (b'{"name":"a","lines":[{"sku":"A","qty":"1"}]}', "/lines/0/qty"),
    (b'{"name":"a","lines":[{"sku":"A","qty":true}]}', "/lines/0/qty"),
    (b'{"name":"a","lines":[{"sku":"A","qty":99999999999999999999999}]}', "/lines/0/qty"),
    (b'{"name":"a","lines":[{"sku":"A","qty":' + b"9" * 5000 + b"}]}", "/lines/0/qty"),
    (b'{"name":"a","lines":[{"sku":"A","qty":1e999}]}', "/lines/0/qty"),
    (b'{"name":"a","lines":[{"sku":"A","qty":1,"price":1}]}', "/lines/0/price"),
    (b'{"name":"a","lines":[{"qty":1}]}', "/lines/0/sku"),
    (b'{"name":"a","lines":{}}', "/lines"),
    (b'{"name":"a","counts":{"x":"y"}}', "/counts"),
    (b'{"name":"a","attributes":{"x":' + b"9" * 5000 + b"}}", "/attributes"),
    (b'{"name":"a","lines":' + DEEP + b"}", "/lines/0"),
    (b'{"name":' + DEEP + b"}", "/name"),
    (DEEP, ""),
]


@pytest.mark.parametrize(("body", "pointer"), TRAPS, ids=[repr(body[:40]) for body, _ in TRAPS])
def test_names_the_field_that_is_wrong(http: httpx.Client, body: bytes, pointer: str) -> None:
    headers = {"content-type": "application/json", "idempotency-key": "k"}

    answer = http.post("/v1/orders", content=body, headers=headers)

    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["code"] == "validation_failed"
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert len(answer.content) < 2000


@pytest.mark.parametrize("depth", [33, 500, 1000, 20_000])
def test_refuses_free_attributes_that_are_nested_too_deep(http: httpx.Client, depth: int) -> None:
    body = b'{"name":"a","attributes":{"x":' + b"[" * depth + b"]" * depth + b"}}"

    answer = http.post("/v1/orders", content=body, headers={"content-type": "application/json", "idempotency-key": "k"})

    assert answer.status_code == 422
    assert answer.json()["code"] == "validation_failed"


@pytest.mark.parametrize("depth", [10, 150])
def test_malformed_nonsense_costs_little_more_memory_than_its_own_size(depth: int) -> None:
    """A pointer to each of many values far inside would be thousands of times the body, from anybody who can send."""
    around = b'{"' + b"k" * 100 + b'":'
    body = around * depth + b"[" + b"0," * 3_000 + b"NaN]" + b"}" * depth

    tracemalloc.start()
    try:
        with pytest.raises(ValidationFailed):
            decoding.decode(body, _ORDER)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 1_000_000


def test_takes_what_only_looks_like_a_trap(http: httpx.Client) -> None:
    harmless = {"name": 'a\\u0000 " :', "attributes": {"k": ['":', '":'], 'q":': {"k": 1}, "é": "\U0001f600 中文"}}
    body = msgspec.json.encode(harmless)

    answer = http.post("/v1/orders", content=body, headers={"content-type": "application/json", "idempotency-key": "k"})

    assert answer.status_code == 201
    assert answer.json()["name"] == harmless["name"]


@pytest.mark.parametrize("media_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_takes_json_by_its_media_type(http: httpx.Client, media_type: str) -> None:
    answer = http.post(
        "/v1/orders", content=b'{"name":"a"}', headers={"content-type": media_type, "idempotency-key": "k"}
    )

    assert answer.status_code == 201


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])
def test_refuses_another_media_type(http: httpx.Client, media_type: str) -> None:
    answer = http.post(
        "/v1/orders", content=b'{"name":"a"}', headers={"content-type": media_type, "idempotency-key": "k"}
    )

    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


def test_a_body_may_be_left_out_where_it_is_optional(http: httpx.Client) -> None:
    assert http.post("/v1/logout").status_code == 204
    assert http.post("/v1/logout", json={"limit": 3}).status_code == 204
    assert http.post("/v1/logout", json={"zz": 3}).status_code == 422


def test_a_call_without_body_takes_none_or_an_empty_object(http: httpx.Client) -> None:
    assert http.post("/v1/orders/O1/cancel").status_code == 204
    assert http.post("/v1/orders/O1/cancel", json={}).status_code == 204
    assert http.post("/v1/orders/O1/cancel", json={"why": 1}).json()["errors"][0]["pointer"] == "/why"


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)
_ORDER = msgspec.json.Decoder(Order)


@settings(max_examples=60, deadline=None)
@given(attributes=st.dictionaries(_TEXT, _JSON, max_size=4))
def test_canonical_form_depends_on_the_value_only(attributes: dict[str, object]) -> None:
    plain = {"name": "a", "attributes": attributes}
    turned = {"attributes": dict(reversed(attributes.items())), "name": "a"}

    _, canonical = decoding.decode(msgspec.json.encode(plain), _ORDER)
    _, other = decoding.decode(msgspec.json.format(msgspec.json.encode(turned), indent=3), _ORDER)

    assert canonical == other
    assert msgspec.json.decode(canonical) == plain


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=60) | st.text(alphabet='{}[]":,\\u0d8 1eEnull', max_size=60).map(str.encode))
def test_garbage_is_refused_and_never_crashes(body: bytes) -> None:
    with pytest.raises(ValidationFailed):
        decoding.decode(body, _ORDER)
