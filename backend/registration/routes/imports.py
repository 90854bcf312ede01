"""Members from tables, and members whom staff and tills make."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec

from backend.approvals import queries as approvals
from backend.auth import queries as auth
from backend.auth.guards import staff, terminal
from backend.auth.types import Permission, StaffCaller, TerminalCaller
from backend.kernel import limits, sheets
from backend.kernel.errors import NotFound, RateLimited, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Reply, Request, Router
from backend.kernel.http.errors import UnsupportedMediaType
from backend.kernel.incoming import MOST_IMPORT_BYTES
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict
from backend.membercards import errors as cards
from backend.members.errors import PhoneTaken, RegistrationRejected
from backend.members.types import Member
from backend.privacy.errors import ConsentOutdated

from ..commands import creating, imports
from ..errors import ImportNotReady
from ..queries import imports as queries
from ..rules import words
from ..rules.rows import COLUMNS, EXAMPLE, Flaw
from ..schemas.imports import (
    CreateAtTill,
    CreatedOut,
    CreateIn,
    FlawOut,
    ImportOut,
    ImportQuery,
    ImportsOut,
    ImportsQuery,
    StartIn,
)
from ..types import Import

router = Router(tag="members")

_IMPORT_IT = staff(Permission.MEMBERS_IMPORT)
_IMPORTS = "/v1/admin/member-imports"
_IMPORT = f"{_IMPORTS}/{{member_import_id}}"
_CARD = (
    cards.CardInvalid,
    cards.CardTaken,
    cards.CardEnded,
    cards.CardElsewhere,
    cards.CardTypeClosed,
    cards.CardQuota,
)
CREATED_PER_HOUR = 300
REPORT = ("行", "结果", "列", "问题")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.post(
    _IMPORTS,
    guard=_IMPORT_IT,
    status=202,
    idempotent=True,
    body_limit=MOST_IMPORT_BYTES,
    summary="导入会员",
    errors=(ValidationFailed, UnsupportedMediaType, IdempotencyConflict),
)
async def begin(
    caller: StaffCaller, query: ImportQuery, body: bytes, request: Request, idem: Idempotency
) -> Answer[ImportOut]:
    """Take in a table of at most 100,000 rows and 16 MiB: CSV (UTF-8, GB 18030) or XLSX, columns as in the template.

    A job reads it; one bad row makes nothing of all, unless ``skip_bad`` leaves bad ones out. With ``dry_run`` it is
    only read: look at what is wrong, then start it.
    """
    media_type = "text/csv" if query.kind == "csv" else _XLSX
    if not request.headers.get("content-type", "").startswith((media_type, "application/octet-stream")):
        raise UnsupportedMediaType(f"the body must be the table: Content-Type {media_type}")
    import_id = await imports.begin(
        body,
        query.kind,
        query.title,
        skip_bad=query.skip_bad,
        dry_run=query.dry_run,
        caller=caller,
        key=idem.key,
    )
    return Answer(await _one(import_id, caller))


@router.get(_IMPORTS, guard=_IMPORT_IT, summary="会员导入任务", errors=(ValidationFailed,))
async def list_imports(caller: StaffCaller, query: ImportsQuery) -> ImportsOut:
    """A page of imports, newest first, without their flaws."""
    found = await queries.list_imports(before=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    following = place_cursor(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return ImportsOut(await _shown(page, caller, flaws=0), following)


@router.get(f"{_IMPORTS}/template.csv", guard=_IMPORT_IT, summary="会员导入模板（CSV）")
async def template_csv() -> Reply:
    """An empty table with its heading and one example."""
    return _template("csv")


@router.get(f"{_IMPORTS}/template.xlsx", guard=_IMPORT_IT, summary="会员导入模板（XLSX）")
async def template_xlsx() -> Reply:
    """The same as a workbook."""
    return _template("xlsx")


def _template(form: sheets.Format) -> Reply:
    body = sheets.write(form, "会员", tuple(COLUMNS.values()), [EXAMPLE])
    return Reply(body, sheets.MEDIA_TYPES[form], headers=_as_file("members-template", form))


@router.get(_IMPORT, guard=_IMPORT_IT, summary="会员导入进度", errors=(NotFound,))
async def get_import(caller: StaffCaller, member_import_id: str) -> ImportOut:
    """How far an import is, and the first hundred things that are wrong with its rows."""
    return await _one(member_import_id, caller)


@router.get(f"{_IMPORT}/report.csv", guard=_IMPORT_IT, summary="会员导入结果（CSV）", errors=(NotFound,))
async def report(caller: StaffCaller, member_import_id: str) -> Reply:
    """Every row with what became of it, and everything that is wrong with bad ones; without anybody's data."""
    await queries.get_import(member_import_id)
    body = await sheets.stream("csv", "导入结果", REPORT, _report(member_import_id))
    return Reply(body, sheets.MEDIA_TYPES["csv"], headers=_as_file(f"import-{member_import_id}", "csv"))


async def _report(import_id: str) -> AsyncIterator[Sequence[Sequence[sheets.Cell]]]:
    async for page in queries.report_pages(import_id):
        flaws = [Flaw(row, field, message) for row, _, field, message in page]
        yield [
            (flaw.row, words.result(one[1]), words.column(flaw), words.text(flaw))
            for flaw, one in zip(flaws, page, strict=True)
        ]


@router.post(
    f"{_IMPORT}/start", guard=_IMPORT_IT, summary="开始导入", errors=(NotFound, ValidationFailed, ImportNotReady)
)
async def start(caller: StaffCaller, member_import_id: str, body: StartIn) -> ImportOut:
    """Make members of a table that was read; a second person decides first where what it opens with asks for one."""
    await imports.start(member_import_id, skip_bad=body.skip_bad, caller=caller)
    return await _one(member_import_id, caller)


@router.post(f"{_IMPORT}/cancel", guard=_IMPORT_IT, summary="取消导入", errors=(NotFound, ImportNotReady))
async def cancel(caller: StaffCaller, member_import_id: str) -> ImportOut:
    """Make no further member; who was made stays."""
    await imports.cancel(member_import_id)
    return await _one(member_import_id, caller)


@router.post(f"{_IMPORT}/resume", guard=_IMPORT_IT, summary="继续导入", errors=(NotFound, ImportNotReady))
async def resume(caller: StaffCaller, member_import_id: str) -> ImportOut:
    """Let an import that was given up go on, at the row that it could not write."""
    await imports.take_up(member_import_id)
    return await _one(member_import_id, caller)


@router.post(
    "/v1/admin/members",
    guard=staff(Permission.MEMBERS_CREATE),
    status=201,
    errors=(ValidationFailed, PhoneTaken, RegistrationRejected, RateLimited, ConsentOutdated, *_CARD),
    summary="登记新会员",
)
async def create_by_staff(caller: StaffCaller, body: CreateIn) -> CreatedOut:
    """Make a member of somebody at the counter, who claims it later by logging in with that phone."""
    await limits.hit(f"create:{caller.staff_id}", CREATED_PER_HOUR, 3600)
    return _created(await creating.create_by_staff(body, caller))


@router.post(
    "/v1/pos/members",
    guard=terminal,
    status=201,
    errors=(ValidationFailed, PhoneTaken, RegistrationRejected, RateLimited, ConsentOutdated, *_CARD),
    summary="收银台登记新会员",
)
async def create_at_till(caller: TerminalCaller, body: CreateAtTill) -> CreatedOut:
    """The same at a till, for its store."""
    await limits.hit(f"create:{caller.terminal_id}", CREATED_PER_HOUR, 3600)
    return _created(await creating.create_at_till(body, caller))


def _created(found: Member) -> CreatedOut:
    return CreatedOut(str(found.id), found.member_no, found.name, found.phone_masked, found.status, found.store_id)


async def _one(import_id: str, caller: StaffCaller) -> ImportOut:
    (shown,) = await _shown([await queries.get_import(import_id)], caller, flaws=imports.MOST_SHOWN)
    return shown


async def _shown(found: Sequence[Import], caller: StaffCaller, *, flaws: int) -> list[ImportOut]:
    counted_alone = await approvals.counted_alone(caller.staff_id)
    names = await auth.staff_names({one.staff_id for one in found})
    claimed = await queries.count_claimed([one.id for one in found])
    return [
        ImportOut(
            **{k: v for k, v in msgspec.structs.asdict(one).items() if k not in ("staff_id", "updated_at")},
            claimed=claimed.get(one.id, 0),
            needs_approval=imports.needs_approval(one, counted_alone),
            results=(counted := await queries.count_results(one.id) if flaws else {}),
            result_texts={code: words.result(code) for code in counted},
            flaws=[
                FlawOut(flaw.row, flaw.field, flaw.message, words.column(flaw), words.text(flaw))
                for flaw in (await queries.list_flaws(one.id, limit=flaws) if flaws else [])
            ],
            staff_name=names.get(one.staff_id, ""),
        )
        for one in found
    ]


def _as_file(name: str, ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.{ending}"', "Cache-Control": "no-store"}
