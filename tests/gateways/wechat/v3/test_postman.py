"""What a merchant is told, and how it is signed and sealed: wechatpay-alipay specification, section 5."""

import base64
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hutong.gateways.notification import GatewayNotification, Letter
from hutong.gateways.order import Dialect
from hutong.gateways.wechat.v3.postman import Told
from hutong.runtime.shelf import warmed
from tests.gateways.hall import Hall
from tests.gateways.wechat.v3.client import Merchant
from tests.institution.payments.world import now

PHONE = "+8613800138000"


def letter(hall: Hall, notification: GatewayNotification, *, later_s: int = 0) -> Letter:
    postman = hall.gateways.notifications.postmen[Dialect.WECHATPAY_V3]
    plain = now(warmed(hall.jing.node.journal, lambda: postman.plain(notification)))
    return postman.letter(notification, plain, hall.jing.clock.now_ns() + later_s * 10**9)


def opened(merchant: Merchant, letter: Letter) -> tuple[dict[str, Any], dict[str, Any]]:
    """The event and its resource, as a merchant reads them."""
    merchant.verify(letter.headers, letter.body)
    event = msgspec.json.decode(letter.body)
    sealed = event["resource"]
    plain = AESGCM(merchant.account.secrets.api_v3_key.encode()).decrypt(
        sealed["nonce"].encode(), base64.b64decode(sealed["ciphertext"]), sealed["associated_data"].encode()
    )
    return event, msgspec.json.decode(plain)


async def test_a_payment_and_a_refund_are_told_as_they_are_asked_after(hall: Hall) -> None:
    merchant, payer = Merchant(hall), await hall.jing.user(PHONE, 100_000)
    placed = await merchant.post("/v3/pay/transactions/native", merchant.order(attach="桌3"))
    await hall.pay(payer, placed.json["code_url"])
    refund = {
        "out_trade_no": "T20261122001",
        "out_refund_no": "R1",
        "notify_url": "https://shop.example/back",
        "amount": {"refund": 280, "total": 1_280, "currency": "CNY"},
    }
    query = f"/v3/pay/transactions/out-trade-no/T20261122001?mchid={merchant.mchid}"
    asked = (await merchant.get(query)).json
    notifications = hall.gateways.notifications
    (paid,) = notifications.all.everything()
    event, told = opened(merchant, letter(hall, paid))
    assert told == asked
    assert (event["event_type"], event["resource_type"]) == ("TRANSACTION.SUCCESS", "encrypt-resource")
    assert (event["summary"], event["create_time"]) == ("支付成功", "2026-01-01T08:00:00+08:00")
    resource = event["resource"]
    assert (resource["original_type"], resource["associated_data"]) == ("transaction", "transaction")
    assert (resource["algorithm"], len(resource["nonce"]), len(event["id"]) <= 36) == ("AEAD_AES_256_GCM", 12, True)

    again = letter(hall, paid, later_s=15)
    event_again, told_again = opened(merchant, again)
    assert (event_again["id"], told_again) == (event["id"], told), "it is the same news at every try"
    assert event_again["resource"]["nonce"] != resource["nonce"]
    assert again.headers["Wechatpay-Timestamp"] == "1767225615"

    accepted = (await merchant.post("/v3/refund/domestic/refunds", refund)).json
    _, refunded = notifications.all.everything()
    assert opened(merchant, letter(hall, paid, later_s=30))[1] == asked, "a refund does not change what was paid"
    event, told = opened(merchant, letter(hall, refunded))
    assert (event["event_type"], event["resource"]["original_type"]) == ("REFUND.SUCCESS", "refund")
    assert told == {
        "mchid": merchant.mchid,
        "out_trade_no": "T20261122001",
        "transaction_id": asked["transaction_id"],
        "out_refund_no": "R1",
        "refund_id": accepted["refund_id"],
        "refund_status": "SUCCESS",
        "user_received_account": "支付用户零钱",
        "success_time": "2026-01-01T08:00:00+08:00",
        "amount": {"total": 1280, "refund": 280, "payer_total": 1280, "payer_refund": 280},
    }


async def test_only_200_and_204_mean_that_it_arrived(hall: Hall) -> None:
    postman = hall.gateways.notifications.postmen[Dialect.WECHATPAY_V3]

    assert [status for status in (200, 201, 204, 302, 400, 500) if postman.taken(status, b"FAIL")] == [200, 204]
    assert (len(postman.schedule_s), sum(postman.schedule_s)) == (15, 24 * 3600 + 4 * 60)
    assert postman.timeout_s == 5


async def test_pay_score_is_tried_for_three_hours_and_all_else_for_a_day(hall: Hall) -> None:
    postman = hall.gateways.notifications.postmen[Dialect.WECHATPAY_V3]

    for event, waits in (
        ("PAYSCORE.USER_PAID", (15, 15, 30, 180, 1800, 1800, 1800, 1800, 3600)),
        ("TRANSACTION.SUCCESS", postman.schedule_s),
    ):
        assert postman.waits_s(msgspec.json.encode(Told(event, "x", "x", {}))) == waits
