"""A chain, its head office, and members; no survey of one test runs in the next."""

from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
from tests.support.surveys import no_other_survey  # noqa: F401 - a fixture
