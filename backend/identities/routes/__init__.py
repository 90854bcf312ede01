"""The calls of identification that are not the till's."""
