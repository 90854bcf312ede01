"""No log line tells a phone number, an openid, a token or a code. Every module of the tests is held to it (see
``tests/support/logs.py``); here one run of many flows is; ``test_watch.py`` shows that it finds what it is for."""

from __future__ import annotations

from backend.kernel import outbox
from backend.worker import load
from tests.support.chat import DESK, Customer, newest, say, work
from tests.support.logs import watch
from tests.support.members import random_phone, register
from tests.support.staff import log_in
from tests.support.value import give


async def test_a_run_of_many_flows_tells_nothing(browser, chain, settings):
    load()
    phone = await register(browser)
    await give(phone.member_id, principal=50_000)
    assert (await chain.till.sell(browser, phone.code(), order_no="L-1")).status_code == 201
    assert (await chain.till.sell(browser, phone.code(), order_no="L-2")).status_code != 201
    assert (await phone.call("POST", "/v1/member/recharges", {"amount_fen": 500}, key="l-3")).status_code == 201
    assert (await phone.call("PUT", "/v1/member/pin", {"pin": "135790"})).status_code == 204
    assert (await phone.call("PUT", "/v1/member/pin", {"pin": "246802", "current_pin": "000000"})).status_code != 204
    again = await browser.post("/v1/member/token", json={"refresh_token": phone.refresh_token})
    await browser.post("/v1/member/token", json={"refresh_token": phone.refresh_token})  # used: the family ends
    admin = await log_in(browser, chain, "admin")
    await browser.post("/v1/admin/login", json={"username": "admin", "password": "wrong-password"})
    customer = Customer(browser, phone.openid)
    for mode in ("plain", "safe"):
        await customer.write(f"我的电话是 {random_phone()}，余额", mode=mode)
    await customer.write("人工")
    await work(settings)
    conversation_id = await newest()
    assert (await admin.post(f"{DESK}/{conversation_id}/claim")).status_code == 200
    assert (await say(admin, conversation_id, f"请打 {random_phone()}")).status_code == 201
    await browser.post("/v1/wechat/push?signature=x&timestamp=1&nonce=x&openid=" + phone.openid, content=b"<xml>")
    await outbox.drain()

    assert again.status_code == 200
    assert len(watch.lines) >= 10
    assert len(watch.secrets) >= 10
    assert watch.findings() == []
