"""Use cases of points."""
