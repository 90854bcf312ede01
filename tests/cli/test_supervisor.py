"""What looks after the processes of a running system."""

from __future__ import annotations

import os
import signal
import threading

from backend.cli.supervisor import Stopping, interruptible


def test_a_signal_in_whichever_moment_of_the_wait_ends_it():
    for nth in range(100):
        stopping = Stopping()
        with interruptible(stopping) as started:
            started()
            sender = threading.Timer(nth * 10e-6, os.kill, (os.getpid(), signal.SIGINT))
            sender.start()
            while not stopping.wait(0):
                pass
            sender.join()

        assert stopping.is_set()
