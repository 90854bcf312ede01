"""A chain and its head office, for those who need a server."""

from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
