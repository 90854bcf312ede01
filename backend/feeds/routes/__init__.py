"""The calls of the feed."""
