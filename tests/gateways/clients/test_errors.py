"""Each documented error, produced by its cause, as merchants' clients report it."""

from itertools import count
from pathlib import Path

import pytest

from hutong.gateways.alipay.errors import SUB_CODES
from hutong.gateways.alipay.refusals import REFUSALS
from hutong.gateways.wechat.v2.errors import Code as V2Code
from hutong.gateways.wechat.v3.errors import Code as V3Code
from hutong.runtime.address import Address
from tests.gateways.clients.stage import Stage, staged
from tests.gateways.clients.test_node_clients import node
from tests.gateways.clients.test_python_clients import python

pytestmark = pytest.mark.timeout(900)
# Every documented error is seen through a client. Nearly all are produced by their cause; those below have none here, each for the
# reason that stands beside it, and are said because a sandbox was asked to (`hutong gateway faults NUMBER --refuse CODE`), so that
# what a merchant's software does with them can be tried all the same.
V3_ASKED_FOR = {
    "REQUEST_BLOCKED": (403, "nothing here looks at the address or the pattern of a merchant's calls and blocks them"),
    "BANK_ERROR": (500, "people pay from balances: no bank is asked while a payment is under way"),
    "SERVICE_UNAVAILABLE": (503, "overload is answered at the node's own door, before a protocol is known"),
    "USER_ACCOUNT_ABNORMAL": (
        403,
        "money to a stopped account is a transfer or refund that ends FAIL, not a call refused",
    ),
    "FREQUENCY_LIMITED": (
        429,
        "500 calls a second of one account are more than a client makes: tests/gateways/test_limits.py",
    ),
}
V2_ASKED_FOR = {
    "BANKERROR": "people pay from balances: no bank is asked while a payment is under way",
    "NOTSUPORTCARD": "no card is behind a wallet",
    "BIZERR_NEED_RETRY": "a refund is done whole or not at all: none is left for the merchant to push on",
    "SENDNUM_LIMIT": "a person may be sent any number of red packets, within the merchant's limit a day",
    "USER_ACCOUNT_ABNORMAL": "money to a stopped account is a transfer or refund that ends FAIL, not a call refused",
    "FREQUENCY_LIMITED": "500 calls a second of one account are more than a client makes: tests/gateways/test_limits.py",
}
ALIPAY_ASKED_FOR = {
    "aop.unknow-error": ("20000", "the gateway and the products behind it are one system: isp says it for both"),
    "isp.unknow-error": ("20000", "a node that can't answer: tests/gateways/alipay cut its database off"),
    "aop.invalid-app-auth-token-no-api": (
        "20001",
        "a merchant lets a provider act for it, or does not: not call by call",
    ),
    "aop.no-product-reg-by-partner": ("20001", "an account has every product that is built from its first moment on"),
    "isv.app-call-limited": ("40005", "500 calls a second are more than a client makes: tests/gateways/test_limits.py"),
    "isv.method-call-limited": ("40005", "calls are counted by account, not by method"),
    "isv.decryption-error-not-valid-encrypt-key": ("40002", "every application is given its AES key when it is made"),
    "isv.missing-signature-config": ("40003", "no application is made without a key, and its last can't be taken away"),
    "isv.missing-signature-key": ("40001", "as above: there is always something to verify with"),
    "isv.missing-parameter": ("40001", "every product names the parameter that it misses, with a code of its own"),
    "isv.not-online-app": ("40003", "an application works as soon as it is made; one that was removed is unknown"),
    "VOUCHER_LIMIT_REACHED": ("40004", "this wire has no field for a limit by person: WeChat Pay's has, and is tested"),
}
_numbers = count(1)


def shop_of_its_own(stage: Stage, vendor: str, at: str, *options: str) -> Path:
    """An account of a merchant that has nothing yet; beside it another merchant's, that lets nobody act."""
    latin = f"Empty Noodles {next(_numbers)}"
    merchant = stage.hutong("onboard", "空面馆", "--latin", latin, "--node", at, "--json")["merchant_id"]
    account = stage.account(vendor, "--merchant", merchant, *options)
    (account / "other.json").write_text((stage.account(vendor) / "account.json").read_text())
    return account


@pytest.fixture(scope="module")
def wechat_shop(stage: Stage) -> Path:
    return shop_of_its_own(stage, "wechatpay", "wei")


@pytest.fixture(scope="module")
def certified_shop(stage: Stage) -> Path:
    return shop_of_its_own(stage, "wechatpay", "wei", "--signing", "certificate")


@pytest.fixture(scope="module")
def alipay_shop(stage: Stage) -> Path:
    return shop_of_its_own(stage, "alipay", "zhi", "--signing", "certificate")


def test_wechatpayv3_reports_every_error_of_version_3(stage: Stage) -> None:
    account = shop_of_its_own(stage, "wechatpay", "wei")
    asked_for = ",".join(f"{code}={status}" for code, (status, _) in V3_ASKED_FOR.items())
    said = stage.play(
        python("wechatpay", "wechatpayv3_errors.py", account, stage.urls["wei"], asked_for), private=False
    )
    assert {*said["seen"]} == {code.name for code in V3Code}


def test_wechatpy_and_axios_report_every_error_of_version_2(
    stage: Stage, wechat_shop: Path, postgres: Address, run_directory: Path
) -> None:
    account = shop_of_its_own(stage, "wechatpay", "wei")
    program = python("wechatpay", "wechatpy_errors.py", account, stage.urls["wei"], ",".join(V2_ASKED_FOR))
    first = stage.play(program, private=False)
    second = stage.play(node("axios_plugin_errors.js", wechat_shop, stage.urls["wei"]), private=False)
    with staged(postgres, run_directory) as later:
        program = python("wechatpay", "wechatpy_errors_late.py", later.account("wechatpay"), later.urls["wei"])
        third = later.play(program, private=False)
    seen = {*first["seen"], *second["seen"], *third["seen"]}
    assert {code.name for code in V2Code} - seen == set()
    assert {"SIGN_ERROR", "ORDERPAID", "USERPAYING", "SYSTEM_ERROR", "PARAM_ERROR"} <= {*second["seen"]}


def test_python_alipay_sdk_reports_every_error_of_the_classic_gateway(
    stage: Stage, alipay_shop: Path, postgres: Address, run_directory: Path
) -> None:
    said = stage.play(python("alipay", "python_alipay_errors.py", alipay_shop, stage.urls["zhi"]), private=False)
    more = shop_of_its_own(stage, "alipay", "zhi", "--signing", "certificate")
    asked_for = ",".join(f"{sub_code}={code}" for sub_code, (code, _) in ALIPAY_ASKED_FOR.items())
    program = "python_alipay_errors_more.py"
    with staged(postgres, run_directory) as later:
        account = shop_of_its_own(later, "alipay", "zhi", "--signing", "certificate")
        by = python("alipay", program, account, later.urls["zhi"], "", "errors_of_a_year_later")
        said["seen"] += later.play(by, private=False)["seen"]
    said["seen"] += stage.play(python("alipay", program, more, stage.urls["zhi"], asked_for), private=False)["seen"]
    documented = {*SUB_CODES, *(sub_code for sub_code, _ in REFUSALS.values())}
    assert documented - {*said["seen"]} == set()


@pytest.mark.parametrize("program", ["node_v3_errors.js", "tenpay_errors.js", "alipay_sdk_errors.js"])
def test_clients_of_node_report_the_central_ones(
    stage: Stage, certified_shop: Path, wechat_shop: Path, alipay_shop: Path, program: str
) -> None:
    account = {"node_v3": certified_shop, "tenpay": wechat_shop, "alipay_sdk": alipay_shop}[
        program.removesuffix("_errors.js")
    ]
    at = "zhi" if account is alipay_shop else "wei"
    seen = {*stage.play(node(program, account, stage.urls[at]), private=False)["seen"]}
    assert len(seen) >= 8, seen


def test_the_vendors_own_python_client_reports_the_central_ones(stage: Stage) -> None:
    account = shop_of_its_own(stage, "alipay", "zhi")
    program = python("alipay-official", "alipay_sdk_python_errors.py", account, stage.urls["zhi"])
    assert {"isv.invalid-signature", "ACQ.TRADE_NOT_EXIST"} <= {*stage.play(program, private=False)["seen"]}
