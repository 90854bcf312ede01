"""HTTP edges of orders: ``member`` and ``after`` for the phone, ``pos`` for tills, ``admin`` and ``reports`` for staff.

The server takes WeChat's notifications too, so the handlers are registered with the routes.
"""

from .. import handlers as handlers
