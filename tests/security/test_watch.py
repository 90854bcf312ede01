"""What the watch over the logs hears, and what it tells of: without these every test would be content with silence."""

from __future__ import annotations

import logging

import pytest
import structlog

from backend.kernel import logging as kernel
from tests.support.logs import watch

TOKEN = "zN4vJq0-secret-token-91xyz"
PHONE = "13912345678"
ADDRESS = "li.lei@mail.example"
NAME = "欧阳修远"
SENT = (
    f'{{"refresh_token": "{TOKEN}", "phone_code": "phone-{PHONE}", "name": "{NAME}", "email": "{ADDRESS}",'
    f' "text": "店员王五拿了我的钱"}}'
).encode()

log = kernel.get("tests.watch")


@pytest.fixture(autouse=True)
def _known() -> None:
    watch.findings()
    watch.sent([(b"Authorization", b"Bearer abcdefgh.ijklmnop")], SENT)


@pytest.mark.parametrize("secret", [TOKEN, ADDRESS, NAME, "店员王五拿了我的钱", "ijklmnop", "openid-13912345678"])
def test_what_a_client_sent_is_told_in_an_event_in_a_value_and_from_a_library(secret):
    careless = f"said {secret} here"
    log.info(careless)
    log.debug("tests.said", what=["x", {"y": secret}])
    logging.getLogger("some.library").info("it says %s", secret)

    # An openid is known by its looks, and redacted wherever it stands.
    assert len(watch.findings()) == (0 if secret.startswith("openid") else 3)


def test_it_is_told_in_tracebacks_however_they_are_logged():
    try:
        raise ValueError(f"bad: {TOKEN}!")
    except ValueError as error:
        log.exception("tests.failed")
        log.warning("tests.failed", exc_info=True)
        log.error("tests.failed", exc_info=error)
        logging.getLogger("some.library").exception("failed")

    assert len(watch.findings()) == 4


def test_it_is_told_in_what_is_bound_to_a_task():
    with structlog.contextvars.bound_contextvars(what=TOKEN):
        log.info("tests.said")

    assert len(watch.findings()) == 1


def test_what_production_takes_out_is_no_finding():
    log.info("tests.said", phone=PHONE, refresh_token=TOKEN, member_name=NAME, email=ADDRESS)
    careless = f"Authorization: Bearer {TOKEN}, call {PHONE}"
    log.info(careless)

    assert watch.findings() == []


@pytest.mark.parametrize(
    "line", [f"x {TOKEN}", "call 13887654321", "code 70123456789012345678", "t=eyJhbGciOiJIUzI1.e30.x"]
)
def test_what_another_process_wrote_went_through_that_already(line):
    watch.printed(f"started\n{line}\nstopped")

    assert watch.findings() == [line]


def test_what_is_no_secret_is_none():
    log.info("tests.said", member_id=2341059926325373496, amount_fen=13887654321, ms=12.5, sale_id="S0123456789ABCDEF")

    assert watch.findings() == []
