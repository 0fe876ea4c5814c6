"""A person agrees, in the wallet's pages, to what merchants ask beforehand; and takes it back there."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, cast
from zoneinfo import ZoneInfo

import httpx
import pytest
import pytest_asyncio

from hutong.codes.plate import hold_plate_id
from hutong.gateways.account import Caller
from hutong.gateways.agreements.agreement import AgreementDraft
from hutong.gateways.order import Dialect, OrderDraft
from hutong.gateways.preauth.preauth import PreauthDraft
from hutong.gateways.transfers.transfer import TransferDraft
from hutong.kernel.ids import id_text, seeded_randomness
from hutong.runtime.http_app import make_app
from hutong.runtime.pool import WorkerPool
from hutong.web.brand import Brand
from hutong.web.page import Pages
from hutong.web.wallet.consents import consents_pages
from hutong.web.wallet.scan import scan_pages
from hutong.web.wallet.transfers import transfers_pages
from tests.gateways.street import PIN, House, Person, Street

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def street() -> AsyncIterator[Street]:
    pool = WorkerPool()
    async with AsyncExitStack() as stack:
        stack.callback(pool.close)
        street = Street(pool)
        await street.start(stack)
        yield street


@pytest.fixture(scope="module")
def house(street: Street) -> House:
    return street.wei


class Browser:
    """Somebody's, signed in to their wallet."""

    def __init__(self, house: House, person: Person) -> None:
        node = house.node_id
        pages = Pages(Brand(node, node, "#135"), b"k" * 32, seeded_randomness(1), ZoneInfo("Asia/Shanghai"))
        names = {"jing": "Jing Pay", "wei": "Wei Pay"}
        handlers = consents_pages(house.institution, pages, names, house.gateways.consents)
        handlers += scan_pages(house.institution, pages)
        handlers += transfers_pages(house.institution, pages, house.gateways.sharing.transfers)
        transport = httpx.ASGITransport(cast("Any", make_app(handlers, title=node, version="1")))
        token = person.headers["authorization"].removeprefix("Bearer ")
        self.client = httpx.AsyncClient(
            transport=transport,
            base_url=f"http://{node}",
            cookies={f"wallet-{node}": token},
            headers={"accept-language": "en"},
            follow_redirects=True,
        )

    async def see(self, path: str) -> str:
        response = await self.client.get(path)
        assert response.status_code == 200, response.text
        return response.text

    async def send(self, page: str, path: str, **fields: str) -> httpx.Response:
        (csrf,) = set(re.findall(r'name="csrf" value="(\w+)"', page))
        return await self.client.post(path, data={"csrf": csrf} | fields)


async def asked(house: House) -> tuple[Browser, Caller]:
    account = await house.account(await house.merchant())
    return Browser(house, await house.person()), Caller(account, account)


async def test_an_agreement_is_read_signed_and_ended(house: House) -> None:
    browser, caller = await asked(house)
    assert "No merchant may take anything" in await browser.see("/wallet/agreements")
    draft = AgreementDraft(number="A-1", dialect="wechatpay-v2", shown="会员<1>", day_max=12_345)
    path = f"/wallet/agreements/{(await house.gateways.agreements.offer(caller, draft)).creditor}"
    page = await browser.see(path)
    assert "胡同面馆" in page
    assert "会员&lt;1&gt;" in page
    assert "123.45" in page
    wrong = await browser.send(page, f"{path}/agree", pin="000000")
    assert wrong.status_code == 422
    agreed = await browser.send(page, f"{path}/agree", pin=PIN)
    assert "You agreed" in agreed.text
    assert "You agreed" in await browser.see("/wallet/agreements")
    ended = await browser.send(agreed.text, f"{path}/end")
    assert "Ended" in ended.text
    late = await browser.send(page, f"{path}/agree", pin=PIN)
    assert "Ended" in late.text


async def test_what_a_merchant_elsewhere_asks_is_scanned_and_agreed_to(street: Street) -> None:
    house, account = street.wei, await street.wei.account(await street.wei.merchant())
    browser, caller = Browser(street.jing, await street.jing.person()), Caller(account, account)
    draft = AgreementDraft(number="A-9", dialect="wechatpay-v2", shown="会员<1>", day_max=12_345)
    link = house.gateways.agreements.link(await house.gateways.agreements.offer(caller, draft))
    page = await browser.see(f"/wallet/scan?code={link}")
    for told in ("胡同面馆", "会员&lt;1&gt;", "123.45", "A merchant of Wei Pay asks"):
        assert told in page
    path = "/wallet/agreements/elsewhere"
    assert (await browser.send(page, path, link=link, pin="000000")).status_code == 422
    agreed = await browser.send(page, path, link=link, pin=PIN)
    assert "You agreed" in agreed.text
    assert f'href="{link}"' in agreed.text
    assert (await house.gateways.agreements.find(caller, number="A-9")).state == "SIGNED"
    late = await browser.client.get(f"/wallet/scan?code={link}")
    assert (late.status_code, "Somebody has signed" in late.text) == (422, True)


async def test_what_is_to_be_held_is_agreed_to(house: House) -> None:
    browser, caller = await asked(house)
    draft = PreauthDraft(number="H-1", request_number="R-1", dialect="alipay", amount=50_000, title="押金")
    preauth = await house.gateways.preauths.offer(caller, draft)
    path = f"/wallet/agreements/{preauth.creditor}"
    agreed = await browser.send(await browser.see(path), f"{path}/agree", pin=PIN)
    assert "You agreed" in agreed.text
    assert (await house.gateways.preauths.standing(preauth)).left == 50_000


async def test_a_link_that_is_scanned_leads_to_what_is_asked(house: House) -> None:
    browser, caller = await asked(house)
    draft = PreauthDraft(number="H-2", request_number="R-1", dialect="alipay", amount=50_000, title="押金")
    offered = await house.gateways.preauths.offer(caller, draft)
    base = house.institution.plates.site.base
    for link in (f"{base}/agreements/{offered.creditor}", house.institution.plates.site.url(hold_plate_id(offered.id))):
        assert "押金" in await browser.see(f"/wallet/scan?code={link}")


async def test_what_a_merchant_elsewhere_asks_to_hold_is_scanned_agreed_to_and_seen(street: Street) -> None:
    house = street.wei
    caller = (await asked(house))[1]
    person = await street.jing.person()
    browser = Browser(street.jing, person)
    draft = PreauthDraft(number="H-3", request_number="R-1", dialect="alipay", amount=50_000, title="押金<3>")
    offered = await house.gateways.preauths.offer(caller, draft)
    plate = house.institution.plates.site.url(hold_plate_id(offered.id))
    for link in (f"{house.institution.plates.site.base}/agreements/{offered.creditor}", plate):
        page = await browser.see(f"/wallet/scan?code={link}")
        for told in ("胡同面馆", "押金&lt;3&gt;", "500.00", "A merchant of wei"):
            assert told in page
    assert await person.holds() == [], "who only looks is asked nothing"
    assert (await browser.send(page, "/wallet/holds", link=link, pin="000000")).status_code == 422
    assert await person.holds() == []
    agreed = await browser.send(page, "/wallet/holds", link=link, pin=PIN)
    assert "You agreed" in agreed.text
    (hold,) = await person.holds()
    path = f"/wallet/agreements/{hold['hold_id']}"
    assert "Still held" in await browser.see(path)
    assert street.jing.balance(person.wallet) == 1_000_000 - 50_000
    assert "Waits for you" not in await browser.see("/wallet/agreements")
    other = Browser(street.jing, await street.jing.person())
    assert "Nobody can agree to this any more" in (await other.client.get(f"/wallet/scan?code={link}")).text
    assert (await other.client.get(path)).status_code == 404
    nothing = link.rpartition("/")[0] + "/q/H000"
    assert (await other.client.get(f"/wallet/holds?link={nothing}")).status_code == 422
    assert (await other.client.get("/wallet/holds")).status_code == 400, "nothing is asked of the network"
    assert (await other.send(page, "/wallet/holds", link=nothing, pin=PIN)).status_code == 422
    with pytest.raises(AssertionError, match="HOLD_MALFORMED"):
        await person.said("POST", "/v1/holds", {"link": "https://wei.example/q/H" + "0" * 600})


async def test_an_id_that_nobody_mints_leads_nowhere(house: House) -> None:
    """Its last letters number a part: there is no code of it."""
    browser, _ = await asked(house)
    for id_ in (id_text("pra", 2**100 + 1), "pra_" + "Z" * 26):
        scanned = await browser.client.get(f"/wallet/scan?code=https://jing.example/agreements/{id_}")
        assert (scanned.status_code, scanned.headers["content-type"][:9]) == (400, "text/html"), scanned.text


async def test_what_a_merchant_sends_is_taken_or_declined(house: House) -> None:
    account = await house.account(await house.merchant())
    caller, payer, person = Caller(account, account), await house.person(), await house.person()
    order = OrderDraft(out_trade_no="T-1", amount=5_000, product="NATIVE", description="x", dialect=Dialect.ALIPAY)
    orders = house.gateways.orders
    await payer.pay(orders.code_url(await orders.place(caller, order)))
    browser, sending = Browser(house, person), house.gateways.sharing.transfers
    assert "Nothing waits for you" in await browser.see("/wallet/transfers")
    paths = []
    for number, remark in (("P-1", "恭喜发财"), ("P-2", "返现")):
        draft = TransferDraft(
            number=number,
            user_id=person.user_id,
            payee="o1",
            amount=500,
            dialect=Dialect.WECHATPAY_V2,
            remark=remark,
            confirmed=True,
        )
        paths.append(f"/wallet/transfers/{id_text('ptr', (await sending.send(caller, draft)).id)}")
    page = await browser.see("/wallet/transfers")
    assert "恭喜发财" in page
    assert "返现" in page
    await browser.send(page, f"{paths[0]}/take")
    declined = await browser.send(page, f"{paths[1]}/decline")
    assert "Nothing waits for you" in declined.text
    late = await browser.send(page, f"{paths[1]}/take")
    assert "taken back" in late.text
    assert house.balance(person.wallet) == 1_000_000 + 500


async def test_a_form_from_elsewhere_agrees_to_nothing(house: House) -> None:
    browser, caller = await asked(house)
    draft = AgreementDraft(number="A-1", dialect="wechatpay-v2")
    offered = await house.gateways.agreements.offer(caller, draft)
    path = f"/wallet/agreements/{offered.creditor}/agree"
    assert (await browser.client.post(path, data={"pin": PIN})).status_code != 200
    assert (await house.gateways.agreements.find(caller, number="A-1")).state == "OFFERED"
    with pytest.raises(AssertionError):
        await browser.see("/wallet/agreements/agr_0")
