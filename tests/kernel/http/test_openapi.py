"""The description is complete, and the server does what it says."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from backend.kernel.http import openapi_document

from . import sample
from .conftest import Site


@pytest.fixture(scope="module")
def document(site: Site) -> dict[str, Any]:
    return httpx.get(f"{site.base_url}/openapi.json", trust_env=False).json()


def test_describes_every_route_but_the_hidden(document: dict[str, Any]) -> None:
    described = {(path, method) for path, item in document["paths"].items() for method in item}

    assert ("/v1/orders", "post") in described
    assert ("/healthz", "get") in described
    assert ("/v1/broken", "get") not in described
    assert document["openapi"] == "3.1.0"
    assert document["x-websockets"][0]["path"] == "/v1/live"
    assert document["x-websockets"][0]["subprotocol"] == "sample.v1"


def test_describes_a_call_with_everything_it_needs(document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/orders"]["post"]

    assert operation["summary"] == "下单"
    assert operation["security"] == [{"memberBearer": []}]
    assert document["components"]["securitySchemes"]["memberBearer"]["scheme"] == "bearer"
    assert operation["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Order"}
    key = operation["parameters"][0]
    assert (key["name"], key["in"], key["required"]) == ("Idempotency-Key", "header", True)
    assert set(operation["responses"]) == {
        "201", "400", "401", "408", "409", "413", "415", "422", "429", "500", "503",
    }  # fmt: skip
    conflict = operation["responses"]["409"]["content"]["application/problem+json"]
    assert conflict["examples"]["sold_out"]["value"]["code"] == "sold_out"
    assert document["components"]["schemas"]["Order"]["additionalProperties"] is False


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [ref for inner in value.values() for ref in references(inner)]
        return [ref for inner in value for ref in references(inner)] if isinstance(value, list) else []

    for reference in set(references(document)):
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]

    assert len(names) == len(set(names))
    assert {"create_order", "logout_post", "logout_put"} <= set(names)


schema = schemathesis.openapi.from_dict(
    openapi_document([sample.router]),
    config=SchemathesisConfig.from_dict({"generation": {"mode": "all", "allow-x00": True}}),
)


@schema.parametrize()
@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_server_does_what_the_description_says(case: Case, site: Site) -> None:
    # A schema cannot say that NUL characters and 1.0 for an integer are refused, so not all that fits it is taken.
    case.call_and_validate(
        base_url=site.base_url, headers={"Authorization": "Bearer good"}, excluded_checks=[positive_data_acceptance]
    )
