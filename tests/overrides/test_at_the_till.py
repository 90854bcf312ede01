"""A manager's own code lets a till give more than its cashier may: once, within limits, and written down."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import asyncpg
import pytest

from backend.auth import service as auth
from backend.kernel import clock as kernel_clock
from backend.kernel import db
from backend.torture.signing import check_digit
from tests.support.books import fingerprint
from tests.support.gift_cards import activate, make_cards, token_of
from tests.support.members import AUTHORISING, make_code, register
from tests.support.overrides import bind_phone, cut, manager_phone, put_limit, sell_cut
from tests.support.races import at_once, codes_of, outcomes
from tests.support.staff import log_in
from tests.support.value import findings, give


async def grants(who, query=""):
    answer = await who.get(f"/v1/admin/overrides{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_a_cashier_gives_a_little_alone(client, chain, phone, boss):
    sold = await sell_cut(client, chain.till, phone, None, off=500)

    assert (sold.status_code, sold.json()["payable_fen"]) == (201, 9_500)
    assert "override_id" not in sold.json()


async def test_more_needs_somebody_and_the_quote_says_so(client, chain, phone, boss, settings):
    quote = cut(10_000, 501) | {"code": phone.code()}
    quoted = await chain.till.post(client, "/v1/pos/quotes", quote)
    before = await fingerprint(settings)

    refused = await sell_cut(client, chain.till, phone, None, off=501)

    assert quoted.json()["override"] == {"discount_fen": 501, "allowed_fen": 500, "beyond_fen": 1}
    assert (refused.status_code, refused.json()["code"]) == (409, "override_required")
    assert (refused.json()["discount_fen"], refused.json()["allowed_fen"]) == (501, 500)
    assert await fingerprint(settings) == before


async def test_the_managers_code_lets_it_through_and_it_is_written_down(client, chain, phone, boss, admin, books):
    sold = await sell_cut(client, chain.till, phone, boss, cashier="小李")

    assert sold.status_code == 201, sold.text
    sale = sold.json()
    (grant,) = await grants(admin, f"?subject={sale['id']}")
    assert sale["payable_fen"] == 7_000
    assert sale["override_id"] == grant["id"]
    assert {name: grant[name] for name in ("act", "order_no", "store_id", "terminal_id", "cashier", "username")} == {
        "act": "discount",
        "order_no": sale["order_no"],
        "store_id": "S1",
        "terminal_id": "S1-T1",
        "cashier": "小李",
        "username": "manager-s1",
    }
    assert (grant["fen"], grant["total_fen"], grant["reason"], grant["note"]) == (3_000, 10_000, "damaged", "外盒破损")


async def test_a_refund_gives_back_what_was_paid(client, chain, phone, boss, books):
    sale = (await sell_cut(client, chain.till, phone, boss)).json()
    path = f"/v1/pos/sales/{sale['id']}/refunds"

    whole = await chain.till.post(client, path, {"lines": [{"line_no": 1, "qty": 1}], "reason": "退货"})

    assert whole.json()["refund_fen"] == 7_000


async def test_a_retry_gets_the_first_answer_and_no_second_grant(client, chain, phone, boss, admin, clock):
    body = cut(10_000, 3_000) | {"code": phone.code(), "override": {"code": boss.authorisation(), "reason": "bulk"}}
    key = uuid.uuid4().hex
    first = await chain.till.post(client, "/v1/pos/sales", body, key=key)

    at_once_again = await chain.till.post(client, "/v1/pos/sales", body, key=key)
    clock.shift(timedelta(seconds=120))
    later = await chain.till.post(client, "/v1/pos/sales", body, key=key)

    assert first.status_code == 201, first.text
    assert first.json() == at_once_again.json() == later.json()
    assert len(await grants(admin, f"?subject={first.json()['id']}")) == 1


async def test_a_code_authorises_once(client, chain, boss, settings):
    first, second = await register(client), await register(client)
    code = {"override": {"code": boss.authorisation(), "reason": "vip"}}
    sold = await chain.till.post(client, "/v1/pos/sales", cut(10_000, 3_000) | {"code": first.code()} | code)
    before = await fingerprint(settings)

    again = await chain.till.post(client, "/v1/pos/sales", cut(10_000, 3_000) | {"code": second.code()} | code)

    assert sold.status_code == 201, sold.text
    assert (again.status_code, again.json()["code"], again.json()["of"]) == (409, "code_used", "authoriser")
    assert await fingerprint(settings) == before


async def test_a_code_to_pay_with_authorises_nothing_and_one_to_authorise_with_pays_nothing(
    client, chain, phone, boss, settings
):
    await give(boss.member_id, principal=1_000)
    before = await fingerprint(settings)

    misused = await chain.till.post(
        client,
        "/v1/pos/sales",
        cut(10_000, 3_000) | {"code": phone.code(), "override": {"code": boss.code(), "reason": "vip"}},
    )
    turned = f"71{boss.code()[2:-1]}"
    forged = await chain.till.post(
        client,
        "/v1/pos/sales",
        cut(10_000, 3_000)
        | {"code": phone.code(), "override": {"code": turned + check_digit(turned), "reason": "vip"}},
    )
    reads = [
        await chain.till.sell(client, boss.authorisation(), fen=900),
        await chain.till.post(client, "/v1/pos/scan", {"code": boss.authorisation()}),
        await chain.till.post(client, "/v1/pos/pins", {"code": boss.authorisation(), "pin": "135790"}),
    ]

    assert (misused.status_code, misused.json()["code"]) == (409, "override_not_allowed")
    assert "to pay with" in misused.json()["detail"]
    assert (forged.status_code, forged.json()["code"], forged.json()["of"]) == (422, "code_invalid", "authoriser")
    assert [(one.status_code, one.json()["code"]) for one in reads] == [(422, "code_invalid")] * 3
    assert await fingerprint(settings) == before
    paid = await chain.till.sell(client, boss.code(), fen=900)
    assert paid.status_code == 201, "neither was spent"


async def test_the_server_makes_them_for_phones_of_the_staff_only(client, chain, phone, boss):
    shown = await boss.call("GET", "/v1/member/authorisation-code")
    whose = [(await one.call("GET", "/v1/member/staff-phone")).json() for one in (boss, phone)]
    nobody = await phone.call("GET", "/v1/member/authorisation-code")

    body = cut(10_000, 3_000) | {"code": phone.code()}
    given = {"override": {"code": shown.json()["code"], "reason": "vip"}}
    sold = await chain.till.post(client, "/v1/pos/sales", body | given)

    assert whose == [{"username": "manager-s1"}, {"username": None}]
    assert (nobody.status_code, nobody.json()["code"]) == (404, "not_found")
    assert (sold.status_code, bool(sold.json()["override_id"])) == (201, True)


async def test_one_code_at_two_tills_at_once(client, chain, boss, settings):
    phones = [await register(client) for _ in range(6)]
    code = {"override": {"code": boss.authorisation(), "reason": "vip"}}
    tills = chain.tills["S1"]

    answers = await at_once(
        tills[n % 2].post(client, "/v1/pos/sales", cut(10_000, 3_000) | {"code": one.code()} | code)
        for n, one in enumerate(phones)
    )

    assert outcomes(answers) == {201: 1, "code_used": 5}
    assert await findings(settings) == []


@pytest.mark.parametrize(
    ("limits", "fit"), [({"day_count": 3}, 3), ({"day_fen": 9_000}, 3), ({"day_fen": 8_999}, 2)], ids=str
)
async def test_the_day_is_counted_exactly_however_many_ask_at_once(client, chain, boss, admin, settings, limits, fit):
    await put_limit(admin, **limits)
    phones = [await register(client) for _ in range(8)]
    codes = await codes_of(boss, 8, purpose=AUTHORISING)

    answers = await at_once(
        chain.tills["S1"][n % 2].post(
            client,
            "/v1/pos/sales",
            cut(10_000, 3_000) | {"code": one.code(), "override": {"code": code, "reason": "bulk"}},
        )
        for n, (one, code) in enumerate(zip(phones, codes, strict=True))
    )

    assert outcomes(answers) == {201: fit, "override_day_limit": 8 - fit}
    assert len(await grants(admin)) == fit
    assert await findings(settings) == []


@pytest.mark.parametrize(
    ("limits", "allowed"), [({"sale_bp": 2_999}, 2_999), ({"sale_fen": 2_999}, 2_999), ({"sale_bp": 0}, 0)], ids=str
)
async def test_a_sale_has_its_own_limit(client, chain, phone, boss, admin, settings, limits, allowed):
    await put_limit(admin, **limits)
    before = await fingerprint(settings)

    refused = await sell_cut(client, chain.till, phone, boss)

    assert (refused.status_code, refused.json()["code"]) == (409, "override_limit_exceeded")
    assert refused.json()["allowed_fen"] == allowed
    assert await fingerprint(settings) == before


async def test_a_manager_authorises_nothing_at_another_store(client, chain, phone, boss, settings):
    before = await fingerprint(settings)

    refused = await sell_cut(client, chain.tills["S2"][0], phone, boss)

    assert (refused.status_code, refused.json()["code"]) == (409, "override_not_allowed")
    assert await fingerprint(settings) == before


async def test_a_manager_authorises_nothing_for_herself(client, chain, boss, settings):
    other = (await codes_of(boss, 1, purpose=AUTHORISING))[0]
    before = await fingerprint(settings)

    refused = await chain.till.post(
        client,
        "/v1/pos/sales",
        cut(10_000, 3_000) | {"code": boss.code(), "override": {"code": other, "reason": "vip"}},
    )

    assert (refused.status_code, refused.json()["code"]) == (409, "override_own")
    assert await fingerprint(settings) == before


async def test_a_customers_code_authorises_nothing(client, chain, phone, boss):
    stranger = await register(client)

    refused = await sell_cut(client, chain.till, phone, stranger)

    assert (refused.status_code, refused.json()["code"]) == (409, "override_not_allowed")


async def test_whoever_is_dismissed_is_powerless_at_once(client, chain, phone, admin, office, boss):
    staff = (await admin.get("/v1/admin/staff")).json()["items"]
    person = next(one for one in staff if one["username"] == "manager-s1")["id"]
    closed = await admin.post(f"/v1/admin/staff/{person}/close")

    refused = await sell_cut(client, chain.till, phone, boss)

    opened = await admin.post(f"/v1/admin/staff/{person}/reopen")
    assert (closed.status_code, opened.status_code) == (204, 204)
    assert (refused.status_code, refused.json()["code"]) == (409, "override_not_allowed")


async def test_a_frozen_member_s_phone_is_powerless_at_once(client, chain, phone, admin, boss):
    await admin.post(f"/v1/admin/members/{boss.member_id}/freeze")

    refused = await sell_cut(client, chain.till, phone, boss)

    assert (refused.status_code, refused.json()["code"]) == (409, "override_not_allowed")


async def test_without_a_limit_a_role_authorises_nothing(client, chain, phone, admin, boss):
    await admin.call("DELETE", "/v1/admin/override-limits/manager")

    refused = await sell_cut(client, chain.till, phone, boss)

    assert refused.json()["code"] == "override_not_allowed"


async def test_another_phone_does_not_begin_the_day_anew(client, chain, phone, admin, manager, boss):
    first = await sell_cut(client, chain.till, phone, boss)
    another = await manager_phone(client, manager)

    refused = await sell_cut(client, chain.till, await register(client), another)

    assert first.status_code == 201
    assert (refused.status_code, refused.json()["code"]) == (409, "override_not_allowed")


async def test_a_phone_whose_codes_were_guessed_at_authorises_nothing_until_it_shows_new_ones(
    client, chain, phone, boss, settings, clock
):
    for _ in range(auth.HANDLE_MISSES):
        wrong = make_code(boss.device["handle"], "B" * 43, int(clock.now().timestamp()) // 15)
        await chain.till.post(client, "/v1/pos/scan", {"code": wrong}, key="")
    before = await fingerprint(settings)

    refused = await sell_cut(client, chain.till, phone, boss)

    assert (refused.status_code, refused.json()["code"]) == (409, "override_not_allowed")
    assert await fingerprint(settings) == before
    rotated = await boss.call("POST", f"/v1/member/devices/{boss.device['device_id']}/rotate")
    boss.device |= {"handle": rotated.json()["handle"]}
    assert (await sell_cut(client, chain.till, phone, boss)).status_code == 201


async def test_a_sale_that_waits_keeps_what_was_authorised(client, chain, phone, boss, admin, books):
    await give(phone.member_id, principal=100_000)
    waiting = await sell_cut(client, chain.till, phone, boss, fen=60_000, off=20_000, tenders=[{"type": "stored"}])

    approved = await phone.call("POST", f"/v1/member/confirmations/{waiting.json()['id']}", {"decision": "approve"})

    assert waiting.json()["status"] == "awaiting_confirmation"
    assert approved.json()["status"] == "completed"
    assert [one["id"] for one in await grants(admin, f"?subject={waiting.json()['id']}")] == [
        waiting.json()["override_id"]
    ]


async def test_gift_cards_pay_an_authorised_sale(client, chain, phone, boss, admin, books):
    (card,) = await make_cards(admin)
    await activate(chain.till, client, card, 10_000)
    token = await token_of(chain.till, client, card)

    sold = await sell_cut(client, chain.till, phone, boss, tenders=[{"type": "gift_card", "reference": token}])

    assert (sold.status_code, sold.json()["tenders"][0]["amount_fen"]) == (201, 7_000)


async def test_other_needs_words_and_no_discount_needs_nobody(client, chain, phone, boss):
    body = cut(10_000, 3_000) | {"code": phone.code()}

    wordless = await chain.till.post(
        client, "/v1/pos/sales", body | {"override": {"code": boss.authorisation(), "reason": "other", "note": " "}}
    )
    needless = await chain.till.post(
        client, "/v1/pos/sales", cut(100, 0) | {"code": phone.code(), "override": {"code": "1", "reason": "vip"}}
    )

    assert (wordless.status_code, wordless.json()["errors"][0]["pointer"]) == (422, "/override/note")
    assert (needless.status_code, needless.json()["errors"][0]["pointer"]) == (422, "/override")


async def test_two_managers_at_each_other_s_purchases_do_not_lock_each_other(client, chain, admin, boss, settings):
    await put_limit(admin, "admin")
    await admin.post("/v1/admin/me/phone/unbind", {"current": "correct horse"})
    head = await register(client)
    assert (await bind_phone(admin, head)).status_code == 200
    paying = [await codes_of(one, 6) for one in (boss, head)]
    letting = [await codes_of(one, 6, purpose=AUTHORISING) for one in (head, boss)]

    def sale(buyer, authoriser):
        return chain.till.post(
            client,
            "/v1/pos/sales",
            cut(10_000, 3_000) | {"code": buyer, "override": {"code": authoriser, "reason": "vip"}},
        )

    answers = await asyncio.gather(
        *(sale(*codes) for n in range(2) for codes in zip(paying[n], letting[n], strict=True))
    )

    assert outcomes(answers) == {201: 12}
    assert await findings(settings) == []


async def test_staff_search_their_store_s_and_the_report_adds_up(client, chain, boss, admin, manager, office):
    sold = [
        await chain.till.post(
            client,
            "/v1/pos/sales",
            cut(10_000, 1_000 * n)
            | {"code": (await register(client)).code(), "override": {"code": code, "reason": "vip"}},
        )
        for n, code in enumerate(await codes_of(boss, 2, purpose=AUTHORISING), 1)
    ]
    elsewhere = await log_in(office, chain, "manager-S2")
    today = kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")

    page = (await manager.get("/v1/admin/overrides?limit=1")).json()
    rest = (await manager.get(f"/v1/admin/overrides?limit=1&cursor={page['next_cursor']}")).json()
    report = (await admin.get(f"/v1/admin/reports/overrides?from={today}&to={today}")).json()["items"]
    before = (await admin.get("/v1/admin/reports/overrides?from=2020-01-01&to=2020-01-02")).json()["items"]
    too_long = await admin.get("/v1/admin/reports/overrides?from=2020-01-01&to=2999-01-01")

    assert [one.status_code for one in sold] == [201, 201]
    assert [one["fen"] for one in (*page["items"], *rest["items"])] == [2_000, 1_000]
    assert rest["next_cursor"] is None
    assert [(one["username"], one["grants"], one["fen"], one["total_fen"]) for one in report] == [
        ("manager-s1", 2, 3_000, 20_000)
    ]
    assert before == []
    assert await grants(elsewhere) == []
    assert (await elsewhere.get("/v1/admin/overrides?store_id=S1")).status_code == 404
    assert (too_long.status_code, too_long.json()["errors"][0]["pointer"]) == (422, "/query/to")


async def test_what_was_authorised_is_never_rewritten(client, chain, phone, boss):
    await sell_cut(client, chain.till, phone, boss)

    with pytest.raises(asyncpg.RestrictViolationError):
        await db.pool().execute("UPDATE override_grant SET fen = 1")
    with pytest.raises(asyncpg.RestrictViolationError):
        await db.pool().execute("DELETE FROM override_grant")
