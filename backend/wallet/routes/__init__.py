"""HTTP edges of the wallet: ``member`` for the phone, ``admin`` for head office.

The server takes WeChat's notifications too, so the handlers are registered with the routes.
"""

from .. import handlers as handlers
