"""One hall for each file of tests: its keys take long to make. Each test has an account and payers of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count

import pytest
import pytest_asyncio

from hutong.gateways.account import AlipayAccount, GatewayKind
from hutong.kernel.ids import id_text
from hutong.runtime.shelf import decided
from tests.gateways.alipay.merchant import Merchant
from tests.gateways.hall import Hall, opened_hall
from tests.institution.merchants.shop_street import noodles
from tests.institution.payments.test_http import Phone

Payer = Callable[[int], Awaitable[Phone]]
_PHONES = count(13_800_138_000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall() -> AsyncIterator[Hall]:
    async with opened_hall() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def merchant(hall: Hall) -> Merchant:
    account = await hall.account(GatewayKind.ALIPAY)
    assert isinstance(account, AlipayAccount)
    return Merchant(hall, account)


@pytest.fixture
def payer(hall: Hall) -> Payer:
    async def made(balance: int) -> Phone:
        return await hall.jing.user(f"+86{next(_PHONES)}", balance)

    return made


async def another(hall: Hall) -> tuple[Phone, Merchant]:
    """Another merchant, and its software."""
    merchants, journal = hall.jing.institution.merchants, hall.jing.node.journal
    profile = noodles(reference=f"M-{hall.jing.mint.mint()}")
    merchant = await decided(journal, lambda: merchants.onboard(profile, 60))
    _, token = await decided(journal, lambda: merchants.issue_owner_key(merchant.id, "boss"))
    phone = Phone(hall.jing, id_text("mer", merchant.id), {"authorization": f"Bearer {token}"})
    account = await hall.account(GatewayKind.ALIPAY, phone)
    assert isinstance(account, AlipayAccount)
    return phone, Merchant(hall, account)
