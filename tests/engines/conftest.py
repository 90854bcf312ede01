"""Engines of their own, for tests that kill and restart them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.engines.embedded import Engines


@pytest.fixture(scope="package")
def small_data() -> Iterator[Path]:
    """A data directory with a cluster in it that no test session depends on."""
    data = Path(tempfile.mkdtemp(prefix="huiyuan-small-", dir="/tmp"))
    with Engines(data):
        pass
    yield data
    shutil.rmtree(data, ignore_errors=True)
