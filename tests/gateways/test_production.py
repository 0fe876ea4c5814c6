"""A gateway is another way in to the same merchant: the same secrets kept, the same roles, and nothing of a sandbox."""

from hutong.gateways import keys
from hutong.gateways.account import Account, GatewayKind, WechatAccount
from hutong.gateways.platform import KeyUse
from hutong.gateways.wechat.v2 import document
from hutong.gateways.wechat.v2.signature import SignType, sign
from hutong.gateways.wire import as_it_is
from hutong.institution.merchants.staff_key import Role
from tests.gateways.alipay.merchant import Merchant as AlipayMerchant
from tests.gateways.hall import Hall
from tests.gateways.wechat.v3.client import Merchant

ORDERS, REFUNDS = "/v3/pay/transactions", "/v3/refund/domestic/refunds"
PHONE = "+8613800138000"


async def test_no_hook_of_a_sandbox_is_there_in_production(hall: Hall) -> None:
    gateways = hall.gateways
    assert gateways.faults is None
    assert gateways.v3.around is gateways.v2.around is gateways.alipay.service.around is as_it_is
    signed = {"mch_id": hall.wechat.row.number, "nonce_str": "n"}
    key = hall.wechat.secrets.api_v2_key
    body = document.write(signed | {"sign": sign(signed, key, SignType.MD5)})
    below = [f"/sandboxnew{path}" for path in gateways.v2.endpoints]
    below += [path for path in gateways.v2.endpoints if path.startswith(("/sandboxnew/", "/xdc/"))]
    for path in (*below, "/xdc/apiv2sandbox/pay/orderquery"):
        answer = await hall.http.post(path, content=body)
        assert (answer.status_code, answer.text) == (404, "the node's own"), path


def kept(hall: Hall) -> bytes:
    """Every row of every table, as text."""
    store = hall.jing.node.store
    return b"\n".join(repr(row).encode() for rows in store.rows.values() for _, row in rows)  # type: ignore[attr-defined]


async def test_no_secret_of_a_merchant_or_of_the_platform_is_kept_in_clear(hall: Hall) -> None:
    payer, merchant = await hall.jing.user(PHONE, 100_000), Merchant(hall)
    placed = await merchant.post(f"{ORDERS}/native", merchant.order())
    await hall.pay(payer, placed.json["code_url"])  # Its notification is a row, too.
    rows = kept(hall)
    assert hall.wechat.row.number.encode() in rows, "it is all there"
    told = [hall.wechat.secrets.api_v3_key, hall.wechat.secrets.api_v2_key, hall.alipay.secrets.aes_key]
    for use in KeyUse:
        private = keys.private_pem(hall.gateways.platform.current(use).private).decode()
        told += private.splitlines()[1:-1]
    for secret in told:
        assert secret.encode() not in rows
    assert b"PRIVATE KEY" not in rows


async def account(hall: Hall, role: Role, kind: GatewayKind = GatewayKind.WECHATPAY) -> Account:
    return await hall.account(kind, role=role)


async def test_an_accounts_role_is_kept_to_in_every_protocol(hall: Hall) -> None:
    payer = await hall.jing.user(PHONE, 100_000)
    cashier = await account(hall, Role.CASHIER)
    assert isinstance(cashier, WechatAccount)
    till = Merchant(hall, cashier)
    placed = await till.post(f"{ORDERS}/native", till.order())
    await hall.pay(payer, placed.json["code_url"])
    before = await hall.merchant_balance()
    amount = {"refund": 1, "total": 1_280, "currency": "CNY"}
    asked = {"out_trade_no": "T20261122001", "out_refund_no": "R1", "amount": amount}
    v3 = await till.post(REFUNDS, asked)
    assert (v3.status, v3.code) == (403, "NO_AUTH")
    reversed_ = await till.post(
        f"{ORDERS}/out-trade-no/T20261122001/reverse", {"appid": till.appid, "mchid": till.mchid}
    )
    assert (reversed_.status, reversed_.code) == (403, "NO_AUTH"), "it would give money back"
    fields = {
        "appid": till.appid,
        "mch_id": till.mchid,
        "nonce_str": "n",
        "out_trade_no": "T20261122001",
        "out_refund_no": "R2",
        "total_fee": "1280",
        "refund_fee": "1",
    }
    signed = fields | {"sign": sign(fields, cashier.secrets.api_v2_key, SignType.MD5)}
    v2 = document.read((await hall.http.post("/secapi/pay/refund", content=document.write(signed))).content)
    assert (v2["result_code"], v2["err_code"]) == ("FAIL", "NOAUTH")
    reader = await account(hall, Role.READER, GatewayKind.ALIPAY)
    eyes = AlipayMerchant(hall, reader)  # type: ignore[arg-type]
    order = {"out_trade_no": "A1", "total_amount": "1.00", "subject": "面"}
    alipay = await eyes.ask("alipay.trade.precreate", order)
    assert (alipay["code"], alipay["sub_code"]) == ("40006", "isv.insufficient-isv-permissions")
    assert await hall.merchant_balance() == before
