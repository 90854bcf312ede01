"""The running application does what its own description says, for what fits the description and for what does not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from requests.auth import AuthBase
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from backend.app import routers
from backend.kernel import db
from backend.kernel.http import openapi_document
from tests.support import gateways
from tests.support.books import fingerprint
from tests.support.members import Phone, register
from tests.support.pos import Till
from tests.support.staff import StaffSession, log_in
from tests.support.suggestions import make_box, own_id, whisper
from tests.support.tickets import fetch
from tests.support.value import findings, give

EXAMPLES = 5
"""Of each call, fitting and unfitting ones; ``test_bad_input`` goes through every field of every call by itself."""

schema = schemathesis.openapi.from_dict(
    openapi_document(routers()), config=SchemathesisConfig.from_dict({"generation": {"mode": "all", "allow-x00": True}})
)
OPERATIONS: dict[str, APIOperation] = {
    operation.label: operation for operation in (result.ok() for result in schema.get_all_operations())
}


class Signature(AuthBase):
    """A till that signs whatever is sent."""

    def __init__(self, till: Till) -> None:
        self.till = till

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        assert isinstance(body, str | bytes)
        raw = body.encode() if isinstance(body, str) else body
        key = request.headers.get("Idempotency-Key", "")
        text = key.decode("latin-1") if isinstance(key, bytes) else key
        signed = self.till.authorization(request.method or "", request.path_url, raw, text.strip())
        request.headers["Authorization"] = signed
        return request


class GatewaySignature(AuthBase):
    """A gateway that signs whatever it reports."""

    def __init__(self, key: str, secret: str) -> None:
        self.key, self.secret = key, secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        assert isinstance(body, str | bytes)
        raw = body.encode() if isinstance(body, str) else body
        signed = gateways.authorization(self.key, self.secret, request.method or "", request.path_url, raw)
        request.headers["Authorization"] = signed
        return request


@pytest.fixture(scope="module")
def wire() -> Iterator[requests.Session]:
    """Connections that are used again, by nobody's settings but ours; without one, each call opens its own."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers.clear()
        yield session


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def member(browser, chain) -> Phone:
    """A member with something to lose."""
    phone = await register(browser)
    await give(phone.member_id, principal=10_000, points=100)
    return phone


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def admin(browser, chain) -> StaffSession:
    """Head office."""
    return await log_in(browser, chain, "admin")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def unnamed(admin, member) -> dict[str, str]:
    """A ticket and a receipt."""
    box = await make_box(admin, await own_id(admin))
    (ticket,) = await fetch(member)
    return {"ticketBearer": ticket, "receiptBearer": (await whisper(member, box))["receipt"]}


def schemes_of(operation: APIOperation) -> set[str]:
    return {name for item in operation.definition.raw.get("security", []) for name in item}


@pytest.mark.parametrize("label", OPERATIONS)
async def test_every_call_does_what_the_description_says(
    server, browser, chain, member, admin, unnamed, settings, wire, label
):
    operation = OPERATIONS[label]
    schemes = schemes_of(operation)
    more: dict[str, Any] = {}
    if "memberBearer" in schemes:
        phone = await register(browser) if "logout" in label else member
        more["headers"] = {"Authorization": f"Bearer {phone.access_token}"}
    elif "staffBearer" in schemes:
        await db.fetchval("DELETE FROM auth_login_failure")  # wrong passwords of the calls before
        ending = any(word in label for word in ("logout", "/me/password", "/totp", "sessions"))
        session = await log_in(browser, chain, "admin") if ending else admin
        more["headers"] = {"Authorization": f"Bearer {session.access_token}"}
    elif "terminalHmac" in schemes:
        more["auth"] = Signature(chain.till)
    elif "smsHmac" in schemes:
        more["auth"] = GatewaySignature("sms", settings.sms_secret)
    elif "mailHmac" in schemes:
        more["auth"] = GatewaySignature("mail", settings.mail_report_secret)
    elif shown := schemes & {*unnamed}:
        more["headers"] = {"Authorization": f"Bearer {unnamed[shown.pop()]}"}

    def play() -> None:
        # A schema cannot say that NUL characters and 1.0 for an integer are refused, nor which codes are good. Refusal
        # of who does not sign is tested in test_authorization; here everything is signed.
        excluded = [positive_data_acceptance, *([ignored_auth] if "auth" in more else [])]

        @examples(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def one(case: Case) -> None:
            case.call_and_validate(base_url=server.base_url, session=wire, excluded_checks=excluded, **more)

        one()

    await asyncio.to_thread(play)


async def test_the_books_balance_after_all_of_it(settings, member):
    """Runs last in this module: whatever was accepted above moved value by the rules."""
    assert await findings(settings) == []
    assert await fingerprint(settings)
    assert (await member.wallet())["stored"]["total_fen"] >= 0


def test_the_walk_covers_every_operation():
    assert len(OPERATIONS) >= 40
    assert {"POST /v1/pos/sales", "POST /v1/member/recharges", "POST /v1/wechat/pay/notify"} <= {*OPERATIONS}
