"""Reads of templates and coupons (public). How a coupon stands is read off the ledger; rows say what it is."""

from .held import find_held, list_held, titles_of
from .issuing import changes, find_batch, find_handout, list_batches, list_handouts
from .names import ReadNames, name_categories_by, names_of
from .rewards import AUTO, find_rewarded_sale, has_rewards, list_rewarding, list_rewards, reason_of
from .standings import Standing, as_issued, count_available, find_coupon, find_made, list_coupons, list_made, state_of
from .templates import (
    MOST_OFFERED,
    RUNNING,
    TEMPLATE,
    Offered,
    find_by_share_token,
    find_template,
    forget_offered,
    list_birthday_titles,
    list_templates,
    list_titles,
    offered,
    offered_on,
    template_of,
)
from .versions import get_version, list_versions

__all__ = [
    "AUTO",
    "MOST_OFFERED",
    "RUNNING",
    "TEMPLATE",
    "Offered",
    "ReadNames",
    "Standing",
    "as_issued",
    "changes",
    "count_available",
    "find_batch",
    "find_by_share_token",
    "find_coupon",
    "find_handout",
    "find_held",
    "find_made",
    "find_rewarded_sale",
    "find_template",
    "forget_offered",
    "get_version",
    "has_rewards",
    "list_batches",
    "list_birthday_titles",
    "list_coupons",
    "list_handouts",
    "list_held",
    "list_made",
    "list_rewarding",
    "list_rewards",
    "list_templates",
    "list_titles",
    "list_versions",
    "name_categories_by",
    "names_of",
    "offered",
    "offered_on",
    "reason_of",
    "state_of",
    "template_of",
    "titles_of",
]
