"""Another company is told of members who agreed to that, and hears when it is over."""

from __future__ import annotations

from backend.kernel import db
from backend.members import service
from backend.privacy.commands import erasing
from tests.feeds.test_feed import FEED, ask, everybody, rest
from tests.privacy.test_erasure import ask as ask_to_be_erased
from tests.privacy.test_erasure import let_it_happen
from tests.support.members import Phone, register
from tests.support.mis import make_subscriber

CONSENTS = "/v1/member/privacy/consents"


async def share(phone: Phone, granted: bool) -> None:
    words = {"items": [{"purpose": "third_party", "granted": granted, "version": 1}]}
    assert (await phone.call("PUT", CONSENTS, words)).status_code == 200


async def rename(phone: Phone, name: str) -> None:
    assert (await phone.call("PATCH", "/v1/member/profile", {"name": name})).status_code == 200


async def test_a_partner_sees_who_agreed_and_is_told_when_it_is_over(client, chain, admin):
    own = await make_subscriber(admin, ["name", "third_party"])
    partner = await make_subscriber(admin, ["name"], partner=True)
    shares, silent = await register(client, name="合作甲"), await register(client, name="合作乙")
    key, ids = partner["key"], {shares.member["id"], silent.member["id"]}
    assert partner["subscriber"]["partner"] is True
    _, place = await rest(client, key)

    await rename(shares, "合作丙")
    await rename(silent, "合作丁")
    assert (await rest(client, key, place))[0] == []
    assert (await ask(client, key, f"{FEED}/{shares.member['id']}")).status_code == 404

    await share(shares, True)
    _, place = await rest(client, key, place)
    await rename(shares, "合作己")
    seen, place = await rest(client, key, place)
    assert [(item["member"]["id"], item["changes"]) for item in seen] == [
        (shares.member["id"], [{"field": "name", "before": "合作丙", "after": "合作己", "erased": False}])
    ]
    assert (await ask(client, key, f"{FEED}/{shares.member['id']}")).json()["fields"] == {"name": "合作己"}
    assert ids & {item["member"]["id"] for item in await everybody(client, key)} == {shares.member["id"]}

    await share(shares, False)
    await rename(shares, "合作戊")
    over, place = await rest(client, key, place)

    assert [(item["member"]["id"], item["changes"]) for item in over] == [
        (shares.member["id"], [{"field": "third_party", "before": "yes", "after": "no", "erased": False}])
    ]
    assert (await ask(client, key, f"{FEED}/{shares.member['id']}")).status_code == 404
    assert ids & {item["member"]["id"] for item in await everybody(client, key)} == set()
    told = [item["changes"] for item in (await rest(client, own["key"]))[0] if item["member"]["id"] in ids]
    assert [change["after"] for changes in told for change in changes if change["field"] == "third_party"] == [
        "yes",
        "no",
    ]


async def test_a_partner_that_reads_from_further_back_sees_nothing_from_before_they_agreed(
    client, chain, admin, levels
):
    """Not even where they agreed once before; but that they agree, whatever its fields are."""
    own = await make_subscriber(admin, ["name", "level"])
    partner = await make_subscriber(admin, ["name", "level"], partner=True)
    _, place = await rest(client, partner["key"])
    shares = await register(client, name="从前甲")

    async def become(level: str) -> None:
        async with db.transaction() as tx:
            await service.set_levels(tx, {shares.member_id: (level, None)})

    await rename(shares, "从前乙")
    await share(shares, True)
    await rename(shares, "从前丙")
    await become("silver")
    await share(shares, False)
    await rename(shares, "从前丁")
    await become("gold")
    await share(shares, True)
    await rename(shares, "如今")
    await become("basic")

    told = [change for item in (await rest(client, partner["key"], place))[0] for change in item["changes"]]
    everything = [change for item in (await rest(client, own["key"], place))[0] for change in item["changes"]]
    assert [(one["field"], one["before"], one["after"]) for one in told] == [
        ("third_party", "no", "yes"),
        ("third_party", "yes", "no"),
        ("third_party", "no", "yes"),
        ("name", "从前丁", "如今"),
        ("level", None, "basic"),
    ]
    assert {"从前乙", "从前丙", "silver", "gold"} <= {one["after"] for one in everything}


async def test_a_partner_is_told_of_an_erasure_whenever_it_asks(client, chain, admin, monkeypatch):
    """Before what the change said is erased too, and after; it has no field that says so."""
    partner = await make_subscriber(admin, ["name"], partner=True)
    early, late = await register(client, name="合作早"), await register(client, name="合作晚")
    for phone in (early, late):
        await share(phone, True)
    _, place = await rest(client, partner["key"])

    with monkeypatch.context() as halfway:
        halfway.setattr(erasing, "ROUNDS_AT_ONCE", 0)
        await let_it_happen((await ask_to_be_erased(early))["id"], rounds=1)
    at_once, place = await rest(client, partner["key"], place)
    await let_it_happen((await ask_to_be_erased(late))["id"])
    afterwards, _ = await rest(client, partner["key"], place)

    over = {"field": "status", "before": "active", "after": "erased", "erased": False}
    assert [(item["member"]["id"], item["changes"]) for item in at_once] == [(early.member["id"], [over])]
    gone = [item for item in afterwards if item["member"]["id"] == late.member["id"]]
    assert [change for item in gone for change in item["changes"] if change["field"] == "status"] == [
        {"field": "status", "before": None, "after": None, "erased": True}
    ]
