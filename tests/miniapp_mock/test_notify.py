"""Notifications: signed, encrypted, repeated until taken, and gone wrong on request."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from miniapp_mock.simulator import Simulator, SimulatorConfig, build
from miniapp_mock.simulator.faults import KINDS
from miniapp_mock.simulator.notify import LOST
from tests.miniapp_mock.merchant import MOUNT, Merchant, Receiver


async def paid(merchant: Merchant, out_trade_no: str = "R202611230001") -> str:
    await merchant.order(out_trade_no)
    assert (await merchant.pay(out_trade_no)).status_code == 200
    return out_trade_no


def opened(merchant: Merchant, receiver: Receiver) -> list[Any]:
    return [merchant.open(json.loads(body)["resource"]) for _, body in receiver.seen]


async def items(merchant: Merchant) -> list[Any]:
    found: list[Any] = (await merchant.http.get(f"{MOUNT}/notifications")).json()["items"]
    return found


async def settled(merchant: Merchant) -> list[Any]:
    """The notifications, once all are; a merchant sees one a moment before the simulator notes that it was taken."""
    async with asyncio.timeout(60):
        while "pending" in [item["state"] for item in await items(merchant)]:
            await asyncio.sleep(0.005)
    return await items(merchant)


async def test_a_payment_is_notified_once_signed_and_encrypted(merchant: Merchant, receiver: Receiver, until):
    began = int(time.time())
    await paid(merchant)
    await until(lambda: receiver.seen)
    noted = await settled(merchant)

    [(headers, body)] = receiver.seen
    envelope = json.loads(body)
    resource = merchant.open(envelope["resource"])
    assert merchant.verifies(headers, body)
    assert headers["content-type"] == "application/json"
    assert began <= int(headers["wechatpay-timestamp"]) <= time.time()
    assert envelope["event_type"] == "TRANSACTION.SUCCESS"
    assert envelope["resource"]["original_type"] == envelope["resource"]["associated_data"] == "transaction"
    assert resource == await merchant.query("R202611230001")
    assert [(item["state"], item["last_status"]) for item in noted] == [("taken", 204)]


async def test_both_names_of_the_platforms_key_occur(merchant: Merchant, receiver: Receiver, until):
    await paid(merchant, "R202611230001")
    await paid(merchant, "R202611230002")
    await until(lambda: len(receiver.seen) == 2)

    serials = {headers["wechatpay-serial"] for headers, _ in receiver.seen}

    assert serials == {merchant.config.platform_serial, merchant.config.platform_public_key_id}


async def test_repeats_until_the_merchant_takes_it(merchant: Merchant, receiver: Receiver, until):
    receiver.answers = [500, 401, 301, 200]

    await paid(merchant)
    await until(lambda: len(receiver.seen) == 4)
    [item] = await settled(merchant)

    assert len(receiver.seen) == 4
    assert len({body for _, body in receiver.seen}) == 1
    assert len({headers["wechatpay-nonce"] for headers, _ in receiver.seen}) == 4
    assert (item["state"], item["attempts"], item["last_status"]) == ("taken", 4, 200)


async def test_a_refund_is_notified(merchant: Merchant, receiver: Receiver, until):
    await paid(merchant)
    await merchant.refund("R202611230001", "F1", 200)
    await until(lambda: len(receiver.seen) == 2)

    envelope = json.loads(receiver.seen[1][1])
    resource = merchant.open(envelope["resource"])
    assert envelope["event_type"] == "REFUND.SUCCESS"
    assert envelope["resource"]["original_type"] == envelope["resource"]["associated_data"] == "refund"
    assert resource["refund_status"] == "SUCCESS"
    assert resource["amount"] == {"total": 500, "refund": 200, "payer_total": 500, "payer_refund": 200}


async def test_sends_as_many_more_as_told(merchant: Merchant, receiver: Receiver, until):
    await merchant.faults(duplicate=3)

    await paid(merchant)
    await until(lambda: len(receiver.seen) == 4)

    assert len({json.loads(body)["id"] for _, body in receiver.seen}) == 1
    assert all(merchant.verifies(headers, body) for headers, body in receiver.seen)


async def test_waits_as_long_as_told(merchant: Merchant, receiver: Receiver, until):
    await merchant.faults(delay_s=0.2)
    started = time.monotonic()

    await paid(merchant)
    await until(lambda: receiver.seen)

    assert time.monotonic() - started > 0.15  # a loop's clock may be behind the machine's


async def test_never_sends_what_is_dropped(merchant: Merchant, receiver: Receiver):
    await merchant.faults(drop=True)
    await paid(merchant)
    await merchant.faults()
    await asyncio.sleep(0.05)

    assert receiver.seen == []
    assert [item["state"] for item in await items(merchant)] == ["dropped"]
    assert (await merchant.query("R202611230001"))["trade_state"] == "SUCCESS"


async def test_holds_one_back_until_the_next_was_sent(merchant: Merchant, receiver: Receiver, until):
    await merchant.faults(reorder=True)

    await paid(merchant, "R202611230001")
    await asyncio.sleep(0.05)
    held = list(receiver.seen)
    await paid(merchant, "R202611230002")
    await until(lambda: len(receiver.seen) == 2)

    assert held == []
    assert [resource["out_trade_no"] for resource in opened(merchant, receiver)] == ["R202611230002", "R202611230001"]


async def test_a_refund_overtakes_its_payment(merchant: Merchant, receiver: Receiver, until):
    await merchant.faults(reorder=True)

    await paid(merchant)
    await merchant.refund("R202611230001", "F1", 500)
    await until(lambda: len(receiver.seen) == 2)

    events = [json.loads(body)["event_type"] for _, body in receiver.seen]
    assert events == ["REFUND.SUCCESS", "TRANSACTION.SUCCESS"]


async def test_what_is_held_goes_out_when_the_fault_ends(merchant: Merchant, receiver: Receiver, until):
    await merchant.faults(reorder=True)
    await paid(merchant)

    await merchant.faults()

    await until(lambda: len(receiver.seen) == 1)


@pytest.mark.parametrize("kind", ["unsigned", "signature", "body", "probe"])
async def test_a_forged_signature_is_not_the_platforms(merchant: Merchant, receiver: Receiver, until, kind: str):
    await merchant.faults(forge=kind, drop=True)

    await paid(merchant)
    await until(lambda: receiver.seen)

    [(headers, body)] = receiver.seen
    assert not merchant.verifies(headers, body)
    assert headers.get("wechatpay-signature", "").startswith("WECHATPAY/SIGNTEST/") is (kind == "probe")


async def test_a_forgery_may_be_signed_and_still_lie(merchant: Merchant, receiver: Receiver, until):
    kinds = ["serial", "timestamp", "ciphertext", "amount", "mchid", "appid", "currency", "order"]
    await merchant.faults(forge=kinds, drop=True)

    await paid(merchant)
    await until(lambda: len(receiver.seen) == len(kinds))

    assert all(merchant.verifies(headers, body) for headers, body in receiver.seen)
    known = (merchant.config.platform_serial, merchant.config.platform_public_key_id)
    strange = [headers for headers, _ in receiver.seen if headers["wechatpay-serial"] not in known]
    stale = [h for h, _ in receiver.seen if int(h["wechatpay-timestamp"]) < time.time() - 3000]
    true = await merchant.query("R202611230001")
    lies = []
    closed = 0
    for _, body in receiver.seen:
        try:
            resource = merchant.open(json.loads(body)["resource"])
        except Exception:
            closed += 1
            continue
        lies += [name for name in true if resource[name] != true[name]]
    assert (len(strange), len(stale), closed) == (1, 1, 1)
    assert sorted(lies) == ["amount", "amount", "appid", "mchid", "out_trade_no"]


async def test_true_forges_every_kind_beside_the_genuine_one(merchant: Merchant, receiver: Receiver, until):
    await merchant.faults(forge=True)

    await paid(merchant)
    await until(lambda: len(receiver.seen) == len(KINDS) + 1)
    receiver.answers = [500] * 99

    kinds = sorted(item["kind"] for item in await items(merchant))
    assert kinds == sorted([*KINDS, "genuine"])


async def test_a_refused_forgery_is_not_repeated(merchant: Merchant, receiver: Receiver, until):
    receiver.answers = [401] * 9
    await merchant.faults(forge="amount", drop=True)

    await paid(merchant)
    await until(lambda: receiver.seen)
    await asyncio.sleep(0.1)

    assert len(receiver.seen) == 1


@pytest.mark.parametrize(
    "faults",
    [
        {"twice": 1},
        {"duplicate": 21},
        {"delay_s": -1},
        {"delay_s": "1"},
        {"forge": "everything"},
        {"forge": [1]},
        [],
    ],
)
async def test_refuses_faults_it_does_not_know_and_keeps_the_old(merchant: Merchant, faults: Any):
    await merchant.faults(duplicate=2)

    answer = await merchant.http.put(f"{MOUNT}/faults", json=faults)

    assert answer.status_code == 400
    assert (await merchant.http.get(f"{MOUNT}/faults")).json()["duplicate"] == 2


async def test_faults_take_the_forms_people_write(merchant: Merchant):
    every = {"duplicate": True, "delay_s": 0, "reorder": False, "drop": None, "forge": None}

    answer = await merchant.http.put(f"{MOUNT}/faults", json=every)
    reset = await merchant.http.put(f"{MOUNT}/faults", json={})

    assert answer.json() == every
    assert reset.json() == {"duplicate": False, "delay_s": 0, "reorder": False, "drop": False, "forge": False}


async def test_what_a_dead_worker_left_is_sent_by_the_next(
    merchant: Merchant, config: SimulatorConfig, receiver: Receiver, until
):
    await merchant.faults(delay_s=0.2)
    dying = build(config)
    await merchant.order("R202611230001")
    async with dying.platform.store.transaction() as tx:
        resource = {"out_trade_no": "R202611230001", "amount": {}}
        await dying.platform.notifier.enqueue(tx, "TRANSACTION.SUCCESS", "支付成功", resource, merchant.notify_url)
    await dying.aclose()

    heir = build(config)
    await heir.start()
    await until(lambda: receiver.seen)
    await heir.aclose()

    assert merchant.open(json.loads(receiver.seen[0][1])["resource"]) == resource


async def test_a_merchant_that_does_not_listen_is_tried_again(merchant: Merchant, receiver: Receiver, until):
    address, merchant.notify_url = merchant.notify_url, "http://127.0.0.1:9/nobody"
    await merchant.order("R202611230001")
    await merchant.pay("R202611230001")
    merchant.notify_url = address

    async with asyncio.timeout(60):
        while not (item := (await items(merchant))[0])["attempts"]:
            await asyncio.sleep(0.02)

    assert item["state"] == "pending"
    assert item["attempts"] >= 1
    assert item["last_status"] == 0


@pytest.mark.parametrize("error", LOST[-2:], ids=lambda error: error.__name__)
async def test_a_database_that_goes_away_delays_a_notification_and_loses_none(
    merchant: Merchant, receiver: Receiver, simulator: Simulator, until, monkeypatch, error
):
    store, real = simulator.platform.store, simulator.platform.store.fetch
    failures = iter([error("the connection was lost")])

    async def fetch(sql: str, *args: Any) -> Any:
        for failure in failures:
            raise failure
        return await real(sql, *args)

    monkeypatch.setattr(store, "fetch", fetch)

    await paid(merchant)

    await until(lambda: receiver.seen)
    assert len(receiver.seen) == 1
