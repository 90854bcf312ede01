"""The embedded engines."""
