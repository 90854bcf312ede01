"""Refusals of customer service."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class ReplyWindowClosed(DomainError):
    """WeChat lets us answer within 48 hours after the customer wrote, or a minute after the chat was opened."""

    code = "reply_window_closed"
    kind = Kind.CONFLICT


class ReplyQuotaSpent(DomainError):
    """WeChat lets us send no more messages before the customer writes again."""

    code = "reply_quota_spent"
    kind = Kind.CONFLICT


class ConversationTaken(DomainError):
    """Somebody else has this conversation."""

    code = "conversation_taken"
    kind = Kind.CONFLICT


class ConversationNotYours(DomainError):
    """Claim the conversation first: only who has it answers, transfers and closes it."""

    code = "conversation_not_yours"
    kind = Kind.CONFLICT
