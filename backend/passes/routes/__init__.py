"""Calls about passes; those of the till are the till's."""
