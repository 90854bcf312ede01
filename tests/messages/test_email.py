"""Letters by e-mail, sent to a real mail server: what it takes, what it refuses, and what nobody can know."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from backend.kernel import clock, config, ids
from backend.messages.channels import Outgoing, Refused, TryAgain
from backend.messages.channels import email as channel
from backend.messages.channels.email import Smtp
from backend.messages.delivery import links, mail
from backend.messages.delivery.links import For
from backend.messages.types import Channel, Purpose, delivery_id
from tests.kernel.http.conftest import make_settings
from tests.support.smtp import MailServer, mail_server, make_authority

FROM = "惠员便利 <service@chain.example>"


def outgoing(**changes: object) -> Outgoing:
    made = Outgoing(
        delivery_id=delivery_id(ids.new_document_id("L", 7), Channel.EMAIL),
        member_id=7,
        address="li.lei@mail.example",
        title="您的券快到期了",
        body="李雷，您有一张券将于 11-30 到期。\n活动说明：https://chain.example/rules?a=1&b=2。",
        purpose=Purpose.MARKETING,
        link="#/coupons",
        unsubscribe_url="https://chain.example/v1/m/abc/unsubscribe",
    )
    return msgspec.structs.replace(made, **changes)


def settings_for(server: MailServer, scheme: str = "smtp", login: str = "", **changes: object) -> config.Settings:
    url = f"{scheme}://{login}127.0.0.1:{server.port}"
    made = make_settings(smtp_url=url, mail_from=FROM, base_url="https://chain.example", **changes)
    config.use(made)
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def driver(server: MailServer) -> AsyncIterator[Smtp]:
    made = Smtp(settings_for(server))
    yield made
    await made.aclose()


async def test_a_letter_arrives_as_text_and_html_of_the_same_words(driver: Smtp, server: MailServer) -> None:
    letter = outgoing()

    await driver.send(letter)

    (taken,) = server.taken
    message = taken.message
    assert taken.recipients == ["li.lei@mail.example"]
    assert message["From"] == FROM
    assert message["To"] == "li.lei@mail.example"
    assert message["Subject"] == "您的券快到期了"
    assert message["List-Unsubscribe"] == "<https://chain.example/v1/m/abc/unsubscribe>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Precedence"] == "bulk"
    assert message.get_content_type() == "multipart/alternative"
    for subtype in ("plain", "html"):
        assert "李雷，您有一张券将于 11-30 到期。" in taken.text(subtype)
        assert "查看详情" in taken.text(subtype)
        assert "退订" in taken.text(subtype)


async def test_a_letter_about_ones_own_affair_is_no_bulk_mail(driver: Smtp, server: MailServer) -> None:
    await driver.send(outgoing(purpose=Purpose.SERVICE, unsubscribe_url=""))

    (taken,) = server.taken
    assert taken.message["Precedence"] is None
    assert taken.message["List-Unsubscribe"] is None
    assert "退订" not in taken.text("plain") + taken.text("html")


async def test_bounces_come_to_an_address_that_names_the_delivery(driver: Smtp, server: MailServer) -> None:
    letter = outgoing()

    await driver.send(letter)

    (taken,) = server.taken
    tag = links.bounce_tag(letter.delivery_id)
    assert taken.return_path == f"service+{tag}@chain.example"
    assert len(taken.return_path.partition("@")[0]) <= 64
    assert taken.message["Message-ID"] == f"<{tag}@chain.example>"
    assert links.read_bounce_tag(tag.upper()) == letter.delivery_id


async def test_its_links_say_where_they_lead_and_that_nobody_changed_it(driver: Smtp, server: MailServer) -> None:
    letter = outgoing()

    await driver.send(letter)

    html = server.taken[0].text("html")
    tokens = re.findall(r'href="https://chain\.example/v1/m/([\w-]+)"', html)
    found = [links.read(token) for token in tokens]
    assert [(link.kind, link.number, link.of, link.target) for link in found if link] == [
        (For.CLICK, 2, 2, "https://chain.example/rules?a=1&b=2"),
        (For.CLICK, 1, 2, "https://chain.example/#/coupons"),
        (For.TRAP, 0, 2, ""),
    ]
    assert {link.delivery_id for link in found if link} == {letter.delivery_id}
    (pixel,) = re.findall(r'<img src="https://chain\.example/v1/m/([\w-]+)\.gif"', html)
    assert (opened := links.read(pixel)) is not None
    assert opened.kind is For.OPEN
    assert ">https://chain.example/rules?a=1&amp;b=2</a>。" in html


async def test_letters_are_silent_where_the_chain_does_not_follow_them(server: MailServer) -> None:
    driver = Smtp(settings_for(server, message_tracking=False))

    await driver.send(outgoing())
    await driver.aclose()

    html = server.taken[0].text("html")
    assert "/v1/m/" not in html.replace("https://chain.example/v1/m/abc/unsubscribe", "")
    assert 'href="https://chain.example/#/coupons"' in html


async def test_what_a_value_says_is_text_in_html(driver: Smtp, server: MailServer) -> None:
    await driver.send(outgoing(body='<script>alert("x")</script> https://chain.example/"onload="x'))

    html = server.taken[0].text("html")
    assert "<script>" not in html
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" in html
    assert '"onload=' not in html


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x85", "\r\n\r\n"])
async def test_no_title_or_body_adds_a_header_or_ends_the_letter(driver: Smtp, server: MailServer, break_: str) -> None:
    bad = f"hello{break_}Bcc: eve@evil.example{break_}.{break_}MAIL FROM:<eve@evil.example>"

    await driver.send(outgoing(title=bad, body=bad))
    await driver.send(outgoing(title="second"))

    first, second = server.taken
    assert first.message["Bcc"] is None
    assert first.message["Subject"] == "hello Bcc: eve@evil.example . MAIL FROM:<eve@evil.example>"
    assert first.recipients == ["li.lei@mail.example"]
    assert second.message["Subject"] == "second"
    assert set(first.message.keys()) == set(second.message.keys())


@pytest.mark.parametrize(
    "address",
    [
        "li@mail.example\r\nRCPT TO:<eve@evil.example>",
        "li@mail.example\nBcc: eve@evil.example",
        "li@mail.example, eve@evil.example",
        "li@mail.example> SIZE=1",
        '"li lei"@mail.example',
        "李雷@mail.example",
        "li@localhost",
        "li@-mail.example",
        "li@mail..example",
        "li@@mail.example",
        "@mail.example",
        "li",
        "",
        "a" * 65 + "@mail.example",
    ],
)
async def test_an_address_that_is_none_reaches_no_server(driver: Smtp, server: MailServer, address: str) -> None:
    with pytest.raises(Refused) as refused:
        await driver.send(outgoing(address=address))

    assert (refused.value.reason, refused.value.bounced) == ("unknown_address", True)
    assert server.sessions == 0


def test_a_chinese_domain_is_written_in_ascii() -> None:
    assert mail.mailbox("lilei@例子.中国") == "lilei@xn--fsqu00a.xn--fiqs8s"
    assert mail.mailbox(" Li.Lei@Mail.Example ") == "Li.Lei@mail.example"


async def test_a_few_connections_serve_many_letters(driver: Smtp, server: MailServer) -> None:
    await asyncio.gather(*(driver.send(outgoing()) for _ in range(20)))

    assert len(server.taken) == 20
    assert server.sessions <= channel.LINES


async def test_a_connection_ends_after_as_many_letters_as_servers_like(
    driver: Smtp, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "MOST_LETTERS", 2)

    for _ in range(5):
        await driver.send(outgoing())

    assert (len(server.taken), server.sessions) == (5, 3)


async def test_a_kept_connection_that_died_is_opened_anew(driver: Smtp, server: MailServer) -> None:
    await driver.send(outgoing())
    server.hang_up()

    await driver.send(outgoing())
    server.next("MAIL", "421 4.3.2 going down")
    await driver.send(outgoing())

    assert (len(server.taken), server.sessions) == (3, 3)


@pytest.mark.parametrize(
    ("command", "answer", "reason", "bounced"),
    [
        ("RCPT", "550 5.1.1 no such user", "unknown_address", True),
        ("RCPT", "550 no such user", "unknown_address", True),
        ("RCPT", "550 5.7.1 you are on a list", "recipient_refused", False),
        ("RCPT", "552 5.2.2 mailbox full", "mailbox_full", False),
        ("RCPT", "554 5.7.1 policy", "recipient_refused", False),
        ("DATA", "554 5.7.1 spam", "content_refused", False),
        ("DATA", "550 5.1.1 no such user after all", "unknown_address", True),
        ("DATA", "550 spam", "content_refused", False),
    ],
)
async def test_a_5xx_is_final_and_the_next_letter_goes_on_the_same_connection(
    driver: Smtp, server: MailServer, command: str, answer: str, reason: str, bounced: bool
) -> None:
    server.next(command, answer)

    with pytest.raises(Refused) as refused:
        await driver.send(outgoing())

    assert (refused.value.reason, refused.value.bounced) == (reason, bounced)
    assert server.taken == []
    await driver.send(outgoing())
    assert (len(server.taken), server.sessions) == (1, 1)


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_a_4xx_is_tried_again(driver: Smtp, server: MailServer, command: str) -> None:
    server.next(command, "451 4.7.1 greylisted")

    with pytest.raises(TryAgain):
        await driver.send(outgoing())

    assert server.taken == []
    await driver.send(outgoing())
    assert len(server.taken) == 1


async def test_a_sender_that_is_refused_is_ours_to_mend_and_no_bounce(driver: Smtp, server: MailServer) -> None:
    server.next("MAIL", "550 5.7.1 not from you")

    with pytest.raises(TryAgain) as again:
        await driver.send(outgoing())

    assert (again.value.reason, again.value.after_s) == ("sender_refused", 300.0)


async def test_a_server_that_hangs_up_before_the_letter_may_be_asked_again(driver: Smtp, server: MailServer) -> None:
    server.next("RCPT", "hang up")

    with pytest.raises(TryAgain) as again:
        await driver.send(outgoing())

    assert again.value.reason == "unreachable"


async def test_a_server_that_hangs_up_on_the_letter_may_have_it(driver: Smtp, server: MailServer) -> None:
    server.next("DATA", "hang up")

    with pytest.raises((Refused, TryAgain)) as refused:
        await driver.send(outgoing())

    assert isinstance(refused.value, Refused)
    assert (refused.value.reason, refused.value.bounced) == ("outcome_unknown", False)
    await driver.send(outgoing())
    assert len(server.taken) == 1


async def test_a_server_that_is_not_there_is_tried_again(server: MailServer) -> None:
    driver = Smtp(make_settings(smtp_url="smtp://127.0.0.1:9", mail_from=FROM))

    with pytest.raises(TryAgain) as again:
        await driver.send(outgoing())

    assert again.value.reason == "unreachable"


async def test_a_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "OPEN_S", 0.05)
    silent = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    driver = Smtp(make_settings(smtp_url=f"smtp://127.0.0.1:{port}", mail_from=FROM))

    with pytest.raises(TryAgain) as again:
        await driver.send(outgoing())

    assert again.value.reason == "unreachable"
    silent.close()


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
async def test_tls_and_login(tmp_path: Path, scheme: str) -> None:
    pem, context = make_authority(tmp_path)
    kind = {"starttls": context} if scheme == "smtp+starttls" else {"implicit": context}
    async with mail_server(user="huiyuan", password="p@ss:word", **kind) as server:
        driver = Smtp(settings_for(server, scheme, "huiyuan:p%40ss%3Aword@", smtp_ca_file=str(pem)))

        await driver.send(outgoing())
        await driver.aclose()

        (taken,) = server.taken
        assert (taken.over_tls, taken.user) == (True, "huiyuan")


async def test_a_certificate_that_nobody_vouches_for_is_not_sent_to(tmp_path: Path) -> None:
    _, context = make_authority(tmp_path)
    async with mail_server(starttls=context, user="huiyuan", password="right") as server:
        driver = Smtp(settings_for(server, "smtp+starttls", "huiyuan:right@"))

        with pytest.raises(TryAgain) as again:
            await driver.send(outgoing())

        assert (again.value.reason, server.taken) == ("unreachable", [])


async def test_a_server_without_tls_is_not_sent_to_where_tls_was_asked_for(server: MailServer) -> None:
    driver = Smtp(settings_for(server, "smtp+starttls"))

    with pytest.raises(TryAgain):
        await driver.send(outgoing())

    assert server.taken == []


async def test_a_wrong_password_is_ours_to_mend(tmp_path: Path) -> None:
    pem, context = make_authority(tmp_path)
    async with mail_server(starttls=context, user="huiyuan", password="right") as server:
        driver = Smtp(settings_for(server, "smtp+starttls", "huiyuan:wrong@", smtp_ca_file=str(pem)))

        with pytest.raises(TryAgain) as again:
            await driver.send(outgoing())

        assert (again.value.reason, again.value.after_s, server.taken) == ("login_refused", 300.0, [])


def test_a_letter_is_dated_by_our_clock() -> None:
    settings = make_settings(mail_from=FROM)
    config.use(settings)
    composed = mail.compose(outgoing(), mail.sender_of(settings), clock.now())

    assert re.search(rb"^Date: \w{3}, \d{2} \w{3} \d{4} ", composed.content, re.MULTILINE)
    assert b"\r\n" in composed.content
    assert not re.search(rb"(?<!\r)\n", composed.content)
    assert all(len(line) <= 998 for line in composed.content.split(b"\r\n"))
