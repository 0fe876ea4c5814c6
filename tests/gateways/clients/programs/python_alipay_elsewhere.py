"""A shop on python-alipay-sdk (PyPI) and a person of another institution: they scan what it offers, say yes, and it takes."""

import sys
import urllib.request
from typing import Any

from python_alipay_shop import callbacks, good, refused, shop
from story import do, number, tell

PAYER = {"at": "jing", "payer": 8, "of": "zhi"}  # Whose wallet it is, and at whose gateway the shop is.
PLAN = {"personal_product_code": "GENERAL_WITHHOLDING_P", "sign_scene": "INDUSTRY|MOBILE"}
CYCLE = {"personal_product_code": "CYCLE_PAY_AUTH_P", "sign_scene": "INDUSTRY|MOBILE"}


def ask(method: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return dict(shop.server_api(method, content, **more))


def balance() -> int:
    return int(do("balance", **PAYER)["balance"])


def signed(plan: dict[str, Any], **more: Any) -> tuple[dict[str, Any], str]:
    """An agreement that somebody elsewhere scanned and signed; and who they were told asks for it."""
    mine = number("A")
    content = plan | {
        "external_agreement_no": mine,
        "external_logon_id": "小明",
        "access_params": {"channel": "QRCODE"},
    }
    page = shop.client_api("alipay.user.agreement.page.sign", content | more, notify_url=callbacks.url)
    with urllib.request.urlopen(f"{shop._gateway}?{page}") as shown:  # noqa: S310  # The gateway's.
        link = shown.read().decode()
    agreed = do("sign", **PAYER, link=link)
    assert agreed["institution"] == "zhi", agreed
    told = callbacks.next()
    assert (told["notify_type"], told["external_agreement_no"]) == ("dut_user_sign", mine), told
    return good(ask("alipay.user.agreement.query", {"agreement_no": told["agreement_no"]})), agreed["merchant_name"]


def take(
    agreement: dict[str, Any], amount: str, mine: str = "", product: str = "GENERAL_WITHHOLDING"
) -> dict[str, Any]:
    content = {
        "out_trade_no": mine or number(),
        "total_amount": amount,
        "subject": "月费",
        "product_code": product,
        "agreement_params": {"agreement_no": agreement["agreement_no"]},
    }
    return ask("alipay.trade.pay", content)


def story_of_an_agreement_elsewhere() -> None:
    agreement, who = signed(PLAN)
    before, mine = balance(), number()
    paid = good(take(agreement, "600.00", mine))
    assert paid["buyer_user_id"] == agreement["alipay_user_id"], paid
    assert callbacks.next()["trade_status"] == "TRADE_SUCCESS"
    refused(take(agreement, "600.00"), "ACQ.BEYOND_PAY_RESTRICTION")
    assert callbacks.next()["trade_status"] == "TRADE_CLOSED", "what could not be taken is told, too"
    assert balance() == before - 60_000
    good(shop.api_alipay_trade_refund("100.00", out_trade_no=mine, out_request_no="1"))
    assert callbacks.next()["out_biz_no"] == "1"
    assert balance() == before - 50_000
    do("revoke", **PAYER, name=who)
    refused(take(agreement, "1.00"), "ACQ.AGREEMENT_STATUS_NOT_NORMAL")
    assert callbacks.next()["trade_status"] == "TRADE_CLOSED"
    good(ask("alipay.user.agreement.unsign", {"agreement_no": agreement["agreement_no"]}))
    assert callbacks.next()["notify_type"] == "dut_user_unsign"
    refused(take(agreement, "1.00"), "ACQ.AGREEMENT_STATUS_NOT_NORMAL")


def story_of_a_cycle_elsewhere() -> None:
    """Each month, at most so much: whoever's wallet it is."""
    today = do("clock", forward_s=0)["now"][:10]
    rule = {"period_type": "DAY", "period": "7", "execute_time": today, "single_amount": "30.00"}
    agreement, _ = signed(CYCLE, period_rule_params=rule)
    before = balance()

    def take_cycle(amount: str) -> dict[str, Any]:
        return take(agreement, amount, product="CYCLE_PAY_AUTH")

    refused(take_cycle("30.01"), "ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED")
    good(take_cycle("30.00"))
    assert callbacks.next()["total_amount"] == "30.00"
    refused(take_cycle("30.00"), "ACQ.CYCLE_PAY_DATE_NOT_MATCH")
    do("clock", forward_s=3 * 86_400)
    good(take_cycle("29.00"))
    assert callbacks.next()["total_amount"] == "29.00"
    assert balance() == before - 5_900


only = sys.argv[3:]
for story in (story_of_an_agreement_elsewhere, story_of_a_cycle_elsewhere):
    if not only or story.__name__ in only:
        story()
tell(done=True)
