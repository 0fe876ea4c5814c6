"""The API's own description of campaigns and coupons: every operation says by what names it may refuse, and shows what is sent."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any

import msgspec
import pytest

from hutong.kernel.errors import Reason
from hutong.marketing.campaigns.views import DraftCampaign, DraftOwnCampaign
from hutong.marketing.coupons.views import TemplateBody
from hutong.runtime.pool import WorkerPool
from tests.institution.payments.test_http import Jing

TAGS = {"Operator: campaigns", "Merchant: campaigns", "Sponsor", "Operator: coupons", "Coupons: merchants"}
# They ask for nothing by name, and whoever asks may.
_NEVER_REFUSE = {
    *(("get", f"/v1/operator/{what}") for what in ("sponsors", "campaigns")),
    *(("get", f"/v1/sponsor/{what}") for what in ("budget", "budget/movements", "campaigns", "keys")),
}
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


def _example(described: dict[str, Any], name: str) -> dict[str, Any]:
    """The body that its fields' examples make together."""
    fields = described["components"]["schemas"][name]["properties"]
    return {field: schema["examples"][0] for field, schema in fields.items()}


async def test_what_the_examples_make_together_is_a_sound_campaign(described: dict[str, Any]) -> None:
    """Who fills in the page's example and sends it is refused for nothing but what is not there."""
    whole = msgspec.convert(_example(described, "DraftCampaign"), DraftCampaign).draft()
    own = msgspec.convert(_example(described, "DraftOwnCampaign"), DraftOwnCampaign).draft(1, 2)
    for draft in (whole, own):
        draft.terms.check(draft.kind, draft.side)
        assert 0 < draft.starts_ns < draft.ends_ns
    made = msgspec.convert(_example(described, "TemplateBody"), TemplateBody)
    made.terms.check()


async def test_every_field_that_is_sent_has_an_example(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    sent: set[str] = set()
    for operation in _operations(described).values():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            schema = media["schema"]
            refs = [each["$ref"] for each in schema.get("oneOf", [schema]) if "$ref" in each]  # One may be left out.
            assert refs, operation["operationId"]
            sent.update(ref.rpartition("/")[2] for ref in refs)
    assert len(sent) > 7
    without = [
        f"{name}.{field}"
        for name in sorted(sent)
        for field, schema in schemas[name]["properties"].items()
        if "examples" not in schema and name != "CampaignTerms"  # The whole of it is shown where it is a part.
    ]
    assert without == []
