"""Calls about levels and stages."""
