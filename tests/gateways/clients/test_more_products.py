"""What comes after orders and refunds, by base URL: partners, splits, combined orders, bills."""

from pathlib import Path

import pytest

from tests.gateways.clients.conftest import Stage
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


def with_neighbour(stage: Stage, account: Path) -> Path:
    """Beside an account another merchant's, which the first may act for."""
    number = (account / "account.json").read_text().partition('"number": "')[2].partition('"')[0]
    merchant = stage.hutong("onboard", "隔壁茶室", "--latin", "Tea Next Door", "--node", "wei", "--json")["merchant_id"]
    other = stage.account("wechatpay", "--merchant", merchant, "--partner", number)
    (account / "other.json").write_text((other / "account.json").read_text())
    return account


@pytest.mark.parametrize(
    "story", ["story_of_a_partner", "story_of_splits", "story_of_a_combined_order", "story_of_the_bill"]
)
def test_wechatpayv3_beyond_orders(stage: Stage, pair: Path, story: str) -> None:
    program = python("wechatpay", "wechatpayv3_more.py", pair, stage.urls["wei"], story)
    assert stage.play(program, private=False)["done"]


@pytest.fixture(scope="module")
def alipay_pair(stage: Stage) -> Path:
    """The same at the other gateway."""
    account = stage.account("alipay", "--signing", "certificate")
    merchant = stage.hutong("onboard", "隔壁茶室", "--latin", "Tea Next Door", "--node", "zhi", "--json")["merchant_id"]
    other = stage.account("alipay", "--merchant", merchant)
    (account / "other.json").write_text((other / "account.json").read_text())
    return account


@pytest.mark.parametrize("story", ["story_of_royalties", "story_of_a_transfer", "story_of_the_bill"])
def test_python_alipay_sdk_beyond_orders(stage: Stage, alipay_pair: Path, story: str) -> None:
    program = python("alipay", "python_alipay_more.py", alipay_pair, stage.urls["zhi"], story)
    assert stage.play(program, private=False)["done"]


@pytest.mark.parametrize(
    "story",
    [
        "story_of_transfers",
        "story_of_a_batch",
        "story_of_pay_score",
        "story_of_uploads",
        "story_of_what_is_not_enabled",
    ],
)
def test_wechatpayv3_and_people(stage: Stage, story: str) -> None:
    account = stage.account("wechatpay")
    program = python("wechatpay", "wechatpayv3_people.py", account, stage.urls["wei"], story)
    assert stage.play(program, private=False)["done"]


@pytest.mark.parametrize("story", ["story_of_transfers", "story_of_red_packets"])
def test_wechatpy_with_its_certificate(stage: Stage, story: str) -> None:
    """Over TLS, where the certificate is shown."""
    assert stage.play(python("wechatpay", "wechatpy_more.py", stage.account("wechatpay"), "", story))["done"]


@pytest.mark.parametrize("story", ["story_of_entrusted_deduction", "story_of_the_bill", "story_of_the_sandbox"])
def test_wechatpy_beyond_orders(stage: Stage, story: str) -> None:
    program = python("wechatpay", "wechatpy_more.py", stage.account("wechatpay"), stage.urls["wei"], story)
    assert stage.play(program, private=False)["done"]


@pytest.mark.parametrize(
    "story",
    [
        "transfers",
        "a_batch",
        "splits",
        "a_combined_order",
        "a_partner",
        "entrusted_deduction",
        "pictures",
        "balances",
        "red_packets_v2",
        "transfers_v2",
        "splits_v2",
        "entrusted_deduction_v2",
        "the_bill",
    ],
)
def test_wechatpay_axios_plugin_beyond_orders(stage: Stage, pair: Path, story: str) -> None:
    program = node("axios_plugin_more.js", pair, stage.urls["wei"], story)
    assert stage.play(program, private=False)["done"]


@pytest.mark.parametrize("story", ["a_combined_order", "splits", "a_batch", "other_ways_in", "the_bill"])
def test_wechatpay_node_v3_beyond_orders(stage: Stage, certified_pair: Path, story: str) -> None:
    program = node("node_v3_more.js", certified_pair, stage.urls["wei"], story)
    assert stage.play(program, private=False)["done"]


@pytest.mark.parametrize("story", ["transfers", "red_packets", "the_sandbox"])
def test_tenpay_with_its_certificate(stage: Stage, wechat_account: Path, story: str) -> None:
    """Over TLS, where the certificate is shown."""
    assert stage.play(node("tenpay_more.js", wechat_account, "", story))["done"]


def test_tenpay_reads_the_bill(stage: Stage) -> None:
    program = node("tenpay_more.js", stage.account("wechatpay"), stage.urls["wei"], "the_bill")
    assert stage.play(program, private=False)["done"]


@pytest.mark.parametrize("story", ["story_of_a_deposit", "story_of_an_agreement", "story_of_who_it_is"])
def test_python_alipay_sdk_and_people(stage: Stage, alipay_pair: Path, story: str) -> None:
    program = python("alipay", "python_alipay_people.py", alipay_pair, stage.urls["zhi"], story)
    assert stage.play(program, private=False)["done"]


def test_python_alipay_sdk_as_a_service_provider(stage: Stage, alipay_pair: Path) -> None:
    """It has keys alone in that mode, no certificates."""
    provider = stage.account("alipay")
    (provider / "other.json").write_text((alipay_pair / "other.json").read_text())
    program = python("alipay", "python_alipay_provider.py", provider, stage.urls["zhi"])
    assert stage.play(program, private=False)["done"]
