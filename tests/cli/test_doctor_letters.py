"""``huiyuan doctor`` looks at the mail server, the SMS gateway and the labels' font; each mistake is made for real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.cli.doctor import letters
from backend.cli.doctor.findings import Report, Subject
from tests.kernel.http.conftest import make_settings
from tests.support.smtp import MailServer, mail_server, make_authority

SECRET = "s" * 32


def subject(**changes: object) -> Subject:
    return Subject(make_settings(**changes), {}, 1)


def mail_subject(server: MailServer, scheme: str = "smtp", login: str = "", **changes: object) -> Subject:
    given: dict[str, object] = {
        "smtp_url": f"{scheme}://{login}127.0.0.1:{server.port}",
        "mail_from": "惠员便利 <service@chain.example>",
        "mail_report_secret": SECRET,
    }
    return subject(**given | changes)


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


async def test_no_mail_server_is_no_mistake() -> None:
    assert codes(await letters.mail(subject())) == []
    assert codes(letters.sms(subject())) == codes(letters.labels(subject())) == []


async def test_a_mail_server_that_lets_us_in_is_fit(tmp_path: Path) -> None:
    pem, context = make_authority(tmp_path)
    async with mail_server(starttls=context, user="huiyuan", password="right") as server:
        report = await letters.mail(mail_subject(server, "smtp+starttls", "huiyuan:right@", smtp_ca_file=str(pem)))

        assert (codes(report), report.well) == ([], "127.0.0.1 lets us in, from service@chain.example")
        assert (server.sessions, server.taken) == (1, [])


async def test_a_login_that_is_refused_is_named(tmp_path: Path) -> None:
    pem, context = make_authority(tmp_path)
    async with mail_server(starttls=context, user="huiyuan", password="right") as server:
        report = await letters.mail(mail_subject(server, "smtp+starttls", "huiyuan:wrong@", smtp_ca_file=str(pem)))

        assert codes(report) == ["mail_login_refused"]
        assert "wrong" not in str(report)


async def test_a_server_without_tls_where_tls_was_asked_for_is_named() -> None:
    async with mail_server() as server:
        assert codes(await letters.mail(mail_subject(server, "smtp+starttls"))) == ["mail_unreachable"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"mail_from": ""}, "mail_from_missing"),
        ({"mail_report_secret": ""}, "bounces_not_reported"),
        ({"smtp_url": "smtp://mail.example:25"}, "mail_without_tls"),
        ({"smtp_url": "smtp://127.0.0.1:9"}, "mail_unreachable"),
    ],
)
async def test_what_is_wrong_with_the_mail_settings_is_named(changes: Any, code: str) -> None:
    async with mail_server() as server:
        assert codes(await letters.mail(mail_subject(server, **changes))) == [code]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"sms_url": "https://sms.example/v1", "sms_secret": SECRET}, []),
        ({"sms_url": "https://sms.example/v1"}, ["sms_secret_missing"]),
        ({"sms_url": "http://sms.example/v1", "sms_secret": SECRET}, ["sms_without_tls"]),
        ({"sms_url": "http://sms.example/v1", "sms_secret": SECRET, "sms_internal": True}, []),
    ],
)
def test_what_is_wrong_with_the_gateway_is_named(changes: dict[str, object], found: list[str]) -> None:
    assert codes(letters.sms(subject(**changes))) == found


def test_a_font_that_cannot_be_embedded_is_named(tmp_path: Path) -> None:
    (tmp_path / "outlines.otf").write_bytes(b"OTTO" + bytes(100))
    (tmp_path / "true.ttf").write_bytes(b"\x00\x01\x00\x00" + bytes(100))

    assert codes(letters.labels(subject(label_font_file=str(tmp_path / "outlines.otf")))) == ["label_font"]
    assert codes(letters.labels(subject(label_font_file=str(tmp_path / "true.ttf")))) == []
