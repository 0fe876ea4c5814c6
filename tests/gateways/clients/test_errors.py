"""Each documented error, produced by its cause, as merchants' clients report it."""

from itertools import count
from pathlib import Path

import pytest

from hutong.gateways.alipay.errors import SUB_CODES
from hutong.gateways.alipay.refusals import REFUSALS
from hutong.gateways.wechat.v2.errors import Code as V2Code
from hutong.gateways.wechat.v3.errors import Code as V3Code
from hutong.runtime.address import Address
from tests.gateways.clients.conftest import Stage, staged
from tests.gateways.clients.test_node_clients import node
from tests.gateways.clients.test_python_clients import python

pytestmark = pytest.mark.timeout(900)
# What is documented and has no cause here: nothing blocks by address, no bank is behind a wallet's balance, no number is
# refused for being known where a repeat is answered, overload stops at the node's own door, a person's account that is
# stopped makes a transfer or refund fail instead; 500 calls a second of one account are more than a client makes
# (tests/gateways/test_limits.py makes them).
V3_UNCAUSED = {
    "REQUEST_BLOCKED",
    "BANK_ERROR",
    "ALREADY_EXISTS",
    "SERVICE_UNAVAILABLE",
    "USER_ACCOUNT_ABNORMAL",
    "FREQUENCY_LIMITED",
}


# Of version 2 the same, and: no card is behind a wallet, a payer is asked for by no name, refunds are not left half done, no
# limit counts red packets, and wrong payment codes are not guessed by the dozen.
V2_UNCAUSED = {
    "BANKERROR",
    "NOTSUPORTCARD",
    "BUYER_MISMATCH",
    "BIZERR_NEED_RETRY",
    "SENDNUM_LIMIT",
    "AUTH_CODE_ERROR",
    "USER_ACCOUNT_ABNORMAL",
    "FREQUENCY_LIMITED",
}
# A client always signs and names a method; nothing here uploads, has an expired certificate, tells an expired token from a
# wrong one, or a product that was never signed up for; 500 calls a second are more than a client makes.
ALIPAY_UNCAUSED_GATEWAY = {
    "aop.unknow-error",
    "isp.unknow-error",
    "aop.auth-token-time-out",
    "aop.app-auth-token-time-out",
    "aop.invalid-app-auth-token-no-api",
    "aop.no-product-reg-by-partner",
    "isv.app-call-limited",
    "isv.method-call-limited",
    "isv.app-cert-expired",
    "isv.decryption-error-missing-encrypt-type",
    "isv.decryption-error-not-valid-encrypt-key",
    "isv.insufficient-user-permissions",
    "isv.invalid-file-extension",
    "isv.invalid-file-size",
    "isv.upload-fail",
    "isv.invalid-parameter",
    "isv.missing-parameter",
    "isv.missing-method",
    "isv.missing-signature",
    "isv.missing-signature-config",
    "isv.missing-signature-key",
    "isv.not-online-app",
    "isv.refresh-token-time-out",
    "isv.suspected-attack",
}
# A merchant sends a million a day, which two hundred people who each pay it all that they may in a day have to bring first; who
# hands out vouchers by this wire sets no limit by person, as a voucher's maker elsewhere (WeChat Pay's favor, our own desk) may:
# see tests/gateways/transfers and tests/marketing.
ALIPAY_UNCAUSED_PRODUCTS = {"EXCEED_LIMIT_DM_AMOUNT", "VOUCHER_LIMIT_REACHED"}
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
    said = stage.play(python("wechatpay", "wechatpayv3_errors.py", account, stage.urls["wei"]), private=False)
    assert {*said["seen"]} == {code.name for code in V3Code} - V3_UNCAUSED


def test_wechatpy_and_axios_report_every_error_of_version_2(
    stage: Stage, wechat_shop: Path, postgres: Address, run_directory: Path
) -> None:
    account = shop_of_its_own(stage, "wechatpay", "wei")
    first = stage.play(python("wechatpay", "wechatpy_errors.py", account, stage.urls["wei"]), private=False)
    second = stage.play(node("axios_plugin_errors.js", wechat_shop, stage.urls["wei"]), private=False)
    with staged(postgres, run_directory) as later:
        program = python("wechatpay", "wechatpy_errors_late.py", later.account("wechatpay"), later.urls["wei"])
        third = later.play(program, private=False)
    seen = {*first["seen"], *second["seen"], *third["seen"]}
    assert {code.name for code in V2Code} - seen == V2_UNCAUSED
    assert {"SIGN_ERROR", "ORDERPAID", "USERPAYING", "SYSTEM_ERROR", "PARAM_ERROR"} <= {*second["seen"]}


def test_python_alipay_sdk_reports_every_error_of_the_classic_gateway(
    stage: Stage, alipay_shop: Path, postgres: Address, run_directory: Path
) -> None:
    said = stage.play(python("alipay", "python_alipay_errors.py", alipay_shop, stage.urls["zhi"]), private=False)
    more = shop_of_its_own(stage, "alipay", "zhi", "--signing", "certificate")
    with staged(postgres, run_directory) as later:
        account = later.account("alipay", "--signing", "certificate")
        program = python("alipay", "python_alipay_errors_more.py", account, later.urls["zhi"], "errors_of_a_year_later")
        said["seen"] += later.play(program, private=False)["seen"]
    said["seen"] += stage.play(
        python("alipay", "python_alipay_errors_more.py", more, stage.urls["zhi"]), private=False
    )["seen"]
    documented = {*SUB_CODES, *(sub_code for sub_code, _ in REFUSALS.values())}
    uncaused = ALIPAY_UNCAUSED_GATEWAY | ALIPAY_UNCAUSED_PRODUCTS
    assert documented - {*said["seen"]} == uncaused


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
