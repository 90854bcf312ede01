"""A record of heads: it finds a chain that was cut or replaced, which no check inside the database can."""

from __future__ import annotations

import io
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from backend.kernel import db
from backend.kernel.config import Settings
from backend.ledger import heads, service
from tests.support.value import give

MEMBERS = (101, 102, 103)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def members(database: Settings) -> tuple[int, ...]:
    async with db.transaction() as tx:
        for member_id in (*MEMBERS, 104):
            await service.open_member(tx, member_id)
    for member_id in MEMBERS:
        await give(member_id, points=5)
        await give(member_id, points=7)
    return MEMBERS


async def recorded(settings: Settings) -> io.StringIO:
    file = io.StringIO()
    await heads.write(db.connect_args(settings.database_url), file)
    file.seek(0)
    return file


async def compared(settings: Settings, file: io.StringIO) -> heads.Comparison:
    return await heads.compare(db.connect_args(settings.database_url), file)


async def test_chains_that_stay_or_grow_are_what_was_recorded(members, settings):
    file = await recorded(settings)
    await give(101, points=1)

    found = await compared(settings, file)

    assert (found.record.members, found.record.transfers) == (3, 6)
    assert (found.same, found.grown, found.findings) == (2, 1, [])


async def test_the_digest_is_of_the_chains_and_of_nothing_else(members, settings):
    url_args = db.connect_args(settings.database_url)

    first = await heads.write(url_args, io.StringIO())
    again = await heads.write(url_args, io.StringIO())
    await give(102, points=1)
    later = await heads.write(url_args, io.StringIO())

    assert first.digest == again.digest != later.digest


async def test_a_chain_that_was_cut_or_replaced_is_named(members, settings, engines):
    file = await recorded(settings)
    name = urlsplit(settings.database_url).path.strip("/")
    # Only a superuser who turns the triggers off can do this; a restore to an earlier moment looks like the first.
    engines.postgres.sql(
        """SET session_replication_role = replica;
        DELETE FROM ledger_transfer WHERE member_id = 102 AND seq = 3;
        UPDATE ledger_head h SET (seq, hash) = (SELECT seq, hash FROM ledger_transfer WHERE member_id = 102
            ORDER BY seq DESC LIMIT 1) WHERE member_id = 102;
        UPDATE ledger_transfer SET hash = sha256('other') WHERE member_id = 103 AND seq = 2;""",
        name,
    )

    found = await compared(settings, file)

    assert found.findings == [
        "member 102: cut: 3 transfers were recorded, 2 are here",
        "member 103: altered: transfer 2 is not the one that was recorded",
    ]
    assert found.same == 1


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text.replace("huiyuan", "something"), "does not begin with"),
        (lambda text: text[: text.rindex("end ")], "its end is missing"),
        (lambda text: text.replace("\n101 ", "\n100 "), "do not add up"),
        (lambda text: text[: text.index("\n101 ") + 4], "a line of it is none"),
        (lambda text: text.replace("\n101 ", "\n101 x"), "a line of it is none"),
        (lambda text: "huiyuan heads 1 \n" + text.partition("\n")[2], "a line of it is none"),
    ],
)
async def test_a_damaged_record_proves_nothing(members, settings, damage, said):
    text = (await recorded(settings)).getvalue()

    with pytest.raises(heads.DamagedRecord, match=said):
        await compared(settings, io.StringIO(damage(text)))
