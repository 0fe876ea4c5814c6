"""The console's pages of callbacks, on a real gateway: what was told, whole, and sent again."""

import re
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from hutong.app.gateway_callbacks import GatewayCallbacks
from hutong.institution.merchants.staff import SignedInStaff, StaffMember
from hutong.institution.merchants.staff_key import Role
from hutong.runtime.http_app import make_app
from hutong.web.console.callbacks import callback_pages
from hutong.web.console.place import Console
from hutong.web.page import AnyRequest, guarded
from hutong.web.staff import STAFF
from tests.gateways.merchant_server import TellingHall, telling_hall
from tests.gateways.test_notification_desk import paid
from tests.web.test_page import make_pages

HTML = {"accept": "text/html", "accept-language": "en"}


@pytest.fixture
async def telling() -> AsyncIterator[TellingHall]:
    async with telling_hall(sandbox=True) as found:
        yield found


@pytest.fixture
async def browser(telling: TellingHall) -> AsyncIterator[httpx.AsyncClient]:
    """The owner's, signed in."""
    hall, pages = telling.hall, make_pages()
    jing = hall.jing
    key = await hall.owner()
    member = StaffMember(
        id=1,
        merchant_id=key.merchant_id,
        shop_id=0,
        role=Role.OWNER.value,
        name="老板",
        phone="+8613800138001",
        state="ACTIVE",
        created_ns=0,
        changed_ns=0,
        changed_by=0,
    )
    callbacks = GatewayCallbacks(jing.node.journal, hall.gateways.accounts, hall.gateways.desk(telling.worker))
    console = Console(jing.institution, pages, cast("Any", None), jing.institution.pool, has_callbacks=True)

    async def known(_: AnyRequest) -> SignedInStaff:
        return SignedInStaff(member, cast("Any", None))

    router = pages.router("/console", callback_pages(console, callbacks), STAFF, [guarded(known)])
    app = cast("Any", make_app([router], title="jing", version="1"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://jing") as client:
        yield client


async def test_an_owner_sees_what_was_told_and_sends_it_again(telling: TellingHall, browser: httpx.AsyncClient) -> None:
    empty = await browser.get("/console/callbacks", headers=HTML)
    assert "Nothing yet" in empty.text
    telling.receiver.answers.append("500")
    await paid(telling, "<T&1>")
    await telling.calls(1)
    listed = await browser.get("/console/callbacks", headers=HTML)
    assert "&lt;T&amp;1&gt;" in listed.text
    assert "To be sent again" in listed.text
    (link,) = set(re.findall(r'href="(/console/callbacks/ntf_\w+)"', listed.text))
    one = await browser.get(link, headers=HTML)
    assert "Wechatpay-Signature" in one.text
    assert "TRANSACTION.SUCCESS" in one.text
    (csrf,) = set(re.findall(r'name="csrf" value="([^"]+)"', one.text))
    again = await browser.post(f"{link}/resend", data={"csrf": csrf}, headers=HTML)
    assert again.status_code == 200, again.text
    assert "Delivered" in again.text
    assert len(telling.receiver.calls) == 2
