"""Use cases of passes."""
