"""Refunds by v2: in parts, never more than was paid, once for each number, and told of under the merchant's key."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from hutong.gateways.wechat.v2 import document
from tests.gateways.street import Person, Street
from tests.gateways.wechat.v2.shop import V2Shop, open_shop

pytestmark = pytest.mark.asyncio(loop_scope="module")
URL = "https://shop.example/refunded"


async def sold(street: Street, total_fee: int = 1_000) -> tuple[V2Shop, Person]:
    """A merchant and who has paid it. Somebody else has, too, so that fees are no reason to refuse a refund."""
    shop, payer = await open_shop(street), await street.jing.person()
    await shop.done("/pay/micropay", **shop.micropay(await payer.payment_code(), total_fee=total_fee))
    other = await street.jing.person()
    await shop.done("/pay/micropay", **shop.micropay(await other.payment_code(), "T-other", 100_000))
    return shop, payer


def refund(number: str = "R-1", refund_fee: int = 300, **fields: object) -> dict[str, object]:
    return {"out_trade_no": "T-1", "out_refund_no": number, "total_fee": 1_000, "refund_fee": refund_fee} | fields


def shown(told: dict[str, str], key: str) -> dict[str, str]:
    """What a refund's notification hides."""
    cipher = Cipher(AES256(hashlib.md5(key.encode()).hexdigest().encode()), ECB()).decryptor()  # noqa: S324, S305
    text = cipher.update(base64.b64decode(told["req_info"])) + cipher.finalize()
    plain = text[: -text[-1]]
    assert plain.startswith(b"<root>")
    return document.read(plain.replace(b"<root>", b"<xml>").replace(b"</root>", b"</xml>"))


async def test_an_order_is_given_back_in_parts_and_told_of(street: Street) -> None:
    shop, payer = await sold(street)
    said = await shop.done("/secapi/pay/refund", **refund(notify_url=URL, refund_desc="凉了"))
    again = await shop.done("/secapi/pay/refund", **refund(notify_url=URL, refund_desc="凉了"))
    assert said["refund_id"] == again["refund_id"]
    assert (said["refund_fee"], said["total_fee"], said["cash_refund_fee"]) == ("300", "1000", "300")
    assert await shop.state() == "REFUND"
    second = await shop.done("/secapi/pay/refund", **refund("R-2", 700))
    assert await payer.balance() == 1_000_000

    found = await shop.done("/pay/refundquery", out_trade_no="T-1")
    assert (found["refund_count"], found["total_fee"]) == ("2", "1000")
    assert [(found[f"out_refund_no_{n}"], found[f"refund_fee_{n}"]) for n in (0, 1)] == [("R-1", "300"), ("R-2", "700")]
    assert [found[f"refund_status_{n}"] for n in (0, 1)] == ["SUCCESS", "SUCCESS"]
    assert found["refund_success_time_0"]
    assert found["refund_recv_accout_0"] == "支付用户零钱"
    from_second = await shop.done("/pay/refundquery", out_trade_no="T-1", offset=1)
    assert (from_second["refund_count"], from_second["total_refund_count"]) == ("1", "2")
    assert from_second["refund_id_0"] == second["refund_id"]
    for fields in ({"out_refund_no": "R-2"}, {"refund_id": second["refund_id"]}):
        one = await shop.done("/pay/refundquery", **fields)
        assert (one["refund_count"], one["out_refund_no_0"], one["out_trade_no"]) == ("1", "R-2", "T-1")

    ((url, told),) = shop.told()
    assert (url, told["return_code"], told["mch_id"]) == (URL, "SUCCESS", shop.account.row.number)
    assert "sign" not in told
    hidden = shown(told, shop.key)
    assert (
        hidden | {"out_refund_no": "R-1", "refund_fee": "300", "total_fee": "1000", "refund_status": "SUCCESS"}
        == hidden
    )
    assert (hidden["refund_id"], hidden["success_time"]) == (said["refund_id"], found["refund_success_time_0"])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (refund("R-1", 301), "REFUND_FEE_MISMATCH"),  # The number came before, with another amount.
        (refund("R-2", 701), "INVALID_REQUEST"),  # More than is left.
        (refund("R-2", 100, total_fee=999), "PARAM_ERROR"),
        (refund("R-2", 1_001), "PARAM_ERROR"),
        (refund("R-2", out_trade_no="T-9"), "ORDERNOTEXIST"),
        (refund("R-2", out_trade_no=None), "LACK_PARAMS"),
        (refund("R-2", out_trade_no=None, transaction_id="42"), "ORDERNOTEXIST"),
        (refund("R-2", out_trade_no="T-unpaid"), "TRADE_STATE_ERROR"),
    ],
)
async def test_what_cannot_be_given_back_is_refused_and_moves_nothing(
    street: Street, fields: dict[str, object], code: str
) -> None:
    shop, payer = await sold(street)
    await shop.order("T-unpaid", 1_000)
    await shop.done("/secapi/pay/refund", **refund())
    assert (await shop.call("/secapi/pay/refund", **fields))["err_code"] == code
    assert await payer.balance() == 1_000_000 - 700
    found = await shop.done("/pay/refundquery", out_trade_no="T-1")
    assert found["refund_count"] == "1"


async def test_a_merchant_without_the_money_is_told_so_and_may_try_the_number_again(street: Street) -> None:
    shop, payer = await sold(street)
    await street.wei.person()
    street.wei.pay_out(shop.owner, await street.wei.merchant_balance(shop.owner))
    for _ in range(2):
        assert (await shop.call("/secapi/pay/refund", **refund()))["err_code"] == "NOTENOUGH"
        assert (await shop.call("/secapi/pay/reverse", out_trade_no="T-1"))["err_code"] == "NOTENOUGH"
    assert await shop.state() == "SUCCESS"
    other = await street.jing.person()
    await shop.done("/pay/micropay", **shop.micropay(await other.payment_code(), "T-2", 10_000))
    await shop.done("/secapi/pay/refund", **refund())
    assert await payer.balance() == 1_000_000 - 700
    await shop.done("/secapi/pay/reverse", out_trade_no="T-1")
    assert await payer.balance() == 1_000_000


async def test_a_refund_nobody_asked_for_is_not_found(street: Street) -> None:
    shop, _ = await sold(street)
    for fields in ({"out_trade_no": "T-1"}, {"out_refund_no": "R-9"}, {"refund_id": "503"}):
        assert (await shop.call("/pay/refundquery", **fields))["err_code"] == "REFUNDNOTEXIST"
    assert (await shop.call("/pay/refundquery", out_trade_no="T-9"))["err_code"] == "ORDERNOTEXIST"
    assert (await shop.call("/pay/refundquery"))["err_code"] == "LACK_PARAMS"
