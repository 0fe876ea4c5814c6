"""Merchants' programs on Python clients, unchanged, through whole stories."""

from pathlib import Path

import pytest

from tests.gateways.clients.conftest import PROGRAMS, Stage, environment


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
