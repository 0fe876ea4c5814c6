"""The page behind a plate's link: who is paid, in the reader's language, and nothing a name could smuggle in."""

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest
from litestar.testing import AsyncTestClient

from hutong.codes.code import CodeReason
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import seeded_randomness
from hutong.runtime.http_app import make_app
from hutong.web.brand import Brand
from hutong.web.landing import WalletLink, landing_page
from hutong.web.language import language_of
from hutong.web.page import Pages


@dataclass(frozen=True)
class Shown:
    name: str = "胡同面馆"
    shop_name: str = ""
    amount: int = 2850
    currency: str = "CNY"
    remark: str = ""
    is_gift: bool = False


PREPAY_ID = "wx" + 32 * "0"
WALLETS = [WalletLink("Jing Pay 京付", "jingpay://scan?code={code}")]


def client(payee: Shown | None) -> AsyncTestClient:  # type: ignore[type-arg]
    async def payee_of(code: str) -> Shown:
        assert code.startswith("https://wei.example/q/")
        if payee is None:
            raise Refusal(CodeReason.CODE_UNKNOWN)
        return payee

    async def code_of(prepay_id: str) -> str:
        if prepay_id != PREPAY_ID:
            raise Refusal(CodeReason.CODE_UNKNOWN)
        return "https://wei.example/q/M123"

    pages = Pages(
        Brand("wei", "Wei Wallet 微包", "#0b7a3b"), bytes(32), seeded_randomness(1), ZoneInfo("Asia/Shanghai")
    )
    page = landing_page(pages, "https://wei.example", lambda: WALLETS, payee_of, code_of)
    return AsyncTestClient(make_app([page], title="t", version="1"))


async def test_it_says_who_is_paid_and_how_much_and_offers_the_wallets() -> None:
    async with client(Shown()) as browser:
        answer = await browser.get("/q/M123", headers={"accept-language": "en"})
    assert answer.status_code == 200
    assert "Pay 胡同面馆" in answer.text
    assert "¥28.50" in answer.text
    assert 'href="jingpay://scan?code=https%3A%2F%2Fwei.example%2Fq%2FM123"' in answer.text
    assert re.search(r"<svg[^>]* viewBox=", answer.text), "without a view box the page would cut the picture off"


async def test_it_speaks_chinese_to_who_reads_chinese() -> None:
    async with client(Shown(amount=0)) as browser:
        answer = await browser.get("/q/M123", headers={"accept-language": "zh-TW,zh;q=0.9,en;q=0.5"})
    assert "付款给胡同面馆" in answer.text
    assert "金额由您填写" in answer.text


async def test_a_code_that_cannot_be_paid_says_why_with_its_status() -> None:
    async with client(None) as browser:
        answer = await browser.get("/q/M123", headers={"accept-language": "en"})
    assert answer.status_code == 404
    assert "CODE_UNKNOWN" in answer.text


async def test_a_name_is_text_and_never_markup() -> None:
    async with client(Shown(name="<script>alert(1)</script>", remark="<img src=x>")) as browser:
        answer = await browser.get("/q/M123")
    assert "<script" not in answer.text
    assert "<img src=x" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh-CN"),
        ("en-GB,en;q=0.9", "en"),
        ("zh", "zh-CN"),
        ("fr,en;q=0.3", "en"),
        ("zh;q=0,en", "en"),
        ("de", "zh-CN"),
        ("en;q=0.2,zh-Hans;q=0.8", "zh-CN"),
        ("*;q=nonsense,,;;", "zh-CN"),
    ],
)
def test_the_language_is_the_one_the_browser_prefers(header: str, language: str) -> None:
    assert language_of(header) == language


async def test_a_prepay_id_leads_to_its_orders_page_which_names_the_code() -> None:
    async with client(Shown()) as browser:
        answer = await browser.get(f"/prepay/{PREPAY_ID}")
        other = await browser.get("/prepay/wx1")
    assert str(answer.url).endswith("/q/M123")
    assert answer.links["canonical"]["url"] == "https://wei.example/q/M123"
    assert other.status_code == 404
    assert "CODE_UNKNOWN" in other.text
