"""The machine that the server runs on."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

from .findings import Report, Subject

LEAST_FILES = 4096


def limits(subject: Subject) -> Report:
    """Are there enough file descriptors, and is the directory for shared figures there?"""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    report = Report(
        f"Python {'.'.join(map(str, sys.version_info[:3]))} ({sys.executable}), {soft} open files a process"
    )
    if soft < LEAST_FILES:
        report.warn(
            "few_open_files",
            f"a process may open {soft} files",
            causes="at about as many phones on the live channel new connections are refused",
            do="set LimitNOFILE=65536 in the systemd unit (or `ulimit -n 65536` before the start)",
        )
    shared = subject.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
    if shared and not (Path(shared).is_dir() and os.access(shared, os.W_OK)):
        report.error(
            "metrics_directory",
            f"PROMETHEUS_MULTIPROC_DIR={shared} is no directory that can be written",
            causes="`huiyuan worker` does not start, and /metrics lacks its figures",
            do="let systemd make it: RuntimeDirectory= in both units, as in deploy/systemd",
        )
    return report
