"""The catalogue as CSV and XLSX, out and in."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import sheets
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Idempotency, Reply, Request, Router
from backend.kernel.http.errors import UnsupportedMediaType
from backend.kernel.incoming import MOST_BYTES, MOST_IMPORT_BYTES
from backend.ledger.errors import IdempotencyConflict

from ..commands import imports, tables
from ..errors import CatalogueConflict
from ..queries import imports as queries
from ..rules.tables import RowFlaw
from ..schemas.tables import ImportJobOut, ImportJobsOut, ImportOut, ImportQuery, ImportsQuery, RowErrorOut

router = Router(tag="mall")

_MALL = "/v1/admin/mall"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV = "text/csv"
_REFUSED = (ValidationFailed, CatalogueConflict, UnsupportedMediaType)


@router.get(
    f"{_MALL}/export.csv",
    guard=staff(Permission.CATALOGUE_INSPECT),
    summary="导出商品（CSV）",
    errors=(ValidationFailed,),
)
async def export_csv(caller: StaffCaller) -> Reply:
    """All articles, a row each, in UTF-8; what a spreadsheet would take for a formula is escaped."""
    return await _exported("csv")


@router.get(
    f"{_MALL}/export.xlsx",
    guard=staff(Permission.CATALOGUE_INSPECT),
    summary="导出商品（XLSX）",
    errors=(ValidationFailed,),
)
async def export_xlsx(caller: StaffCaller) -> Reply:
    """All articles, a row each, as a workbook."""
    return await _exported("xlsx")


async def _exported(form: sheets.Format) -> Reply:
    body = await sheets.stream(form, "商品", tables.HEADING, tables.export())
    return Reply(body, sheets.MEDIA_TYPES[form], headers=_as_file("articles", form))


@router.post(
    f"{_MALL}/import.csv",
    guard=staff(Permission.CATALOGUE_WRITE),
    body_limit=MOST_BYTES,
    summary="导入商品（CSV）",
    errors=_REFUSED,
)
async def import_csv(caller: StaffCaller, query: ImportQuery, body: bytes, request: Request) -> ImportOut:
    """Add and change what the table says, all or nothing; at most 20,000 rows and 8 MiB. Columns as exported.

    A column that is not there leaves what is known; articles that are not in the table stay as they are.
    """
    _check_type(request, _CSV)
    return await _import(caller, query, body, "csv")


@router.post(
    f"{_MALL}/import.xlsx",
    guard=staff(Permission.CATALOGUE_WRITE),
    body_limit=MOST_BYTES,
    summary="导入商品（XLSX）",
    errors=_REFUSED,
)
async def import_xlsx(caller: StaffCaller, query: ImportQuery, body: bytes, request: Request) -> ImportOut:
    """The same from a workbook's first sheet."""
    _check_type(request, _XLSX)
    return await _import(caller, query, body, "xlsx")


def _check_type(request: Request, media_type: str) -> None:
    if not request.headers.get("content-type", "").startswith((media_type, "application/octet-stream")):
        raise UnsupportedMediaType(f"the body must be the table: Content-Type {media_type}")


async def _import(caller: StaffCaller, query: ImportQuery, body: bytes, kind: str) -> ImportOut:
    found = await tables.import_table(body, kind, dry_run=query.dry_run, staff_id=caller.staff_id)
    return ImportOut(
        found.rows,
        found.products_new,
        found.products_changed,
        found.articles_new,
        found.articles_changed,
        [RowErrorOut(flaw.row, flaw.field, flaw.message) for flaw in found.flaws],
    )


@router.post(
    f"{_MALL}/imports",
    guard=staff(Permission.CATALOGUE_WRITE),
    status=202,
    idempotent=True,
    body_limit=MOST_IMPORT_BYTES,
    summary="导入大表",
    errors=(ValidationFailed, UnsupportedMediaType, IdempotencyConflict),
)
async def begin_import(
    caller: StaffCaller, query: ImportsQuery, body: bytes, request: Request, idem: Idempotency
) -> ImportJobOut:
    """Take in a table of at most 100,000 rows and 16 MiB, which a job then imports; ask for the import how far it is.

    Sent again with the same key it is the same import.
    """
    _check_type(request, _CSV if query.kind == "csv" else _XLSX)
    import_id = await imports.begin(body, query.kind, query.on_error, key=idem.key, staff_id=caller.staff_id)
    return await _job(import_id)


@router.get(f"{_MALL}/imports", guard=staff(Permission.CATALOGUE_WRITE), summary="导入任务")
async def list_imports(caller: StaffCaller) -> ImportJobsOut:
    """The last fifty imports of large tables."""
    return ImportJobsOut([_job_out(found, []) for found in await queries.list_imports()])


@router.get(
    f"{_MALL}/imports/{{import_id}}", guard=staff(Permission.CATALOGUE_WRITE), summary="导入进度", errors=(NotFound,)
)
async def get_import(caller: StaffCaller, import_id: str) -> ImportJobOut:
    """How far an import is, what it did, and what is wrong with its rows."""
    return await _job(import_id)


@router.get(
    f"{_MALL}/imports/{{import_id}}/errors.csv",
    guard=staff(Permission.CATALOGUE_WRITE),
    summary="导入错误（CSV）",
    errors=(NotFound,),
)
async def export_import_errors(caller: StaffCaller, import_id: str) -> Reply:
    """Everything that is wrong with its rows, by row and column."""
    await queries.get_import(import_id)
    body = await sheets.stream("csv", "错误", ("row", "field", "message"), queries.flaw_pages(import_id))
    return Reply(body, sheets.MEDIA_TYPES["csv"], headers=_as_file(f"errors-{import_id}", "csv"))


async def _job(import_id: str) -> ImportJobOut:
    return _job_out(await queries.get_import(import_id), await queries.list_flaws(import_id))


def _job_out(found: queries.Import, flaws: Sequence[RowFlaw]) -> ImportJobOut:
    fields = msgspec.structs.asdict(found) | {"staff_id": str(found.staff_id)}
    return ImportJobOut(**fields, errors=[RowErrorOut(flaw.row, flaw.field, flaw.message) for flaw in flaws])


def _as_file(name: str, ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.{ending}"', "Cache-Control": "no-store"}
