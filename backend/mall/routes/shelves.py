"""Head office's calls about categories, brands, suppliers and attributes."""

from __future__ import annotations

import msgspec

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Router
from backend.kernel.paging import make_cursor, read_cursor

from .. import queries
from ..commands import shelves
from ..errors import StillInUse
from ..queries import rows
from ..schemas.admin import (
    AfterQuery,
    AttributeIn,
    AttributesOut,
    BrandIn,
    BrandsOut,
    CategoriesOut,
    CategoryIn,
    SupplierCategoriesOut,
    SupplierCategoryIn,
    SupplierIn,
    SupplierOut,
    SuppliersOut,
)
from ..schemas.phone import NamedOut
from ..schemas.words import Code32

router = Router(tag="mall")

_MALL = "/v1/admin/mall"
_CATEGORY = f"{_MALL}/categories/{{category_code}}"
_BRAND = f"{_MALL}/brands/{{brand_code}}"
_ATTRIBUTE = f"{_MALL}/attributes/{{attribute_code}}"
_SUPPLIER = f"{_MALL}/suppliers/{{supplier_code}}"
_SUPPLIER_CATEGORY = f"{_MALL}/supplier-categories/{{supplier_category_code}}"
_PUT = (ValidationFailed,)
_REMOVE = (NotFound, StillInUse)
PAGE = 200


@router.get(f"{_MALL}/categories", guard=staff(Permission.CATALOGUE_READ), summary="商品分类")
async def list_categories(caller: StaffCaller) -> CategoriesOut:
    """Every category; ``parent`` says under which each lies."""
    return CategoriesOut(list((await queries.shelves()).categories.values()))


@router.put(_CATEGORY, guard=staff(Permission.CATALOGUE_WRITE), summary="保存商品分类", errors=_PUT)
async def put_category(caller: StaffCaller, category_code: Code32, body: CategoryIn) -> None:
    """Add a category or put it in another's place."""
    await shelves.put_category(category_code, body, caller.staff_id)


@router.delete(_CATEGORY, guard=staff(Permission.CATALOGUE_WRITE), summary="删除商品分类", errors=_REMOVE)
async def remove_category(caller: StaffCaller, category_code: str) -> None:
    """Delete a category that no article names and none lies under."""
    await shelves.remove("category", category_code, caller.staff_id)


@router.get(f"{_MALL}/brands", guard=staff(Permission.CATALOGUE_READ), summary="品牌")
async def list_brands(caller: StaffCaller) -> BrandsOut:
    """Every brand."""
    return BrandsOut(list((await queries.shelves()).brands.values()))


@router.put(_BRAND, guard=staff(Permission.CATALOGUE_WRITE), summary="保存品牌", errors=_PUT)
async def put_brand(caller: StaffCaller, brand_code: Code32, body: BrandIn) -> None:
    """Add a brand or put it in another's place."""
    await shelves.put_brand(brand_code, body, caller.staff_id)


@router.delete(_BRAND, guard=staff(Permission.CATALOGUE_WRITE), summary="删除品牌", errors=_REMOVE)
async def remove_brand(caller: StaffCaller, brand_code: str) -> None:
    """Delete a brand that no article names."""
    await shelves.remove("brand", brand_code, caller.staff_id)


@router.get(f"{_MALL}/attributes", guard=staff(Permission.CATALOGUE_READ), summary="商品属性")
async def list_attributes(caller: StaffCaller) -> AttributesOut:
    """Everything that is said of products."""
    return AttributesOut(list((await queries.shelves()).attributes.values()))


@router.put(_ATTRIBUTE, guard=staff(Permission.CATALOGUE_WRITE), summary="保存商品属性", errors=(*_PUT, StillInUse))
async def put_attribute(caller: StaffCaller, attribute_code: Code32, body: AttributeIn) -> None:
    """Add an attribute or change it; its kind stays while products have values of it."""
    await shelves.put_attribute(attribute_code, body, caller.staff_id)


@router.delete(_ATTRIBUTE, guard=staff(Permission.CATALOGUE_WRITE), summary="删除商品属性", errors=_REMOVE)
async def remove_attribute(caller: StaffCaller, attribute_code: str) -> None:
    """Delete an attribute of which no product has a value."""
    await shelves.remove("attribute", attribute_code, caller.staff_id)


@router.get(f"{_MALL}/supplier-categories", guard=staff(Permission.CATALOGUE_INSPECT), summary="供应商分类")
async def list_supplier_categories(caller: StaffCaller) -> SupplierCategoriesOut:
    """Every kind of suppliers."""
    return SupplierCategoriesOut([NamedOut(code, name) for code, name in await rows.list_supplier_categories()])


@router.put(_SUPPLIER_CATEGORY, guard=staff(Permission.CATALOGUE_WRITE), summary="保存供应商分类", errors=_PUT)
async def put_supplier_category(caller: StaffCaller, supplier_category_code: Code32, body: SupplierCategoryIn) -> None:
    """Add a kind of suppliers, or call it otherwise."""
    await shelves.put_supplier_category(supplier_category_code, body, caller.staff_id)


@router.delete(_SUPPLIER_CATEGORY, guard=staff(Permission.CATALOGUE_WRITE), summary="删除供应商分类", errors=_REMOVE)
async def remove_supplier_category(caller: StaffCaller, supplier_category_code: str) -> None:
    """Delete a kind of suppliers that no supplier is of."""
    await shelves.remove("supplier_category", supplier_category_code, caller.staff_id)


@router.get(
    f"{_MALL}/suppliers", guard=staff(Permission.CATALOGUE_INSPECT), summary="供应商", errors=(ValidationFailed,)
)
async def list_suppliers(caller: StaffCaller, query: AfterQuery) -> SuppliersOut:
    """Two hundred suppliers by code."""
    parts = read_cursor(query.cursor, 1) if query.cursor is not None else [""]
    if parts is None:
        raise invalid("/query/cursor", "not a cursor of this list")
    found = await rows.list_suppliers(parts[0], PAGE + 1)
    items = [msgspec.convert(msgspec.structs.asdict(item), SupplierOut) for item in found[:PAGE]]
    return SuppliersOut(items, make_cursor(items[-1].code) if len(found) > PAGE else None)


@router.put(_SUPPLIER, guard=staff(Permission.CATALOGUE_WRITE), summary="保存供应商", errors=_PUT)
async def put_supplier(caller: StaffCaller, supplier_code: Code32, body: SupplierIn) -> None:
    """Add a supplier or put them in another's place."""
    await shelves.put_supplier(supplier_code, body, caller.staff_id)


@router.delete(_SUPPLIER, guard=staff(Permission.CATALOGUE_WRITE), summary="删除供应商", errors=_REMOVE)
async def remove_supplier(caller: StaffCaller, supplier_code: str) -> None:
    """Delete a supplier that no article names; otherwise make them inactive."""
    await shelves.remove("supplier", supplier_code, caller.staff_id)
