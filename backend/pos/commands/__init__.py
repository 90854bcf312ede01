"""The till's use cases; each posts one plan."""
