"""How things look outside: ``orders`` to whoever buys, ``after`` once they have, ``delivery`` where it is sent."""
