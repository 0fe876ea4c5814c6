"""Merchants' programs on Node's clients, unchanged, through whole stories."""

from pathlib import Path

import pytest

from tests.gateways.clients.stage import PROGRAMS, Stage, environment

pytestmark = pytest.mark.timeout(900)


def node(program: str, *arguments: object) -> list[str]:
    place = environment("node")
    modules = f"NODE_PATH={place / 'node_modules'}"
    return ["env", modules, str(place / "node"), str(PROGRAMS / program), *map(str, arguments)]


def test_a_shop_on_wechatpay_axios_plugin(stage: Stage, wechat_account: Path) -> None:
    assert stage.play(node("axios_plugin_story.js", wechat_account))["done"]


def test_a_shop_on_wechatpay_axios_plugin_by_base_url(stage: Stage, wechat_account: Path) -> None:
    assert stage.play(node("axios_plugin_story.js", wechat_account, stage.urls["wei"]), private=False)["done"]


def test_a_shop_on_wechatpay_node_v3(stage: Stage) -> None:
    account = stage.account("wechatpay", "--signing", "certificate")
    assert stage.play(node("node_v3_story.js", account))["done"]


@pytest.mark.parametrize("mode", ["key", "certificate"])
def test_a_shop_on_alipay_sdk(stage: Stage, mode: str) -> None:
    assert stage.play(node("alipay_sdk_story.js", stage.account("alipay", "--signing", mode)))["done"]


def test_a_shop_on_tenpay(stage: Stage, wechat_account: Path) -> None:
    assert stage.play(node("tenpay_story.js", wechat_account))["done"]
