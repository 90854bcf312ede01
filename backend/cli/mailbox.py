"""The demo's mail server: a process that takes what the demo writes by e-mail and sends none of it on."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import suppress

from backend.app import mail_config
from backend.kernel import config, logging
from miniapp_mock.simulator import MailServer, build_mail


def run(fd: int) -> None:
    """Take letters on this listening socket until SIGTERM."""
    settings = config.settings()
    logging.configure(settings)
    asyncio.run(_serve(socket.socket(fileno=fd)))


async def _serve(listening: socket.socket) -> None:
    mailbox = build_mail(mail_config(config.settings()))
    serving = asyncio.create_task(MailServer(mailbox.take).serve(listening))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    try:
        with suppress(asyncio.CancelledError):
            await serving
    finally:
        await mailbox.aclose()
