"""The API's own description of campaigns and coupons: every operation says by what names it may refuse, and shows what is sent."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any

import pytest

from hutong.kernel.errors import Reason
from hutong.runtime.pool import WorkerPool
from tests.institution.payments.test_http import Jing

TAGS = {"Operator: campaigns", "Merchant: campaigns", "Operator: coupons", "Coupons: merchants"}
# They ask for nothing by name, and whoever asks may.
_NEVER_REFUSE = {("get", "/v1/operator/sponsors"), ("get", "/v1/operator/campaigns")}
_NAME = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")


@pytest.fixture
async def described() -> AsyncIterator[dict[str, Any]]:
    async with AsyncExitStack() as stack:
        pool = WorkerPool()
        stack.callback(pool.close)
        jing = Jing(pool)
        await jing.start(stack)
        yield await jing.said("GET", "/docs/openapi.json", 200)


def _operations(described: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path): operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if TAGS.intersection(operation.get("tags", ()))
    }


def _names() -> set[str]:
    import_module("hutong.app.wiring")  # Whoever wires all has imported every reason.
    return {each.name for family in Reason.__subclasses__() for each in family}


async def test_every_operation_of_sponsors_and_merchants_names_its_refusals(described: dict[str, Any]) -> None:
    operations = _operations(described)
    assert len(operations) > 40
    said = {at: operation.get("description", "") for at, operation in operations.items()}
    named = {at: set(_NAME.findall(text.partition("Refuses")[2])) for at, text in said.items()}
    assert [at for at, text in said.items() if not text] == []
    assert [at for at, names in named.items() if not names and at not in _NEVER_REFUSE] == []
    assert set().union(*named.values()) - _names() == set()


async def test_every_field_that_is_sent_has_an_example(described: dict[str, Any]) -> None:
    schemas, sent = described["components"]["schemas"], set()
    for operation in _operations(described).values():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            sent.add(media["schema"]["$ref"].rpartition("/")[2])
    assert len(sent) > 7
    without = [
        f"{name}.{field}"
        for name in sorted(sent)
        for field, schema in schemas[name]["properties"].items()
        if "examples" not in schema and name != "CampaignTerms"  # The whole of it is shown where it is a part.
    ]
    assert without == []
