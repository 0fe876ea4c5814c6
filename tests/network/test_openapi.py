"""
Every operation of the APIs with what its own description allows, and with what it does not: a no with a name, never a 500.

`make fuzz` asks for many more; `OPENAPI_EXAMPLES` is how many for each operation and way of making them up.
"""

import os
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.network.street import NO_TLS, TIMEOUT_S, Street

EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "1"))
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
_LAST = "/v1/sessions/current"  # Behind it a payer's token is good no more.
_QUICK = settings(
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def callers(street: Street, node: str) -> list[str]:
    """A token of each kind of caller; nobody of them has money, so whatever they manage to say, nothing can move."""
    found = ["", street.doors[node].operator_token]
    return found if node == "switch" else [*found, street.payer(node, pin=True).token, street.till(node).token]


def header_for(client: httpx.Client, method: str, path: str, tokens: list[str]) -> dict[str, str]:
    """Of whoever is let in there: the description says that a token is needed, not whose."""
    for token in tokens if path != _LAST else ():
        header = {"authorization": f"Bearer {token}"} if token else {}
        if client.request(method, path.replace("{", "").replace("}", ""), headers=header).status_code != 401:
            return header
    return {}  # It takes a signature.


def wrong_with(operation: Any, mode: GenerationMode, session: requests.Session, header: dict[str, str]) -> str:
    """What one operation answered that it may not; nothing, if all is well."""

    @_QUICK
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        if "wait_s" in (case.query or {}):
            case.query["wait_s"] = 0
        case.validate_response(case.call(session=session, headers=header, timeout=TIMEOUT_S), checks=CHECKS)

    try:
        ask()
    except Unsatisfiable:
        return ""  # There is nothing to say to it otherwise.
    except Exception as error:  # noqa: BLE001  # All that are wrong are told at once.
        return f"{operation.method.upper()} {operation.path}: {str(error)[:900]}"
    return ""


@pytest.mark.parametrize("node", ["switch", "jing"])
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as described", "otherwise"])
def test_every_operation_answers_as_its_description_says(
    street: Street, nothing_moves: None, node: str, mode: GenerationMode
) -> None:
    url = street.doors[node].url
    schema = schemathesis.openapi.from_url(f"{url}/docs/openapi.json")
    described = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    operations = sorted(described, key=lambda each: each.path == _LAST)
    tokens = callers(street, node)
    with httpx.Client(base_url=url, trust_env=False, verify=NO_TLS) as client, requests.Session() as session:
        found = [
            wrong_with(each, mode, session, header_for(client, each.method, each.path, tokens)) for each in operations
        ]
    assert len(operations) > 20
    assert not any(found), "\n\n".join(filter(None, found))
