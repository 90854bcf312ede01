"""What a call of staff leaves in the audit log: rows on the transactions that do it, and one more where it was refused.

- A transaction of the call writes the call's row before it commits. A later one writes another only where more was
  said meanwhile.
- What is posted outside of our transactions (the ledger's writer) is preceded by a row ``begun``.
- A call that wrote nothing of that, and every refusal, writes its row when it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from backend.kernel import clock, db, ids, logging
from backend.kernel.errors import DomainError
from backend.kernel.http import Request, Response, status_of
from backend.kernel.redaction import redact_text
from backend.kernel.trail import Kept

from .types import BEGUN, Sender, StaffCaller

log = logging.get(__name__)

MOST_THINGS = 20
MOST_FIELDS = 40
MOST_CHARS = 80
MOST_STORES = 20

INSERT = """
INSERT INTO auth_audit
    (id, at, staff_id, role, store_id, route, title, things, status, code, address, request_id, detail,
     about)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""


class Who(msgspec.Struct, frozen=True):
    """Somebody of the staff as they were when they called."""

    staff_id: int
    role: str
    store_id: str | None


class What(msgspec.Struct, frozen=True):
    """A call: its route as ``METHOD /path/{id}``, what it is called, what its address names, who sent it."""

    route: str
    title: str
    things: tuple[str, ...]
    status: int
    address: str
    request_id: str


def who(caller: StaffCaller) -> Who:
    """The caller of a call."""
    return Who(caller.staff_id, caller.role, caller.store_id)


def what(route: Any, request: Request) -> What:
    """A call of that route; an address that names somebody's number instead of an id is not written down."""
    match = route.pattern.fullmatch(request.path)
    things = tuple(_harmless(value) for value in match.groups()) if match else ()
    return What(
        f"{route.method} {route.path}", route.summary[:40], things, route.status, request.client[:45], request.id[:64]
    )


def _harmless(text: str) -> str:
    return redact_text(text.replace("\0", ""))[:MOST_CHARS]


class CallTrail:
    """The keeper of one call (see ``kernel.trail``)."""

    def __init__(self, person: Who, call: What) -> None:
        self._who, self._what = person, call
        self._things = list(call.things)
        self._actions: list[str] = []
        self._fields: list[str] = []
        self._said: dict[str, str | int | bool | None] = {}
        self._about: list[str] = []
        self._unsaid = True
        self._open = True
        self.kept = False

    def named(self, things: tuple[str, ...]) -> None:
        """See ``kernel.trail``."""
        self._add(self._things, tuple(_harmless(one) for one in things), MOST_THINGS)

    def changed(self, action: str, fields: tuple[str, ...]) -> None:
        """See ``kernel.trail``."""
        self._add(self._actions, (action[:MOST_CHARS],), MOST_FIELDS)
        self._add(self._fields, tuple(one[:MOST_CHARS] for one in fields), MOST_FIELDS)

    def said(self, values: dict[str, str | int | bool | None]) -> None:
        """See ``kernel.trail``."""
        self._said |= values
        self._unsaid = True

    def reached(self, place: str) -> None:
        """See ``kernel.trail``."""
        if place not in self._about and len(self._about) < MOST_STORES:
            self._about.append(place)

    def _add(self, known: list[str], new: tuple[str, ...], most: int) -> None:
        fresh = [one for one in dict.fromkeys(new) if one not in known][: max(most - len(known), 0)]
        known += fresh
        self._unsaid = self._unsaid or bool(fresh)

    async def before_commit(self, tx: Any) -> Kept | None:
        """Write the call's row on its transaction."""
        if not self._open or not self._unsaid:
            return None
        await db.raw(tx).execute(INSERT, *self._row(self._what.status, ""))
        return self._was_kept

    def _was_kept(self) -> None:
        self.kept, self._unsaid = True, False

    async def ahead(self) -> None:
        """Say that the call begins something outside of our transactions, where nothing was said yet."""
        if self._open and not self.kept:
            await db.fetchval(INSERT, *self._row(0, BEGUN))

    async def end(self, status: int, code: str) -> None:
        """Say how it ended, where its rows do not say so already."""
        self._open = False
        if not self.kept or code:
            await db.fetchval(INSERT, *self._row(status, code))

    def _row(self, status: int, code: str) -> tuple[Any, ...]:
        detail: dict[str, Any] = {"actions": self._actions, "fields": self._fields, "said": self._said}
        said = {k: v for k, v in detail.items() if v}
        return row(self._who, self._what, self._things, status, code, said, self._about)


def row(
    person: Who,
    call: What,
    things: list[str],
    status: int,
    code: str,
    detail: dict[str, Any],
    about: Sequence[str] = (),
) -> tuple[Any, ...]:
    """The arguments of ``INSERT``; ``about`` are the stores whose things head office's call was about."""
    return (
        ids.new_bigint(),
        clock.now(),
        person.staff_id,
        person.role,
        person.store_id,
        call.route,
        call.title,
        things,
        status,
        code,
        call.address,
        call.request_id,
        msgspec.json.encode(detail).decode(),
        list(about),
    )


LOGIN = "POST /v1/admin/login"


def sender(request: Request) -> Sender:
    """Where a call came from, within what is stored."""
    agent = _harmless(request.headers.get("user-agent", "")[:200])
    return Sender(request.client[:45], agent, request.id[:64])


async def note_login(tx: Any, person: db.Record, of: Sender, *, status: int, code: str, detail: dict[str, Any]) -> None:
    """Write down that somebody logged in, or that somebody tried with their name; ``person``: id, role, store_id."""
    someone = Who(person["id"], person["role"], person["store_id"])
    call = What(LOGIN, "员工登录", (), status, of.address, of.request_id)
    await db.raw(tx).execute(INSERT, *row(someone, call, [], status, code, detail))


LINK_USED = "POST /v1/admin/links/use"


async def note_link_used(tx: Any, person: StaffCaller, of: Sender, link_id: str, kind: str) -> None:
    """Write down that somebody set a password by a link: an invitation, or another password for a login."""
    call = What(LINK_USED, "使用邀请或重置链接", (), 200, of.address, of.request_id)
    things = [str(person.staff_id), link_id]
    await db.raw(tx).execute(INSERT, *row(who(person), call, things, 200, "", {"actions": [kind]}))


async def finish(trail: CallTrail, status: int, code: str) -> None:
    """End a trail. Where the database is gone nothing happened that a row would be missing of: the log says so."""
    try:
        await trail.end(status, code)
    except Exception as error:
        log.error("auth.audit_row_missing", code=code, status=status, error=type(error).__name__)


def outcome_of(error: BaseException) -> tuple[int, str]:
    """Status and code of what a call was refused with."""
    if isinstance(error, DomainError):
        return status_of(error), error.code
    return (503, "unavailable") if isinstance(error, db.UNREACHABLE) else (500, "internal_error")


async def kept(trail: CallTrail, answer: Response) -> Response:
    """The answer of a call that was not refused, once its row is there."""
    await finish(trail, answer.status, "")
    return answer
