"""``huiyuan doctor`` on a good and a bad configuration; secrets stay secret."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from backend.cli import doctor
from backend.engines import datadir
from backend.kernel.config import Settings

DOCTOR = [sys.executable, "-m", "backend.cli.main", "doctor"]


def test_a_demo_is_fit_and_no_secret_is_shown(settings: Settings):
    environ = datadir.environment(settings) | {"COLUMNS": "200"}

    done = subprocess.run(DOCTOR, env=environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
    assert "HUIYUAN_DATABASE_URL" in done.stdout
    assert "huiyuan_app reads the ledger, posts through ledger_post" in done.stdout
    assert "✗" not in done.stdout
    for secret in (settings.master_keys, settings.wechat_api_v3_key, settings.wechat_app_secret):
        assert secret not in done.stdout


def test_the_owner_as_application_role_is_refused(settings: Settings):
    environ = datadir.environment(settings) | {"HUIYUAN_DATABASE_URL": settings.migrate_database_url}

    done = subprocess.run(DOCTOR, env=environ, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "huiyuan_owner can write" in " ".join(done.stdout.split())


def test_every_mistake_in_the_environment_is_listed():
    environ = {key: value for key, value in os.environ.items() if not key.startswith("HUIYUAN_")}
    environ |= {"HUIYUAN_DB_POOL_SIZE": "many", "HUIYUAN_DATABSE_URL": "x"}

    done = subprocess.run(DOCTOR, env=environ, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    for name in ("HUIYUAN_DATABSE_URL: no such setting", "HUIYUAN_DB_POOL_SIZE", "HUIYUAN_DATABASE_URL: is required"):
        assert name in done.stdout


@pytest.mark.parametrize(
    ("value", "secret", "shown"),
    [
        ("postgresql://app:pa55@db/huiyuan", False, "postgresql://app:••••••••@db/huiyuan"),
        ("redis://:pa55@cache:6379/0", False, "redis://:••••••••@cache:6379/0"),
        ("anything", True, "••••••••"),
        ("", True, "—"),
        (True, False, "true"),
    ],
)
def test_values_are_shown_without_their_secrets(value, secret, shown):
    assert doctor.shown(value, secret=secret) == shown
