"""A document as it is printed and signed: one page of HTML with its own style, every text escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape

from .types import Document, DocumentKind, DocumentState

TITLES = {
    DocumentKind.PURCHASE_ORDER: "采购订单",
    DocumentKind.RECEIPT: "采购入库单",
    DocumentKind.PURCHASE_RETURN: "采购退货单",
    DocumentKind.WHOLESALE: "批发销售单",
    DocumentKind.STOCKTAKE: "盘点单",
    DocumentKind.TRANSFER: "调拨单",
}
STATES = {
    DocumentState.DRAFT: "草稿",
    DocumentState.SUBMITTED: "待审核",
    DocumentState.APPROVED: "已审核",
    DocumentState.SHIPPED: "已发出",
    DocumentState.POSTED: "已过账",
    DocumentState.CLOSED: "已结束",
    DocumentState.CANCELLED: "已作废",
}

STYLE = """
body { font: 14px/1.5 system-ui, "PingFang SC", "Noto Sans CJK SC", sans-serif; margin: 16mm; color: #1c1c1e }
h1 { font-size: 22px; margin: 0 0 4mm }
dl { display: grid; grid-template-columns: auto 1fr auto 1fr; gap: 1mm 4mm; margin: 0 0 6mm }
dt { color: #6b6b70 } dd { margin: 0 }
table { width: 100%; border-collapse: collapse }
th, td { border: 1px solid #c7c7cc; padding: 1.5mm 2mm; text-align: left }
.n { text-align: right; font-variant-numeric: tabular-nums }
tr { break-inside: avoid } thead { display: table-header-group }
.sign { display: flex; gap: 16mm; margin-top: 14mm }
.sign span { flex: 1; border-top: 1px solid #1c1c1e; padding-top: 1mm }
"""
POLICY = (
    "default-src 'none'; frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'"
)
"""Lets the page have this one style, and nothing else at all."""


def page(document: Document, names: Mapping[str, str], places: Mapping[str, str], supplier: str | None) -> str:
    """The document as HTML; ``names`` of its articles by SKU, of its places by id, and its supplier's."""
    counted = document.kind is DocumentKind.STOCKTAKE
    facts = [
        ("单号", document.number),
        ("状态", STATES[document.state]),
        ("日期", document.made_on.isoformat()),
        ("地点", places.get(document.place_id, document.place_id)),
    ]
    if document.other_place_id:
        facts.append(("调入", places.get(document.other_place_id, document.other_place_id)))
    if document.supplier_id:
        facts.append(("供应商", supplier or document.supplier_id))
    if document.customer:
        facts.append(("客户", document.customer))
    if document.note:
        facts.append(("备注", document.note))
    heads = ("账面", "实盘", "差异") if counted else ("数量", "单价（元）", "金额（元）")
    rows = "".join(
        f"<tr><td class=n>{line.line_no}</td><td>{escape(line.sku)}</td><td>{escape(names.get(line.sku, ''))}</td>"
        + "".join(f"<td class=n>{cell}</td>" for cell in _cells(counted, line.qty, line.book_qty, line.unit_fen))
        + "</tr>"
        for line in document.lines
    )
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        f"<title>{escape(document.number)}</title><style>{STYLE}</style></head><body>"
        f"<h1>{TITLES[document.kind]}</h1>"
        f"<dl>{''.join(f'<dt>{label}</dt><dd>{escape(text)}</dd>' for label, text in facts)}</dl>"
        "<table><thead><tr><th>#</th><th>商品编码</th><th>名称</th>"
        f"{''.join(f'<th class=n>{head}</th>' for head in heads)}</tr></thead><tbody>{rows}</tbody></table>"
        f"<p class=n>合计 {_yuan(document.total_fen)} 元</p>"
        "<div class=sign><span>制单</span><span>审核</span><span>经手</span></div></body></html>"
    )


def _cells(counted: bool, qty: int, book_qty: int | None, unit_fen: int) -> tuple[object, object, object]:
    if not counted:
        return qty, _yuan(unit_fen), _yuan(qty * unit_fen)
    return (book_qty, qty, f"{qty - book_qty:+d}") if book_qty is not None else ("", "", "")


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
