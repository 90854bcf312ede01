"""Use cases of customer service."""
