"""HTTP edges of orders: ``member``, ``after``, ``own`` (the phone), ``pos`` (tills), ``admin``, ``reports`` (staff).

The server takes WeChat's notifications too, so the handlers are registered with the routes.
"""

from .. import handlers as handlers
