"""A chain, its head office, a member with a phone, and channels that note what they are given."""

from tests.support.messages import fake_channels, no_other_letter  # noqa: F401 - fixtures
from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
