"""Codes: how they are made and read, batches, redeeming, guessing."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.coupons import codes
from backend.coupons.commands import batches
from backend.kernel import db
from backend.kernel.jobs import runner
from tests.support.books import fingerprint
from tests.support.coupons import TEMPLATES, Counts, changes, claim, counts, make_template
from tests.support.members import register

SECRET = bytes(range(32))
made_codes = st.builds(codes.make_code, st.binary(min_size=32, max_size=32), st.integers(0, 99_999))


def test_a_code_is_the_same_for_the_same_secret_and_number_only():
    assert codes.make_code(SECRET, 7) == codes.make_code(SECRET, 7)
    assert len({codes.make_code(SECRET, number) for number in range(1_000)}) == 1_000
    assert codes.make_code(SECRET, 7) != codes.make_code(bytes(32), 7)


@given(made_codes)
def test_a_code_is_read_as_it_is_printed_and_as_it_is_misread(code):
    printed = codes.printed(code)

    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}", printed)
    assert codes.read_code(printed) == code
    assert codes.read_code(f" {printed.lower()} ") == code
    assert codes.read_code(printed.replace("0", "O").replace("1", "l")) == code


@given(made_codes, st.integers(0, 19), st.sampled_from(codes.ALPHABET))
def test_every_wrong_character_is_noticed(code, place, char):
    wrong = code[:place] + char + code[place + 1 :]

    assert codes.read_code(wrong) == (code if wrong == code else None)


@pytest.mark.parametrize("text", ["", "0", "U" * 20, "0" * 19, "0" * 21, "０" * 20, "!" * 20])
def test_what_is_no_code_is_not_read(text):
    assert codes.read_code(text) is None


async def export(admin, batch_id: str) -> list[dict[str, str]]:
    answer = await admin.post(f"/v1/admin/coupons/batches/{batch_id}/export")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def make_batch(admin, template, total: int = 3, note: str = ""):
    made = await admin.post(f"{TEMPLATES}/{template['id']}/batches", {"total": total, "note": note})
    assert made.status_code == 201, made.text
    return made.json()


async def test_a_code_is_redeemed_once_by_whoever_comes_first(admin, phone, client, books):
    template = await make_template(admin, claim_by="nobody", total=3)
    batch = await make_batch(admin, template)
    code = (await export(admin, batch["id"]))[0]["code"]

    first = await claim(phone, code=code.lower(), key="once")
    again = await claim(phone, code=code.lower(), key="once")
    late = await claim(await register(client), code=code)

    assert first.status_code == 201, first.text
    assert again.json() == first.json()
    assert (late.status_code, late.json()["code"]) == (409, "coupon_code_used")
    assert await counts(template["id"]) == Counts(booked=1, rows=1, issued=1, reserved=2)
    assert (await admin.get(f"/v1/admin/coupons/batches/{batch['id']}")).json()["claimed"] == 1


async def test_codes_are_kept_from_the_total(admin, phone, client):
    template = await make_template(admin, total=3)
    batch = await make_batch(admin, template, total=2)
    too_many = await admin.post(f"{TEMPLATES}/{template['id']}/batches", {"total": 2})
    rows = await export(admin, batch["id"])

    assert (too_many.status_code, too_many.json()["errors"][0]["pointer"]) == (422, "/total")
    assert (await claim(phone, template_id=template["id"])).status_code == 201
    gone = await claim(await register(client), template_id=template["id"])
    kept = [await claim(await register(client), code=row["code"]) for row in rows]

    assert gone.json()["code"] == "coupon_sold_out"
    assert [answer.status_code for answer in kept] == [201, 201]
    assert await counts(template["id"]) == Counts(booked=3, rows=3, issued=3, reserved=0)


async def test_a_code_refused_for_the_cap_stays_good_for_another(admin, phone, client, settings):
    template = await make_template(admin, claim_by="nobody", per_member=1)
    one, other, _ = await export(admin, (await make_batch(admin, template))["id"])
    assert (await claim(phone, code=one["code"])).status_code == 201
    before = await fingerprint(settings)

    refused = await claim(phone, code=other["code"])

    assert (refused.status_code, refused.json()["code"]) == (409, "coupon_limit_reached")
    assert await fingerprint(settings) == before
    assert (await claim(await register(client), code=other["code"])).status_code == 201


async def test_codes_are_exported_once_and_stored_as_what_cannot_be_tried(admin, settings):
    template = await make_template(admin, claim_by="nobody")
    batch = await make_batch(admin, template, note="=cmd|' /C calc'!A0")

    rows = await export(admin, batch["id"])
    again = await admin.post(f"/v1/admin/coupons/batches/{batch['id']}/export")

    assert {row["note"] for row in rows} == {"'=cmd|' /C calc'!A0"}
    assert len({row["code"] for row in rows}) == 3
    assert (again.status_code, again.json()["code"]) == (409, "coupon_batch_conflict")
    digests = [
        bytes(row[0]) for row in await db.fetch("SELECT digest FROM coupon_code WHERE batch_id = $1", batch["id"])
    ]
    plain = [row["code"].replace("-", "").encode() for row in rows]
    assert [len(digest) for digest in digests] == [32] * 3
    assert not any(code in digest for code in plain for digest in digests)
    assert await db.fetchval("SELECT secret_sealed FROM coupon_batch WHERE id = $1", batch["id"]) is None
    assert (await changes(admin, template["id"]))[-2:] == ["batch", "export"]


async def test_a_large_batch_is_made_by_a_job_and_taken_up_where_it_was_cut_short(admin, settings, monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 40)
    template = await make_template(admin, claim_by="nobody", total=100)
    batch = await make_batch(admin, template, total=100)
    early = await admin.post(f"/v1/admin/coupons/batches/{batch['id']}/export")

    await runner.run_waiting(settings)

    done = (await admin.get(f"/v1/admin/coupons/batches/{batch['id']}")).json()
    assert (batch["made"], batch["state"]) == (40, "making")
    assert early.json()["code"] == "coupon_batch_conflict"
    assert (done["made"], done["state"]) == (100, "ready")
    assert len({row["code"] for row in await export(admin, batch["id"])}) == 100
    stored = await db.fetchval("SELECT count(*) FROM coupon_code WHERE batch_id = $1", batch["id"])
    assert stored == 100


async def test_a_void_batch_is_worth_nothing_and_gives_its_share_free(admin, phone):
    template = await make_template(admin, total=3)
    batch = await make_batch(admin, template)
    rows = await export(admin, batch["id"])
    assert (await claim(phone, code=rows[0]["code"])).status_code == 201

    void = [await admin.post(f"/v1/admin/coupons/batches/{batch['id']}/void") for _ in range(2)]
    refused = await claim(phone, code=rows[1]["code"])

    assert [answer.json()["state"] for answer in void] == ["void", "void"]
    assert (refused.status_code, refused.json()["code"]) == (422, "coupon_code_invalid")
    assert await counts(template["id"]) == Counts(booked=1, rows=1, issued=1, reserved=0)


async def test_guessing_is_slow_and_a_slip_of_the_finger_costs_nothing(admin, phone, settings):
    template = await make_template(admin, claim_by="nobody")
    good = (await export(admin, (await make_batch(admin, template))["id"]))[0]["code"]
    slip = good[:-1] + ("0" if good[-1] != "0" else "1")
    before = await fingerprint(settings)

    slips = [await claim(phone, code=slip) for _ in range(30)]
    guesses = [await claim(phone, code=codes.make_code(SECRET, number)) for number in range(21)]

    assert {answer.json()["code"] for answer in slips} == {"coupon_code_invalid"}
    assert [answer.status_code for answer in guesses] == [422] * 20 + [429]
    assert {answer.json()["code"] for answer in guesses[:20]} == {"coupon_code_invalid"}
    assert int(guesses[-1].headers["retry-after"]) > 0
    assert await fingerprint(settings) == before
    assert (await claim(phone, code=good)).status_code == 429
