"""Use cases of contacts: looking somebody up, and reading the card."""
