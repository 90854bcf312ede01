"""A chain, its head office, and members; no campaign of one test runs in the next."""

from tests.support.levels import levels  # noqa: F401 - a fixture
from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
from tests.support.stamps import no_other_campaign  # noqa: F401 - a fixture
