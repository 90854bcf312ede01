"""Reads of letters, templates and consents (public)."""

from .batches import BATCH, batch_changes, batch_of, count_deliveries, find_batch, list_batches
from .consents import Word, list_consent_changes, list_consents, refused_in
from .inbox import count_unread, find_letter, list_inbox
from .letters import list_letters
from .subscriptions import list_subscriptions
from .templates import (
    MOST,
    changes,
    declare,
    find_builtin,
    find_template,
    find_version,
    forget_templates,
    list_templates,
    list_versions,
)

__all__ = [
    "BATCH", "MOST", "Word", "batch_changes", "batch_of", "changes", "count_deliveries", "count_unread", "declare",
    "find_batch", "find_builtin", "find_letter", "find_template", "find_version", "forget_templates", "list_batches",
    "list_consent_changes", "list_consents", "list_inbox", "list_letters", "list_subscriptions", "list_templates",
    "list_versions", "refused_in",
]  # fmt: skip
