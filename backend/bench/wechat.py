"""WeChat for a benchmark: the simulator in a process of its own, so that its work does not count as the server's."""

from __future__ import annotations

import socket
import sys

import uvicorn

from backend.app import simulator_config
from backend.kernel import config
from miniapp_mock import simulator


def main() -> None:
    """Serve on the inherited socket whose number is the argument."""
    app = simulator.build(simulator_config(config.settings()))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", access_log=False, log_level="warning"))
    # As a socket that knows it is TCP: asyncio turns Nagle off only for those, and with it on an answer waits 40 ms.
    server.run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    main()
