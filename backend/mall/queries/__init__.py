"""Reads of the catalogue (public)."""

from .classes import STANDARD_RATE_BP, category_names, find_classes, forget_classes, search_articles
from .media import find_image
from .names import find_article_names, find_supplier_names
from .offers import Offer, find_offers, find_sellable, forget_offers, picture_url, sellable
from .places import banners_of, forget_places, list_banners, list_store_pictures, places
from .products import find_page, find_product, forget_products, know_stock_by
from .tree import Shelves, forget_shelves, shelves
from .uploads import UPLOADS, find_upload, upload_address

__all__ = [
    "STANDARD_RATE_BP",
    "UPLOADS",
    "Offer",
    "Shelves",
    "banners_of",
    "category_names",
    "find_article_names",
    "find_classes",
    "find_image",
    "find_offers",
    "find_page",
    "find_product",
    "find_sellable",
    "find_supplier_names",
    "find_upload",
    "forget",
    "forget_classes",
    "forget_offers",
    "know_stock_by",
    "list_banners",
    "list_store_pictures",
    "picture_url",
    "places",
    "search_articles",
    "sellable",
    "shelves",
    "upload_address",
]


def forget() -> None:
    """Read everything anew from the next question on: the catalogue was changed here."""
    forget_classes()
    forget_offers()
    forget_places()
    forget_products()
    forget_shelves()
