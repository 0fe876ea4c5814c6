"""Which client is driven through what: what tests play, and what `docs/gateways/driven.md` says of them, is this table."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENTS = Path(__file__).parent / "environments"
# By a story's name without "story_of", an article, and the version: what it is about.
ABOUT = {
    "partner": ("service providers", "服务商"),
    "service_provider": ("acting for a merchant that agreed", "应用授权，代商家调用"),
    "splits": ("profit sharing", "分账"),
    "royalties": ("settlement splits", "分账结算"),
    "combined_order": ("combined orders", "合单支付"),
    "transfers": ("transfers to people", "商家转账"),
    "transfer": ("transfers to people", "商家转账"),
    "batch": ("batches of transfers", "批量转账"),
    "red_packets": ("red packets", "现金红包"),
    "pay_score": ("pay score", "支付分"),
    "entrusted_deduction": ("entrusted deduction", "委托代扣"),
    "agreement": ("agreements and deduction", "签约代扣"),
    "deduction_from_elsewhere": ("deduction from people of another institution", "他机构用户的委托代扣"),
    "day_agreed_to": ("scheduled deduction", "预约扣费"),
    "agreement_elsewhere": ("agreements with people of another institution", "他机构用户的签约代扣"),
    "cycle_elsewhere": ("cyclic deduction from them", "他机构用户的周期扣款"),
    "deposit_elsewhere": ("pre-authorisation by people of another institution", "他机构用户的预授权"),
    "deposit_by_link_elsewhere": ("the same by link", "他机构用户扫码预授权"),
    "car_from_elsewhere": ("parking, of people of another institution", "他机构用户的停车代扣"),
    "deposit": ("pre-authorisation", "预授权"),
    "who_it_is": ("OAuth", "用户授权"),
    "coupons_of_the_shop": ("coupons of the shop's money", "代金券"),
    "merchant_coupons": ("merchants' own coupons", "商家券"),
    "subsidy": ("subsidies of coupons", "商家券补差"),
    "uploads": ("uploads", "图片与视频上传"),
    "pictures": ("uploads", "图片与视频上传"),
    "balances": ("balances", "账户余额"),
    "bill": ("bills", "账单"),
    "sandbox": ("the sandbox's key", "沙箱密钥"),
    "complaint": ("complaints", "消费者投诉"),
    "merchants_complaint": ("complaints of the merchants it acts for", "代子商户处理投诉"),
    "car_park": ("parking", "停车代扣"),
    "other_ways_in": ("H5 orders", "H5 下单"),
    "what_is_not_enabled": ("what is not enabled", "未开通的产品"),
}


@dataclass(frozen=True)
class Played:
    """One program of one client's, and its stories. `names`: behind the names of the real services, else by base URL."""

    client: str
    program: str
    account: str  # The fixture that makes it.
    stories: tuple[str, ...]
    lot: str = "node"
    names: bool = False

    @property
    def node(self) -> str:
        """The institution whose gateway is called."""
        return "zhi" if "alipay" in self.client else "wei"


PLAYED = (
    Played(
        "wechatpayv3",
        "wechatpayv3_more.py",
        "pair",
        ("story_of_a_partner", "story_of_splits", "story_of_a_combined_order", "story_of_the_bill"),
        lot="wechatpay",
    ),
    Played(
        "wechatpayv3",
        "wechatpayv3_people.py",
        "wechat_account",
        (
            "story_of_transfers",
            "story_of_a_batch",
            "story_of_pay_score",
            "story_of_uploads",
            "story_of_a_complaint",
            "story_of_what_is_not_enabled",
        ),
        lot="wechatpay",
    ),
    Played(
        "wechatpayv3",
        "wechatpayv3_parking.py",
        "wechat_account",
        ("story_of_a_car_park", "story_of_a_car_from_elsewhere"),
        lot="wechatpay",
    ),
    Played(
        "wechatpayv3",
        "wechatpayv3_coupons.py",
        "pair",
        ("story_of_merchant_coupons", "story_of_a_subsidy"),
        lot="wechatpay",
    ),
    # Over TLS, where the merchant's certificate is shown.
    Played(
        "wechatpy",
        "wechatpy_more.py",
        "wechat_account",
        ("story_of_transfers", "story_of_red_packets"),
        lot="wechatpay",
        names=True,
    ),
    Played(
        "wechatpy",
        "wechatpy_more.py",
        "wechat_account",
        ("story_of_entrusted_deduction", "story_of_the_bill", "story_of_the_sandbox"),
        lot="wechatpay",
    ),
    Played(
        "wechatpay-axios-plugin",
        "axios_plugin_more.js",
        "pair",
        (
            "coupons_of_the_shop",
            "transfers",
            "a_batch",
            "splits",
            "a_combined_order",
            "a_partner",
            "a_merchants_complaint",
            "entrusted_deduction",
            "pictures",
            "balances",
            "red_packets_v2",
            "transfers_v2",
            "splits_v2",
            "entrusted_deduction_v2",
            "the_bill",
        ),
    ),
    Played(
        "wechatpay-axios-plugin",
        "axios_plugin_elsewhere.js",
        "pair",
        ("deduction_from_elsewhere", "a_day_agreed_to"),
    ),
    Played(
        "wechatpay-node-v3",
        "node_v3_more.js",
        "certified_pair",
        ("a_combined_order", "splits", "a_batch", "other_ways_in", "the_bill"),
    ),
    Played("tenpay", "tenpay_more.js", "wechat_account", ("transfers", "red_packets", "the_sandbox"), names=True),
    Played("tenpay", "tenpay_more.js", "wechat_account", ("the_bill",)),
    Played(
        "python-alipay-sdk",
        "python_alipay_more.py",
        "alipay_pair",
        ("story_of_royalties", "story_of_a_transfer", "story_of_the_bill"),
        lot="alipay",
    ),
    Played(
        "python-alipay-sdk",
        "python_alipay_people.py",
        "alipay_pair",
        ("story_of_a_deposit", "story_of_an_agreement", "story_of_a_complaint", "story_of_who_it_is"),
        lot="alipay",
    ),
    Played(
        "python-alipay-sdk",
        "python_alipay_elsewhere.py",
        "alipay_pair",
        (
            "story_of_an_agreement_elsewhere",
            "story_of_a_cycle_elsewhere",
            "story_of_a_deposit_elsewhere",
            "story_of_a_deposit_by_link_elsewhere",
        ),
        lot="alipay",
    ),
    Played(
        "python-alipay-sdk",
        "python_alipay_parking.py",
        "alipay_pair",
        ("story_of_a_car_park", "story_of_a_car_from_elsewhere"),
        lot="alipay",
    ),
    # It has keys alone in its mode for providers, no certificates.
    Played(
        "python-alipay-sdk", "python_alipay_provider.py", "keyed_pair", ("story_of_a_service_provider",), lot="alipay"
    ),
    Played(
        "alipay-sdk",
        "alipay_sdk_more.js",
        "alipay_pair",
        ("a_deposit", "an_agreement", "royalties", "transfers", "who_it_is", "a_service_provider", "the_bill"),
    ),
    Played(
        "alipay-sdk-python",
        "alipay_sdk_python_more.py",
        "keyed_pair",
        (
            "story_of_a_deposit",
            "story_of_an_agreement",
            "story_of_royalties",
            "story_of_a_transfer",
            "story_of_who_it_is",
            "story_of_pictures",
            "story_of_what_is_not_enabled",
        ),
        lot="alipay-official",
    ),
)
# Orders, payment codes, refunds, callbacks: what each speaks, whether that is played behind the real names, by base URL, and
# which errors it is seen to report.
EVERY, CENTRAL, FEW = (
    ("every one", "全部"),
    ("the central ones", "主要的"),
    ("a few", "少数"),
)
BOTH = ("every one of v2, these two together", "v2 的全部（两者合计）")
FIRST = {
    "wechatpayv3": ("v3", True, True, EVERY),
    "wechatpy": ("v2", True, False, BOTH),
    "pywechatpay": ("v3, JSAPI", True, False, FEW),
    "wechatpay-axios-plugin": ("v3, v2", True, True, BOTH),
    "wechatpay-node-v3": ("v3", True, False, CENTRAL),
    "tenpay": ("v2", True, False, CENTRAL),
    "python-alipay-sdk": ("gateway.do", True, False, EVERY),
    "alipay-sdk": ("gateway.do, v3", True, False, CENTRAL),
    "alipay-sdk-python": ("gateway.do", True, False, CENTRAL),
}


def about(story: str) -> tuple[str, str]:
    """What a story is about, in English and in Chinese."""
    return ABOUT[re.sub(r"^(story_of_)?(an?_|the_)?|_v2$", "", story)]


def version(client: str) -> str:
    """Which one is installed."""
    for file in ENVIRONMENTS.glob("*.in"):
        if found := re.search(rf"^{re.escape(client)}(?:\[\w+\])?==(\S+)$", file.read_text(), re.MULTILINE):
            return found[1]
    return str(json.loads((ENVIRONMENTS / "package.json").read_text())["dependencies"][client])


def page(language: int) -> str:
    """`docs/gateways/driven.md`, in English (0) or Chinese (1)."""
    return "\n".join(_lines(language)) + "\n"


_TITLE = ("# What each client is driven through", "# 每个客户端都走过什么")
_OTHER = ("[中文](driven.zh-CN.md)", "[English](driven.md)")
_ENGLISH = (
    "Written by `make docs` from the table that `make test-gateways` plays: real clients, unchanged, against a network in which a payer "
    "at another institution pays. *Orders* are orders, payment codes, queries, closing, refunds and callbacks: behind the names of the "
    "real services (`hutong gateway run`), or also by base URL. What comes after them is played by base URL, and behind the real names "
    "where the client shows the merchant's certificate. *Errors*: each is produced by its cause, and what the client raises or returns "
    "is compared with what the vendor documents; the few that have no cause here are asked for (`hutong gateway faults --refuse`), "
    "and `tests/gateways/clients/test_errors.py` says of each why."
)
_CHINESE = (
    "本页由 `make docs` 根据 `make test-gateways` 所演示的表生成：未经修改的真实客户端，在有其他机构付款人付款的网络中运行。“订单”包括下单、付款码、"
    "查询、关单、退款和回调：使用真实服务的域名（`hutong gateway run`），有的也使用基础 URL。其后的产品使用基础 URL；客户端需要出示商户证书时则使用"
    "真实域名。“错误”：每个错误都由其原因产生，并将客户端抛出或返回的内容与官方文档比较；少数在这里没有原因的错误由沙箱按要求返回"
    "（`hutong gateway faults --refuse`），原因逐条写在 `tests/gateways/clients/test_errors.py` 中。"
)
_WORDS = (_ENGLISH, _CHINESE)
_HEAD = ("| client | speaks | orders | beyond orders | errors |", "| 客户端 | 协议 | 订单 | 其他产品 | 错误 |")
_NAMES, _URL = ("real names", "真实域名"), ("base URL", "基础 URL")


def _lines(language: int) -> Iterator[str]:
    yield from (_TITLE[language], "", _OTHER[language], "", _WORDS[language], "", _HEAD[language])
    yield "| --- | --- | --- | --- | --- |"
    for client, (speaks, by_names, by_url, errors) in FIRST.items():
        ways = [word[language] for word, there in ((_NAMES, by_names), (_URL, by_url)) if there]
        found = [about(story)[language] for row in PLAYED if row.client == client for story in row.stories]
        beyond = (", ", "、")[language].join(dict.fromkeys(found))
        yield f"| `{client}` {version(client)} | {speaks} | {', '.join(ways)} | {beyond} | {errors[language]} |"
