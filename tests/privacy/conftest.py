"""A chain, its head office, and members."""

from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
