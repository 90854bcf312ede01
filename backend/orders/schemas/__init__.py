"""Bodies and answers: ``orders`` for cart, quote and order, ``after`` for what follows, ``delivery`` for addresses."""
