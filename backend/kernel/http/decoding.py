"""JSON into structs, and every trap of JSON into a refusal that names the field."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec

from backend.kernel.errors import FieldError, ValidationFailed

MAX_DEPTH = 32
_AT = re.compile(r"\A(?P<what>.*) - at (?:`key` in )?`\$(?P<path>[^`]*)`\Z", re.DOTALL)
_FIELD = re.compile(r"\AObject (?:contains unknown|missing required) field `(?P<name>.*)`\Z", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")
_TEXT_TRAP = re.compile("[\0\ud800-\udfff]")
# A quote that white space follows, or an escaped character: keys cannot be counted by their `":` then.
_UNCOUNTABLE = re.compile(rb'"[ \t\r\n]|\\u')

LONGEST_REASON = 200
NAMED_BYTES = 16 * 1024
"""In malformed bodies up to this size the field at fault is looked for; whoever sends more nonsense costs no more."""

Path = list[str | int]

_decode_any = msgspec.json.Decoder().decode
_encode_canonical = msgspec.json.Encoder(order="deterministic").encode


def decode(body: bytes, decoder: msgspec.json.Decoder[Any]) -> tuple[Any, bytes]:
    """The typed value of a body and its canonical JSON, without its secrets; ``ValidationFailed`` names the field."""
    try:
        value = _decode_any(body)
    except (RecursionError, msgspec.ValidationError):
        _refuse_by_type(body, decoder)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise _malformed(body, error) from None
    try:
        typed = decoder.decode(body)
        canonical = _encode_canonical(value)
    except msgspec.ValidationError as error:
        raise from_msgspec(error) from None
    except (RecursionError, ValueError) as error:
        raise _refusal("", f"cannot be read: {type(error).__name__}") from None
    _refuse_traps(body, value, canonical)
    if secrets := getattr(typed, "SECRETS", ()):
        canonical = _encode_canonical({name: one for name, one in value.items() if name not in secrets})
    return typed, canonical


def _refuse_by_type(body: bytes, decoder: msgspec.json.Decoder[Any]) -> NoReturn:
    """The type's own error says which field; where the type takes anything, it is the nesting or a number."""
    try:
        decoder.decode(body)
    except msgspec.ValidationError as error:
        raise from_msgspec(error) from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        pass
    raise _refusal("", "is nested too deep or holds a number out of range")


def _refuse_traps(body: bytes, value: Any, canonical: bytes) -> None:
    """What JSON allows and we do not: NUL characters, a key twice, deep nesting. Cheap for an ordinary body."""
    if b"\\u0000" in body:
        _refuse_bad_text(value)
    if body.count(b'":') != canonical.count(b'":') or _UNCOUNTABLE.search(body):
        _refuse_duplicates(body)
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _refuse_depth(value)


def _refuse_bad_text(value: Any) -> None:
    for path, item in walk(value):
        if isinstance(item, str) and (trap := _TEXT_TRAP.search(item)):
            what = "contains a NUL character" if trap.group() == "\0" else "is not valid UTF-8"
            raise _refusal(_TEXT_TRAP.sub("\ufffd", pointer_to(path)), what)


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written, with every key in it."""


def _refuse_duplicates(body: bytes) -> None:
    found = False

    def note(pairs: list[tuple[str, Any]]) -> Any:
        nonlocal found
        members = dict(pairs)
        found = found or len(members) != len(pairs)
        return members

    json.loads(body, object_pairs_hook=note)
    if not found:
        return
    for path, item in walk(json.loads(body, object_pairs_hook=_Pairs)):
        if isinstance(item, _Pairs):
            seen: set[str] = set()
            for key, _ in item:
                if key in seen:
                    raise _refusal(pointer_to([*path, key]), "is given twice")
                seen.add(key)


def _refuse_depth(value: Any) -> None:
    for path, item in walk(value):
        if isinstance(item, dict | list) and len(path) >= MAX_DEPTH:
            raise _refusal(pointer_to(path), f"is nested more than {MAX_DEPTH} deep")


def walk(value: Any) -> Iterator[tuple[Path, Any]]:
    """Every value inside, keys too, in the order of the document, with the steps that lead there.

    The steps are one list that changes as the walk goes on: a pointer to each of a large body's values would be far
    larger than the body.
    """
    path: Path = []
    yield path, value
    ways = [_members(value)]
    while ways:
        member = next(ways[-1], None)
        if member is None:
            ways.pop()
            del path[-1:]
            continue
        step, inner = member
        path.append(step)
        if isinstance(step, str):
            yield path, step
        yield path, inner
        ways.append(_members(inner))


def _members(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return iter(value.items())
    if isinstance(value, _Pairs):
        return iter(value)
    return iter(enumerate(value) if isinstance(value, list) else ())


def pointer_to(path: Path) -> str:
    """The JSON pointer (RFC 6901) of these steps; of a hostile depth only the first."""
    return "".join(f"/{escape(str(step))}" for step in path[:MAX_DEPTH])


def _malformed(body: bytes, error: Exception) -> ValidationFailed:
    """A refusal for what is not JSON; where a lenient reader can tell which field is at fault, it is named."""
    if len(body) <= NAMED_BYTES:
        try:
            value = json.loads(body.decode("utf-8", "surrogateescape"), parse_constant=float)
            for path, item in walk(value):
                if isinstance(item, float) and (item != item or item in (float("inf"), float("-inf"))):
                    return _refusal(pointer_to(path), "is not a number JSON knows")
            _refuse_bad_text(value)
        except ValidationFailed as refusal:
            return refusal
        except (ValueError, RecursionError):
            pass
    what = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else f"is not JSON: {error}"
    return _refusal("", what)


def escape(key: str) -> str:
    """One step of a JSON pointer (RFC 6901), cut where a hostile name would fill the answer."""
    return key[:100].replace("~", "~0").replace("/", "~1")


def from_msgspec(error: msgspec.ValidationError, prefix: str = "") -> ValidationFailed:
    """msgspec's message as a refusal: ``at `$.lines[0].qty` `` becomes the pointer ``/lines/0/qty``."""
    what, pointer = str(error), prefix
    if match := _AT.match(what):
        what = match["what"]
        for step in _STEP.finditer(match["path"]):
            name = step[1] or step[2]
            if name is None:
                break
            pointer += f"/{escape(name)}"
    if match := _FIELD.match(what):
        pointer += f"/{escape(match['name'])}"
        what = "is required" if what.startswith("Object missing") else "is not a field of this call"
    return _refusal(_TEXT_TRAP.sub("\ufffd", pointer), _TEXT_TRAP.sub("\ufffd", _short(what)))


def _short(what: str) -> str:
    """Of a value that is repeated only as much as helps."""
    return what if len(what) <= LONGEST_REASON else f"{what[:LONGEST_REASON]}…"


def _refusal(pointer: str, what: str) -> ValidationFailed:
    return ValidationFailed(f"{pointer or 'body'}: {what}", errors=(FieldError(pointer, what),))


def request_hash(method: str, path: str, canonical: bytes) -> bytes:
    """SHA-256 over method, path and canonical JSON: equal for a retry however it was formatted."""
    return hashlib.sha256(f"{method}\n{path}\n".encode() + canonical).digest()
