"""Stock: what lies where, what of it is promised to orders, what it cost, and every movement of it.

Words: a *place* is a store or a warehouse; a place keeps stock of an article (SKU) once there is a *level* of it there.
``on_hand`` is what the books say lies there, ``reserved`` what open orders were promised of it, *available* the rest,
never less than nothing. A *movement* is one line of the journal of a level (商品明细帐); a *shortage* is what a till
sold although the books had less.

Invariants: everything goes through one door, ``stock_post`` (``sql/``), which the application may only call. No level
is ever negative, an order is never promised more than is available, and movements are only ever added. The cost is a
moving weighted average kept as a total: a receipt adds what it cost, q of n pieces take ``value × q ÷ n`` rounded down,
the last piece takes the rest, and what comes back comes at the cost at which it went. ``huiyuan audit`` proves it.
"""
