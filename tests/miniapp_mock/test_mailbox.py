"""The demo's mail server and its mailbox: asked by the standard library's client, which we did not write."""

from __future__ import annotations

import asyncio
import smtplib
import socket
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from typing import TypeVar

import httpx
import pytest_asyncio

from miniapp_mock.simulator import MailConfig, MailServer, build_mail, smtp

T = TypeVar("T")


class Place:
    """A running mail server and its pages."""

    def __init__(self, port: int, pages: httpx.AsyncClient) -> None:
        self.port = port
        self.pages = pages

    async def ask(self, talk: Callable[[smtplib.SMTP], T]) -> T:
        """Talk to the server in a thread, as the client of the standard library does."""

        def run() -> T:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
                return talk(client)

        return await asyncio.to_thread(run)

    async def sent(self, to: str = "") -> list[dict]:
        return (await self.pages.get("/mock/mail/sent", params={"to": to})).json()["items"]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def place(simulator_url: str) -> AsyncIterator[Place]:
    mailbox = build_mail(MailConfig(database_url=simulator_url))
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(MailServer(mailbox.take).serve(listening))

    async def mounted(scope, receive, send):
        await mailbox({**scope, "root_path": "/mock/mail"}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(mounted), base_url="http://demo") as pages:
        yield Place(listening.getsockname()[1], pages)
    serving.cancel()
    await asyncio.wait({serving})
    await mailbox.aclose()


def letter(to: str, title: str = "您的券快到期了") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "惠员便利 <service@huiyuan.example>", to, title
    made["List-Unsubscribe"] = "<http://127.0.0.1:8000/v1/m/token/unsubscribe>"
    made.set_content("第一行\n.\n..两点开头\n最后一行")
    made.add_alternative("<html><head></head><body><script>x()</script><a href='/'>去看看</a></body></html>", "html")
    return made


async def test_a_letter_is_taken_as_it_is_and_shown_without_what_could_act(place):
    await place.ask(lambda client: client.send_message(letter("li.lei@one.example", "<b>标题</b>")))

    (item,) = await place.sent("Li.Lei@one.example")
    page, shown = [await place.pages.get(f"/mock/mail/{item['id']}{what}") for what in ("", "/letter")]

    assert item["subject"] == "<b>标题</b>"
    assert item["text"].splitlines() == ["第一行", ".", "..两点开头", "最后一行"]
    assert item["unsubscribe"] == "http://127.0.0.1:8000/v1/m/token/unsubscribe"
    assert "&lt;b&gt;标题" in page.text
    assert 'action="/v1/m/token/unsubscribe"' in page.text
    assert "sandbox allow-popups" in shown.headers["content-security-policy"]
    assert "allow-scripts" not in shown.headers["content-security-policy"]
    assert '<base target="_blank">' in shown.text
    assert (await place.pages.get("/mock/mail/999999")).status_code == 404
    assert "&lt;b&gt;标题" in (await place.pages.get("/mock/mail/")).text


async def test_mailboxes_with_telling_names_refuse(place):
    def talk(client: smtplib.SMTP) -> list[int]:
        client.ehlo()
        client.mail("a@b.example")
        return [client.rcpt(f"{name}@two.example")[0] for name in ("nobody", "full", "busy", "somebody")]

    assert await place.ask(talk) == [550, 552, 451, 250]
    assert await place.sent("nobody@two.example") == []


async def test_what_comes_out_of_order_or_is_too_much_is_refused_and_nothing_is_kept(place):
    def talk(client: smtplib.SMTP) -> list[int]:
        early = [client.docmd(line)[0] for line in ("MAIL FROM:<a@b.example>", "DATA", "EHLO", "TURN")]
        client.ehlo()
        late = [
            client.docmd(line)[0]
            for line in (
                "RCPT TO:<a@three.example>",
                f"MAIL FROM:<a@b.example> SIZE={smtp.MOST_BYTES + 1}",
                "MAIL FROM:a@b.example",
                "MAIL FROM:<a@b.example> AUTH=<>",
                "MAIL FROM:<a@b.example>",
                "MAIL FROM:<a@b.example>",
                "RCPT TO:<>",
                "RCPT TO:<a@three.example> NOTIFY=NEVER",
                "DATA",
            )
        ]
        return early + late

    def crowd(client: smtplib.SMTP) -> list[int]:
        client.ehlo()
        client.mail("a@b.example")
        return [client.rcpt(f"{number}@three.example")[0] for number in range(smtp.MOST_RECIPIENTS + 1)]

    def much(client: smtplib.SMTP) -> int:
        client.ehlo()
        client.mail("a@b.example")
        client.rcpt("much@three.example")
        return client.data(b"Subject: x\r\n\r\n" + (b"x" * 998 + b"\r\n") * (smtp.MOST_BYTES // 1000 + 2))[0]

    answers = await place.ask(talk)
    assert answers == [503, 503, 501, 500, 503, 552, 501, 555, 250, 503, 501, 555, 503]
    assert (await place.ask(crowd))[-2:] == [250, 452]
    assert await place.ask(much) == 552
    assert [item for item in await place.sent() if "three" in item["to"]] == []


async def raw(place: Place, *said: bytes) -> bytes:
    """What the server answers to these bytes until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    for piece in said:
        writer.write(piece)
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return answer


async def test_a_lone_line_feed_ends_no_letter(place):
    """Else one letter could carry a second one, with a sender of its own choice."""
    start = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<lf@four.example>\r\nDATA\r\n"
    inner = b"MAIL FROM:<boss@b.example>\r\nRCPT TO:<lf@four.example>\r\nDATA\r\nSubject: two\r\n\r\nx"

    await raw(place, start, b"Subject: one\r\n\r\nx\n.\n", inner, b"\r\n.\r\nQUIT\r\n")

    assert [(item["subject"], item["return_path"]) for item in await place.sent("lf@four.example")] == [
        ("one", "a@b.example")
    ]


async def test_who_talks_nonsense_or_too_long_is_hung_up_on(place):
    nonsense = await raw(place, b"FOO\r\n" * (smtp.MOST_MISTAKES + 5))
    long = await raw(place, b"NOOP " + b"x" * (3 * smtp.MOST_LINE))

    assert nonsense.splitlines()[-1].startswith(b"421 4.7.0")
    assert nonsense.count(b"500 5.5.2") == smtp.MOST_MISTAKES + 1
    assert long.splitlines()[-1].startswith(b"500 5.5.2")


async def test_more_connections_than_there_may_be_are_sent_away(place):
    open_ones = [await asyncio.open_connection("127.0.0.1", place.port) for _ in range(smtp.MOST_SESSIONS)]
    greetings = [await reader.readline() for reader, _ in open_ones]

    one_more = await raw(place)
    for _, writer in open_ones:
        writer.close()

    assert all(greeting.startswith(b"220") for greeting in greetings)
    assert one_more.startswith(b"421 4.3.2")


async def test_the_oldest_letters_go(place, monkeypatch):
    monkeypatch.setattr("miniapp_mock.simulator.mailbox.KEPT", 3)

    for number in range(5):
        await place.ask(lambda client, n=number: client.send_message(letter("many@five.example", str(n))))

    assert [item["subject"] for item in await place.sent()] == ["4", "3", "2"]
