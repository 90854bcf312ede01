"""The POS guide's examples run as printed."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.members import register
from tests.support.pos import Till
from tests.support.seed import seed_chain

GUIDE = (Path(__file__).parents[2] / "docs" / "pos-integration.md").read_text(encoding="utf-8")


def example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def till(server) -> Till:
    return (await seed_chain(server.base_url)).till


async def run(command: list[str], till: Till, **more: str) -> dict:
    environ = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HUIYUAN_BASE": till.base_url,
        "HUIYUAN_TERMINAL": till.terminal_id,
        "HUIYUAN_SECRET": till.secret,
    }
    process = await asyncio.create_subprocess_exec(
        *command, env=environ | more, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, error = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, error.decode()
    answer: dict = json.loads(out)
    return answer


async def test_the_python_example_signs_rightly(till):
    answer = await run([sys.executable, "-c", example("python")], till)

    assert answer["terminal"]["id"] == till.terminal_id


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="curl or openssl is not installed")
async def test_the_shell_example_signs_rightly(client, till):
    phone = await register(client)

    answer = await run(["sh", "-c", example("sh")], till, CODE=phone.code())

    assert answer["payable_fen"] == 250
