"""The calls of customer service: the desk's, head office's, and the member's own chat.

A server hears of customers' messages itself: the handlers register them.
"""

from .. import handlers as handlers
