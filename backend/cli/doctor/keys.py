"""Master keys, and the files that hold private keys."""

from __future__ import annotations

import stat
from pathlib import Path

from backend.kernel.config import read_master_keys
from backend.kernel.vault import Vault

from .findings import Report, Subject

_LEAST_DIFFERENT_BYTES = 16
"""32 random bytes have 30 different ones on average; fewer than 16 never happen."""

_DEMO_PREFIX = "demo"


def master_keys(subject: Subject) -> Report:
    """Are they random, each its own, and not those of a demo?"""
    keys = read_master_keys(subject.settings.master_keys)
    made = Vault(subject.settings.master_keys)
    report = Report(f"{len(keys)} key(s), {made.current_key_id!r} encrypts")
    if made.open(made.seal(b"probe", context="doctor"), context="doctor") != b"probe":
        report.error(
            "master_key_broken", "it does not open what it sealed", causes="no login works", do="make new ones"
        )
    weak = [key_id for key_id, key in keys.items() if len(set(key)) < _LEAST_DIFFERENT_BYTES]
    if weak:
        report.error(
            "master_key_weak",
            f"master key {', '.join(weak)} is not random",
            causes="tokens can be forged, and phone numbers read from a copy of the database",
            do="make a random one, see Install in docs/operations.md, and put it in front",
        )
    if len(set(keys.values())) < len(keys):
        report.error(
            "master_key_twice",
            "two master keys have the same bytes",
            causes="the rotation changed nothing: what knew the old key knows the new one",
            do="replace the first one by a new random key, and restart all processes",
        )
    if subject.production and any(key_id.startswith(_DEMO_PREFIX) for key_id in keys):
        report.error(
            "master_key_of_demo",
            "a master key was made by `huiyuan demo`",
            causes="whoever has the demo's directory can forge tokens",
            do="make a key of your own; keep the demo's last only where members were taken over from it",
        )
    return report


def files(subject: Subject) -> Report:
    """Can only their owner read the private keys?"""
    name = subject.settings.wechat_mch_key_file
    report = Report(f"{name}: private" if name else "none")
    if name and Path(name).stat().st_mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        report.error(
            "key_file_readable",
            f"{name} can be read by every account of this machine",
            causes="whoever reads it can pay out of the merchant's account",
            do=f"chmod 600 {name}, and have WeChat replace the certificate if strangers had access",
        )
    return report
