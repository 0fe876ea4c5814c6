"""Merchants' programs on Python clients, unchanged, through whole stories."""

from pathlib import Path

import pytest

from tests.gateways.clients.stage import PROGRAMS, Stage, environment

pytestmark = pytest.mark.timeout(900)


def python(lot: str, program: str, *arguments: object) -> list[str]:
    return [str(environment(lot) / "bin" / "python"), str(PROGRAMS / program), *map(str, arguments)]


@pytest.mark.parametrize("mode", ["key", "certificate"])
def test_a_shop_on_wechatpayv3(stage: Stage, mode: str) -> None:
    account = stage.account("wechatpay", "--signing", mode)
    assert stage.play(python("wechatpay", "wechatpayv3_story.py", account, "", mode))["done"]


def test_a_shop_on_wechatpayv3_by_base_url(stage: Stage) -> None:
    account = stage.account("wechatpay", "--signing", "certificate")
    program = python("wechatpay", "wechatpayv3_story.py", account, stage.urls["wei"], "certificate")
    assert stage.play(program, private=False)["done"]


def test_a_shop_on_wechatpy(stage: Stage, wechat_account: Path) -> None:
    assert stage.play(python("wechatpay", "wechatpy_story.py", wechat_account))["done"]


def test_a_shop_on_pywechatpay(stage: Stage, wechat_account: Path) -> None:
    assert stage.play(python("wechatpay", "pywechatpay_story.py", wechat_account))["done"]


@pytest.mark.parametrize("mode", ["key", "certificate"])
def test_a_shop_on_python_alipay_sdk(stage: Stage, mode: str) -> None:
    account = stage.account("alipay", "--signing", mode)
    assert stage.play(python("alipay", "python_alipay_sdk_story.py", account, "", mode))["done"]


def test_a_shop_on_alipay_sdk_python(stage: Stage, alipay_account: Path) -> None:
    assert stage.play(python("alipay-official", "alipay_sdk_python_story.py", alipay_account))["done"]
