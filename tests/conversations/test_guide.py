"""What head office tells the robot, and the answers that staff keep ready."""

from __future__ import annotations

import pytest

from tests.support.books import fingerprint
from tests.support.chat import DESK, Customer, newest, work
from tests.support.staff import log_in

RULE = {"match": "contains", "words": ["退货"], "priority": 200, "text": "七天内可以无理由退货。"}


async def test_the_robot_goes_by_the_rules_that_head_office_writes(admin, customer: Customer, settings):
    made = await admin.post(f"{DESK}/rules", RULE | {"card": {"title": "申请售后", "page": "pages/orders/index"}})
    assert made.status_code == 201, made.text
    rule_id = made.json()["id"]
    tried = await admin.post(f"{DESK}/rules/try", {"text": "怎么退货"})
    assert tried.json() == {"act": "say", "decision": f"rule:{rule_id}"}

    await customer.write("请问怎么退货？")
    await work(settings)
    assert await customer.answers() == ["七天内可以无理由退货。", "申请售后"]

    changed = await admin.call("PUT", f"{DESK}/rules/{rule_id}", RULE | {"act": "staff", "text": "马上有人来。"})
    assert changed.json()["act"] == "staff"
    await customer.write("退货")
    await work(settings)
    assert (await customer.answers())[-1] == "马上有人来。"
    found = (await admin.get(f"{DESK}/{await newest()}")).json()
    assert found["state"] == "waiting"

    assert (await admin.call("DELETE", f"{DESK}/rules/{rule_id}")).status_code == 204
    assert (await admin.call("DELETE", f"{DESK}/rules/{rule_id}")).status_code == 404
    log = (await admin.get(f"{DESK}/changes")).json()["items"]
    assert [item["action"] for item in log] == ["remove", "change", "add"]
    assert (await admin.get(f"{DESK}/changes?of=canned")).json() == {"items": []}
    assert (await admin.get(f"{DESK}/changes?of=money")).status_code == 422


async def test_a_rule_that_only_asks_for_a_person_says_that_one_comes(admin, customer: Customer, settings):
    made = await admin.post(f"{DESK}/rules", {"words": ["我要投诉"], "act": "staff"})

    await customer.write("我要投诉")
    await work(settings)

    (told,) = await customer.answers()
    assert told.startswith("正在为您转接人工客服，请稍候。")
    await admin.call("DELETE", f"{DESK}/rules/{made.json()['id']}")


async def test_a_rule_gives_a_message_to_wechat_s_own_service_at_once(admin, customer: Customer):
    made = await admin.post(f"{DESK}/rules", {"words": ["官方客服"], "act": "wechat", "priority": 900})

    told = await customer.write("官方客服")

    assert told["reply"]["MsgType"] == "transfer_customer_service"
    await admin.call("DELETE", f"{DESK}/rules/{made.json()['id']}")


@pytest.mark.parametrize(
    "body",
    [
        {"words": ["x"]},
        {"words": [], "text": "x"},
        {"words": ["x"], "act": "wechat", "text": "x"},
        {"words": ["x\n"], "text": "x"},
        {"words": ["x"], "text": "x" * 601},
        {"words": ["x"], "card": {"title": "x", "page": "javascript:alert(1)"}},
        {"words": ["x"], "text": "x", "priority": 1001},
        {"words": ["x", "。！"], "text": "x"},
        {"words": ["x"], "text": "\n "},
    ],
)
async def test_a_rule_that_says_nothing_or_too_much_is_refused(admin, settings, body):
    before = await fingerprint(settings)

    refused = await admin.post(f"{DESK}/rules", body)

    assert (refused.status_code, refused.json()["code"]) == (422, "validation_failed")
    assert await fingerprint(settings) == before


async def test_head_office_writes_what_is_said_where_nothing_fits(admin, customer: Customer, settings):
    texts = (await admin.get(f"{DESK}/texts")).json()
    kept = await admin.call("PUT", f"{DESK}/texts", texts | {"fallback": "请换个说法。", "closed": "再见！"})
    assert kept.status_code == 200, kept.text

    for blank in ({"fallback": " "}, {"queued": "\n"}, {"welcome": "  "}):
        assert (await admin.call("PUT", f"{DESK}/texts", texts | blank)).status_code == 422
    assert (await admin.get(f"{DESK}/texts")).json() == kept.json()
    assert (await admin.post(f"{DESK}/canned", {"title": "空", "text": " "})).status_code == 422

    await customer.write("嗯？")
    await work(settings)
    conversation_id = await newest()
    await admin.post(f"{DESK}/{conversation_id}/claim")
    await admin.post(f"{DESK}/{conversation_id}/close")

    assert await customer.answers() == ["请换个说法。", "再见！"]
    await admin.call("PUT", f"{DESK}/texts", texts)


async def test_a_question_is_answered_from_the_handbook(admin, customer: Customer, settings):
    body = {"title": "停车", "body": "购物满 100 元，停车两小时免费。"}
    made = await admin.post("/v1/admin/handbook/chapters", body, key="parking")
    assert made.status_code == 201, made.text
    path = f"/v1/admin/handbook/chapters/{made.json()['id']}/publish"
    assert (await admin.post(path, {"revision": 1})).status_code == 200

    await customer.write("停车免费吗")
    await work(settings)

    answers = await customer.answers()
    assert answers[0].startswith("停车：")
    assert "两小时免费" in answers[0]
    assert answers[1] == "停车"


async def test_canned_answers_are_the_chain_s_or_a_store_s(admin, office, chain):
    manager, other = await log_in(office, chain, "manager-S1"), await log_in(office, chain, "manager-S2")
    of_chain = await admin.post(f"{DESK}/canned", {"title": "问候", "text": "您好！"})
    own = await manager.post(f"{DESK}/canned", {"title": "地址", "text": "南京路 1 号", "store_id": "S1"})

    refused = await manager.post(f"{DESK}/canned", {"title": "x", "text": "x"})
    unknown = await admin.post(f"{DESK}/canned", {"title": "x", "text": "x", "store_id": "S77"})

    assert (of_chain.status_code, own.status_code) == (201, 201)
    assert (refused.status_code, unknown.status_code) == (403, 422)
    seen = [[item["title"] for item in (await who.get(f"{DESK}/canned")).json()["items"]] for who in (manager, other)]
    assert seen == [["地址", "问候"], ["问候"]]
    path = f"{DESK}/canned/{own.json()['id']}"
    assert (await other.call("DELETE", path)).status_code == 404
    changed = await manager.call("PUT", path, {"title": "地址", "text": "南京路 2 号", "store_id": "S1"})
    assert changed.json()["text"] == "南京路 2 号"
    assert (await manager.call("DELETE", path)).status_code == 204
