"""The catalogue as CSV and XLSX, out and in."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Role, StaffCaller
from backend.kernel.errors import ValidationFailed
from backend.kernel.http import Reply, Request, Router
from backend.kernel.http.errors import UnsupportedMediaType

from ..commands import tables
from ..errors import CatalogueConflict
from ..schemas.admin import ImportOut, ImportQuery, RowErrorOut
from ..sheets import MOST_BYTES

router = Router(tag="mall")

_ADMIN = staff(Role.ADMIN)
_MALL = "/v1/admin/mall"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV = "text/csv"
_REFUSED = (ValidationFailed, CatalogueConflict, UnsupportedMediaType)


@router.get(f"{_MALL}/export.csv", guard=_ADMIN, summary="导出商品（CSV）", errors=(ValidationFailed,))
async def export_csv(caller: StaffCaller) -> Reply:
    """All articles, a row each, in UTF-8; what a spreadsheet would take for a formula is escaped."""
    return Reply(await tables.export("csv"), "text/csv; charset=utf-8", headers=_as_file("csv"))


@router.get(f"{_MALL}/export.xlsx", guard=_ADMIN, summary="导出商品（XLSX）", errors=(ValidationFailed,))
async def export_xlsx(caller: StaffCaller) -> Reply:
    """All articles, a row each, as a workbook."""
    return Reply(await tables.export("xlsx"), _XLSX, headers=_as_file("xlsx"))


@router.post(f"{_MALL}/import.csv", guard=_ADMIN, body_limit=MOST_BYTES, summary="导入商品（CSV）", errors=_REFUSED)
async def import_csv(caller: StaffCaller, query: ImportQuery, body: bytes, request: Request) -> ImportOut:
    """Add and change what the table says, all or nothing; at most 20,000 rows and 8 MiB. Columns as exported.

    A column that is not there leaves what is known; articles that are not in the table stay as they are.
    """
    _check_type(request, _CSV)
    return await _import(caller, query, body, "csv")


@router.post(f"{_MALL}/import.xlsx", guard=_ADMIN, body_limit=MOST_BYTES, summary="导入商品（XLSX）", errors=_REFUSED)
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


def _as_file(ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="articles.{ending}"', "Cache-Control": "no-store"}
