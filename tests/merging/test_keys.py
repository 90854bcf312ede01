"""A phone that asks again after its member became part of another is told what it was told: each is done once."""

from __future__ import annotations

import uuid
from functools import partial

import pytest

from backend.kernel import clock as kernel_clock
from backend.kernel import db, outbox
from backend.kernel.config import settings
from backend.ledger.plans import own_scope
from backend.messages.types import Letter
from backend.points import queries
from backend.points.commands import batches
from tests.groups.test_allotments import PIN, allot, group_of, take_back
from tests.points.test_adjustments import BATCHES, points, send, table
from tests.points.test_transfers import earn
from tests.support import refunds
from tests.support.books import VOLATILE, fingerprint
from tests.support.cases import complain
from tests.support.coupons import VALUE, accept_gift, claim, give_to_friend, make_template
from tests.support.gifts import make_gift, redeem
from tests.support.mall import checkout, open_mall, order, put, shelf
from tests.support.members import register
from tests.support.merging import approve_waiting, merge
from tests.support.messages import INBOX, NOTE, own_template, write
from tests.support.suggestions import make_box, own_id, suggest
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

# A retry of an order takes its pieces and gives them back in one transaction: what is on the shelf stays.
UNMOVED = VOLATILE | {"stock_movement", "stock_level"}


def key():
    return uuid.uuid4().hex


def told_of(answer):
    """What was answered; what is left of an allotment is told as it stands."""
    assert answer.status_code == 201, answer.text
    return {name: value for name, value in answer.json().items() if name not in {"taken", "left"}}


async def send_points(giver, friend, points, *, key):
    found = await giver.call("POST", "/v1/member/points/recipient", {"member_no": friend.member["member_no"]})
    body = found.json() | {"points": points, "pin": PIN}
    return await giver.call("POST", "/v1/member/points/transfers", body, key=key)


async def test_each_request_is_done_once_whichever_of_both_members_the_phone_is(
    client, chain, admin, second, phone, settings
):
    await open_mall("S1")
    await put("S1", "6902", 50, 600)
    source, friend = await register(client), await register(client)
    await give(source.member_id, principal=50_000)
    await earn(source, (5_000, None))
    gift = await make_gift(admin, {"kind": "stored", "title": "余额", "points": 900, "stored_fen": 1_000})
    template, kept = await make_template(admin, VALUE | {"transferable": True}), await make_template(admin, VALUE)
    priced = (await source.call("POST", "/v1/member/orders/quote", checkout(a6902=1))).json()
    given = (await claim(friend, template_id=template["id"])).json()["id"]
    token = (await give_to_friend(friend, given)).json()["token"]
    _, (_, person_id) = await group_of(admin, source, friend)
    asked = {
        "order": partial(order, body=checkout(a6902=1), payable_fen=priced["payable_fen"], key=key()),
        "gift": partial(redeem, gift=gift, key=key(), pin=PIN),
        "points": partial(send_points, friend=friend, points=70, key=key()),
        "claim": partial(claim, template_id=kept["id"], key=key()),
        "accept": partial(accept_gift, token=token, key=key()),
        "allotment": partial(allot, person_id=person_id, amount=400, key=key()),
    }

    first = {name: await ask(source) for name, ask in asked.items()}
    assert {name: answer.status_code for name, answer in first.items()} == dict.fromkeys(asked, 201)
    taken_key, said = key(), {"note": key(), "box": key()}
    taken = await take_back(source, first["allotment"].json(), 100, key=taken_key)
    box = await make_box(admin, await own_id(admin))
    told = await complain(source, key=said["note"]), await suggest(source, box, key=said["box"])
    cancelled = await source.call("POST", f"/v1/member/orders/{first['order'].json()['orders'][0]['id']}/cancel")
    assert (taken.status_code, cancelled.status_code) == (200, 200), (taken.text, cancelled.text)
    await merge(admin, second, source, phone)
    last = await register(client)
    before = await fingerprint(settings, without=UNMOVED), await shelf("S1", "6902")

    again = {name: await ask(phone) for name, ask in asked.items()}
    assert {name: told_of(answer) for name, answer in again.items()} == {
        name: told_of(answer) for name, answer in first.items()
    }
    assert {answer.headers.get("idempotency-replayed") for answer in again.values()} == {"true"}
    back = await take_back(phone, first["allotment"].json(), 100, key=taken_key)
    assert (back.status_code, back.json()) == (200, taken.json())
    assert (await complain(phone, key=said["note"]), await suggest(phone, box, key=said["box"])) == told
    other = await claim(phone, template_id=template["id"], key=asked["claim"].keywords["key"])
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert (await fingerprint(settings, without=UNMOVED), await shelf("S1", "6902")) == before

    await merge(admin, second, phone, last)
    third = {name: await ask(last) for name, ask in asked.items()}
    assert {name: told_of(answer) for name, answer in third.items()} == {
        name: told_of(answer) for name, answer in first.items()
    }
    listed = [(await one.call("GET", "/v1/member/points/transfers")).json()["items"] for one in (last, friend)]
    assert [(line["direction"], line["points"]) for (line,) in listed] == [("out", 70), ("in", 70)]


async def test_a_key_that_both_used_stays_each_ones(client, admin, second, phone):
    source, same = await register(client), key()
    template = await make_template(admin, VALUE)
    theirs, mine = [await claim(one, template_id=template["id"], key=same) for one in (source, phone)]

    await merge(admin, second, source, phone)
    again = await claim(phone, template_id=template["id"], key=same)

    assert theirs.json()["id"] != mine.json()["id"] == again.json()["id"]
    held = await db.fetch(
        "SELECT result FROM ledger_key WHERE scope = $1 AND key = $2", own_scope(phone.member_id), same
    )
    assert ["carried" in row["result"] for row in held] == [False]


async def test_a_refund_that_staff_refused_is_not_asked_for_again_by_a_retry(client, admin, second, phone):
    source, again = await register(client), key()
    recharge_id = await refunds.paid(client, source, amount_fen=5_000)
    first = await refunds.ask(source, recharge_id, 2_000, key=again)
    await refunds.decide(admin, first.json()["id"], "reject", note="x")
    await outbox.drain()
    await merge(admin, second, source, phone)

    answer = await refunds.ask(phone, recharge_id, 2_000, key=again)

    assert (first.status_code, answer.status_code, answer.json()) == (201, 201, first.json())
    assert await db.fetchval("SELECT count(*) FROM wallet_refund WHERE recharge_id = $1", recharge_id) == 1


async def test_what_was_said_of_letters_is_said_once(client, admin, second, phone):
    source, (accepted, said) = await register(client), (key(), key())
    wechat = {"template_id": "TPL-1", "fields": {"thing1": "{what}"}}
    await own_template(admin, "own.merged", purpose="service", channels=["wechat"], texts={"wechat": wechat})
    await write(Letter(source.member_id, NOTE.code, {"what": "x"}, "x"))
    (letter,) = (await source.call("GET", INBOX)).json()["items"]
    asked = {
        accepted: ("/v1/member/messages/subscriptions", {"results": {"TPL-1": "accept"}}),
        said: (f"{INBOX}/{letter['id']}/replies", {"text": "好的"}),
    }
    await phone.call("POST", *asked[accepted], key=key())
    first = [(await source.call("POST", *call, key=one)).json() for one, call in asked.items()]
    await merge(admin, second, source, phone)

    again = [await phone.call("POST", *call, key=one) for one, call in asked.items()]

    assert [answer.json() for answer in again] == first
    assert await db.fetchval("SELECT accepted FROM message_subscription WHERE member_id = $1", phone.member_id) == 1
    assert await db.fetchval("SELECT count(*) FROM message_reply WHERE member_id = $1", phone.member_id) == 1


async def test_a_row_of_a_table_that_was_posted_to_the_source_is_not_posted_again(
    client, admin, second, phone, monkeypatch
):
    source = await register(client)
    data = table((source.member["member_no"], 30, "goodwill", "a", ""))
    asked = (await send(admin, f"{BATCHES}?title=x", data, key=key())).json()
    await approve_waiting(second)
    with monkeypatch.context() as patched:  # the worker dies after it posted, before it notes that

        async def die(*_):
            raise ConnectionResetError

        patched.setattr(batches, "_note", die)
        with pytest.raises(ConnectionResetError):
            await batches.run(asked["id"])
    await merge(admin, second, source, phone)

    await batches.run(asked["id"])

    done = (await admin.get(f"{BATCHES}/{asked['id']}")).json()
    assert (done["state"], done["posted"], await points(phone)) == ("done", 1, 30)


async def test_a_list_of_before_the_merge_posts_what_another_worker_posted(client, admin, second, phone):
    source = await register(client)
    data = table((source.member["member_no"], 30, "goodwill", "a", ""))
    asked = (await send(admin, f"{BATCHES}?title=x", data, key=key())).json()
    await approve_waiting(second)
    batch, (row,) = await queries.find_batch(asked["id"]), await queries.list_waiting_rows(asked["id"], limit=1)
    assert batch is not None
    await merge(admin, second, source, phone)

    await batches.run(asked["id"])
    late = await batches._post(batch, row, kernel_clock.local_date(kernel_clock.now(), settings().timezone))
    await outbox.drain()

    assert (late, await points(phone)) == ("", 30)


async def test_who_owns_the_group_no_more_is_told_what_they_did_as_its_owner(client, admin, second, phone):
    source, friend, other = [await register(client) for _ in range(3)]
    await give(source.member_id, principal=1_000)
    _, (_, person_id) = await group_of(admin, source, friend)
    await group_of(admin, other, phone)
    keys = key(), key()
    allotted = await allot(source, person_id, 400, key=keys[0])
    taken = await take_back(source, allotted.json(), 100, key=keys[1])
    await merge(admin, second, source, phone)

    again = await allot(phone, person_id, 400, key=keys[0]), await take_back(phone, allotted.json(), 100, key=keys[1])
    new = await allot(phone, person_id, 400), await take_back(phone, allotted.json(), 100)

    assert [told_of(again[0]), again[1].json()] == [told_of(allotted), taken.json()]
    assert [answer.status_code for answer in new] == [403, 403]
