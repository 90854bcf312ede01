"""Reads of bills, items, differences and clearing (public)."""

from .bills import find_bill, list_bills, list_days, list_items
from .clearing import Filter as FlowFilter
from .clearing import find_settlement, is_counting, list_flow_lines, list_flows, list_settlements
from .differences import Filter, find_difference, list_differences, list_steps

__all__ = [
    "Filter",
    "FlowFilter",
    "find_bill",
    "find_difference",
    "find_settlement",
    "is_counting",
    "list_bills",
    "list_days",
    "list_differences",
    "list_flow_lines",
    "list_flows",
    "list_items",
    "list_settlements",
    "list_steps",
]
