"""The session's engines and server in the place of a system that a benchmark starts for itself."""

from __future__ import annotations

import os

import pytest

from backend.bench.system import System


@pytest.fixture(scope="module")
def system(server, engines, tmp_path_factory: pytest.TempPathFactory) -> System:
    """What a benchmark measures: this process serves."""
    host, port = server.base_url.removeprefix("http://").split(":")
    return System(
        settings=server.settings,
        host=host,
        port=int(port),
        servers=lambda: [os.getpid()],
        engines=engines,
        scratch=tmp_path_factory.mktemp("bench"),
    )
