"""The gift cards' calls, by who makes them."""
