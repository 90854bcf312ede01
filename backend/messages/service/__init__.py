"""Writes that take an open transaction (public): letters, what becomes of them, and what members agree to."""

from ..queries.templates import declare
from .codes import send_sms, sms_possible
from .consents import set_consent
from .posting import Receiver, post_by
from .recording import record
from .sending import send

__all__ = ["Receiver", "declare", "post_by", "record", "send", "send_sms", "set_consent", "sms_possible"]
