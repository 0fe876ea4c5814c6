"""What comes after orders and refunds, by base URL, or behind the real names where the merchant's certificate is shown."""

import json
from pathlib import Path

import pytest

from tests.gateways.clients.stage import Stage
from tests.gateways.clients.stories import PLAYED, Played
from tests.gateways.clients.test_node_clients import node
from tests.gateways.clients.test_python_clients import python

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def pair(stage: Stage) -> Path:
    """An account, and beside it another merchant's, which the first may act for."""
    return with_neighbour(stage, stage.account("wechatpay"))


@pytest.fixture(scope="module")
def certified_pair(stage: Stage) -> Path:
    """The same where the platform signs with its certificate."""
    return with_neighbour(stage, stage.account("wechatpay", "--signing", "certificate"))


@pytest.fixture(scope="module")
def alipay_pair(stage: Stage) -> Path:
    """The same at the other gateway, with certificates."""
    return with_neighbour(stage, stage.account("alipay", "--signing", "certificate"), "alipay", "zhi")


@pytest.fixture(scope="module")
def keyed_pair(stage: Stage) -> Path:
    """And with keys alone."""
    return with_neighbour(stage, stage.account("alipay"), "alipay", "zhi")


def with_neighbour(stage: Stage, account: Path, vendor: str = "wechatpay", at: str = "wei") -> Path:
    """Beside an account another merchant's, which the first may act for."""
    number = json.loads((account / "account.json").read_text())["account"]["number"]
    merchant = stage.hutong("onboard", "隔壁茶室", "--latin", "Tea Next Door", "--node", at, "--json")["merchant_id"]
    partner = ("--partner", number) if vendor == "wechatpay" else ()  # Alipay has a page to let somebody act.
    other = stage.account(vendor, "--merchant", merchant, *partner)
    (account / "other.json").write_text((other / "account.json").read_text())
    return account


@pytest.mark.parametrize(
    ("played", "story"),
    [pytest.param(row, story, id=f"{row.client}-{story}") for row in PLAYED for story in row.stories],
)
def test_a_story_beyond_orders(stage: Stage, played: Played, story: str, request: pytest.FixtureRequest) -> None:
    account = request.getfixturevalue(played.account)
    arguments = (played.program, account, "" if played.names else stage.urls[played.node], story)
    program = node(*arguments) if played.lot == "node" else python(played.lot, *arguments)
    assert stage.play(program, private=played.names)["done"]
