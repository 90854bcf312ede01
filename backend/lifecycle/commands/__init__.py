"""Use cases of levels and stages."""
