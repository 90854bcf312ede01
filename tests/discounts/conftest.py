"""A chain, its head office, and members."""

from __future__ import annotations

from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
