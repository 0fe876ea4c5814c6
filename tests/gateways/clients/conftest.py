"""One network for all clients, and an account of each vendor there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hutong.runtime.address import Address
from tests.gateways.clients.stage import Stage, staged


@pytest.fixture(scope="session")
def stage(postgres: Address, run_directory: Path) -> Iterator[Stage]:
    with staged(postgres, run_directory) as stage:
        yield stage


@pytest.fixture(scope="session")
def wechat_account(stage: Stage) -> Path:
    return stage.account("wechatpay")


@pytest.fixture(scope="session")
def alipay_account(stage: Stage) -> Path:
    return stage.account("alipay")
