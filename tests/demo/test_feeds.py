"""The demo's other system: it is called, and takes only what is signed."""

from __future__ import annotations

import pytest_asyncio

from backend.app import MIS_PATH
from backend.demo import feeds
from backend.demo.load import _load_chain
from backend.feeds.commands import delivering, numbering
from backend.worker import load
from tests.support.messages import many_members


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def filled(settings, server):
    load()
    await _load_chain()
    people = await many_members(9, "S001")
    await feeds.load(settings)
    await numbering.number()
    await delivering.deliver_due()
    return people


async def test_it_heard_of_the_last_members(filled, client):
    (call,) = (await client.get(f"{MIS_PATH}/calls")).json()["items"]

    assert call["type"] == "members.changed"
    assert {item["member"]["id"] for item in call["data"]} == {str(one) for one in filled}


async def test_what_is_not_signed_is_refused_and_not_kept(filled, client):
    headers = {"webhook-id": "W1", "webhook-timestamp": "1795845662", "webhook-signature": "v1,AAAA"}

    refused = await client.post(f"{MIS_PATH}/hook", json={"type": "x", "data": []}, headers=headers)

    assert refused.status_code == 401
    assert len((await client.get(f"{MIS_PATH}/calls")).json()["items"]) == 1
