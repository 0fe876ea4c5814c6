"""
What a shop on wechatpayv3 (PyPI) is told when something is wrong: each error by its cause.

The client hands over the status and the body as they came; it raises only when it can't believe an answer.
"""

import json
import sys
from typing import Any

import wechatpayv3.utils
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from story import ACCOUNT, do, number, pay, tell
from wechatpayv3 import WeChatPayType
from wechatpayv3.type import RequestType
from wechatpayv3_shop import callbacks, good, made_for, mchid, refused, seen, shop

OTHER = json.loads((ACCOUNT / "other.json").read_text())["account"]["number"]  # Of a merchant that lets nobody act.
CNY = {"currency": "CNY"}


def native(out_trade_no: str, total: int = 1_250, by: Any = shop, **more: Any) -> tuple[int, str]:
    given = {"description": "面", "out_trade_no": out_trade_no, "amount": {"total": total} | CNY}
    return by.pay(**given | more)


def collect(out_trade_no: str, code: str, total: int = 800) -> tuple[int, str]:
    return shop.pay(
        description="牛肉面",
        out_trade_no=out_trade_no,
        amount={"total": total},
        payer={"auth_code": code},
        scene_info={"device_ip": "127.0.0.1", "store_info": {"id": "0001"}},
        pay_type=WeChatPayType.CODEPAY,
    )


def refund(out_refund_no: str, part: int, total: int = 1_250, **by: Any) -> tuple[int, str]:
    return shop.refund(out_refund_no=out_refund_no, amount={"refund": part, "total": total} | CNY, **by)


def sold(total: int = 1_250, **more: Any) -> Any:
    mine = number()
    pay(good(native(mine, total, **more))["code_url"])
    while (told := callbacks.next())["resource"].get("out_trade_no") != mine:
        pass  # Of what was sent to people, or given back.
    return told["resource"]


def errors_of_money() -> None:
    """The first: the merchant has none yet."""
    shown = do("payment_code", at="wei")
    mine = number()
    openid = good(collect(mine, shown["payment_code"], 2_000))["payer"]["openid"]

    def send(amount: int, **more: Any) -> Any:
        scene = [{"info_type": "活动名称", "info_content": "有礼"}]
        given = {"out_bill_no": number("B"), "transfer_scene_id": "1000", "openid": openid, "transfer_remark": "有礼"}
        return shop.mch_transfer_bills(**given | more, transfer_amount=amount, transfer_scene_report_infos=scene)

    refused(send(5_000), 403, "NOT_ENOUGH")
    refused(send(9), 400, "INVALID_REQUEST", "超过单笔转账上下限")
    refused(send(100, appid="wx0123456789abcdef"), 400, "APPID_MCHID_NOT_MATCH")
    refused(shop.mch_transfer_bills_query(out_bill_no=number("B")), 404, "NOT_FOUND")
    good(send(1_500))
    refused(refund(number("R"), 2_000, 2_000, out_trade_no=mine), 403, "NOT_ENOUGH", "基本账户余额不足")
    refused(shop.codepay_reverse(mine), 403, "NOT_ENOUGH")
    refused(collect(number(), do("payment_code", at="wei", poor=True)["payment_code"]), 403, "NOT_ENOUGH")
    do("freeze", at="wei", payer=shown["payer"])
    failed = good(send(100))
    assert (failed["state"], failed["fail_reason"]) == ("FAIL", "PAYEE_ACCOUNT_ABNORMAL"), failed
    do("freeze", at="wei", payer=shown["payer"], lift=True)


def errors_of_the_envelope() -> None:
    """Nothing is believed that is not signed, by whoever it says."""
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    wrong = refused(native(number(), by=made_for(private_key=private)), 401, "SIGN_ERROR", "错误的签名，验签失败")
    assert wrong["detail"]["sign_information"]["truncated_sign_message"].startswith("POST\n/v3/pay/"), wrong
    refused(native(number(), by=made_for(mchid="1900000001")), 401, "SIGN_ERROR", "证书序列号有误")
    refused(native(number(), by=made_for(cert_serial_no="1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C")), 401, "SIGN_ERROR")
    told_time = wechatpayv3.utils.time.time
    wechatpayv3.utils.time.time = lambda: told_time() - 600
    refused(shop.query(out_trade_no=number()), 401, "SIGN_ERROR", "不得超过5分钟")
    wechatpayv3.utils.time.time = told_time
    stranger = made_for(public_key_id="PUB_KEY_ID_0000000000000000000000000000")
    refused(native(number(), by=stranger), 400, "PARAM_ERROR", "Wechatpay-Serial")
    try:
        native(number(), by=made_for(public_key=public))
    except Exception as no:  # noqa: BLE001  # It has none of its own.
        raised = str(no)
    assert raised == "failed to verify the signature", raised
    refused(shop._core.request("/v3/certificates", skip_verify=True), 404, "RESOURCE_NOT_EXISTS")


def errors_of_orders() -> None:
    refused(native(number(), 0), 400, "PARAM_ERROR", "值低于最小值 1")
    refused(native("short"), 400, "PARAM_ERROR")
    refused(native(number(), description="面" * 128), 400, "PARAM_ERROR")
    refused(native(number(), notify_url="shop"), 400, "PARAM_ERROR")
    refused(native(number(), time_expire="tomorrow"), 400, "PARAM_ERROR")
    refused(native(number(), 9_999_999_999), 403, "RULE_LIMIT")
    refused(native(number(), appid="wx0123456789abcdef"), 400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")
    provider = made_for(partner=True)
    refused(native(number(), by=provider, sub_mchid=OTHER), 403, "NO_AUTH", "没有受理关系")
    refused(native(number(), by=provider, sub_mchid="1900000001"), 400, "MCH_NOT_EXISTS")
    refused(shop.marketing_paygift_activity_detail("10028001"), 403, "NO_AUTH", "未开通")

    closed = number()
    good(native(closed))
    refused(native(closed, 1_300), 403, "OUT_TRADE_NO_USED", "商户订单号重复")
    good(shop.close(closed), 204)
    refused(native(closed), 400, "ORDER_CLOSED", "订单已关闭")
    for ask in (shop.close, lambda mine: shop.query(out_trade_no=mine), shop.codepay_reverse):
        refused(ask(number()), 404, "ORDER_NOT_EXIST", "订单不存在")
    paid = sold()["out_trade_no"]
    refused(native(paid), 400, "ORDERPAID", "该订单已支付")
    refused(shop.close(paid), 400, "ORDERPAID")


def errors_of_payment_codes() -> None:
    refused(collect(number(), "1"), 400, "AUTH_CODE_INVALID")
    refused(collect(number(), "130000000000000000"), 400, "AUTH_CODE_INVALID", "付款码无效")
    shown = do("payment_code")
    mine = number()
    good(collect(mine, shown["payment_code"]))
    refused(collect(number(), shown["payment_code"]), 400, "AUTH_CODE_EXPIRE")
    good(shop.codepay_reverse(mine))
    refused(collect(mine, do("payment_code")["payment_code"]), 400, "ORDER_REVERSED", "订单已撤销")
    for node in ("jing", "wei"):
        shown = do("payment_code", at=node)
        do("freeze", at=node, payer=shown["payer"])
        refused(collect(number(), shown["payment_code"]), 403, "ACCOUNT_ERROR")
        do("freeze", at=node, payer=shown["payer"], lift=True)
    dear, shown = number(), do("payment_code")["payment_code"]
    assert good(collect(dear, shown, 150_000), 202) == {"trade_state": "USERPAYING"}
    seen.add("USERPAYING")
    do("answer", reject=True)
    refused(collect(dear, shown, 150_000), 403, "TRADE_ERROR", "用户取消支付")


def errors_of_refunds() -> None:
    mine, first = sold()["out_trade_no"], number("R")
    good(refund(first, 500, out_trade_no=mine))
    refused(refund(first, 400, out_trade_no=mine), 400, "REFUND_FEE_MISMATCH")
    refused(refund(number("R"), 751, out_trade_no=mine), 400, "INVALID_REQUEST", "累计退款金额大于支付金额")
    refused(refund(number("R"), 100, 1_300, out_trade_no=mine), 400, "INVALID_REQUEST", "订单金额不一致")
    refused(refund(number("R"), 100, out_trade_no=number()), 404, "RESOURCE_NOT_EXISTS")
    refused(shop.query_refund(number("R")), 404, "RESOURCE_NOT_EXISTS")
    unpaid = number()
    good(native(unpaid))
    refused(refund(number("R"), 100, out_trade_no=unpaid), 400, "INVALID_REQUEST", "订单未支付")


def errors_of_splits() -> None:
    receiver = [{"type": "MERCHANT_ID", "account": OTHER, "amount": 4_000, "description": "货款"}]
    paid = sold(10_000, settle_info={"profit_sharing": True})["transaction_id"]

    def split(transaction_id: str = paid) -> Any:
        return shop.profitsharing_order(transaction_id, number("S"), receiver, unfreeze_unsplit=False)

    refused(split(), 400, "INVALID_REQUEST", "请先添加分账接收方")
    good(shop.profitsharing_add_receiver("MERCHANT_ID", OTHER, "SUPPLIER"))
    refused(split(), 403, "RULE_LIMIT", "最大分账比例")
    refused(split(sold()["transaction_id"]), 400, "INVALID_REQUEST", "非分账订单")
    refused(shop.profitsharing_order_query(paid, number("S")), 404, "RESOURCE_NOT_EXISTS")


def errors_of_coupons() -> None:
    """A stock of coupons under a number that another has."""
    now = do("clock", forward_s=0)["now"]
    until = f"{int(now[:4]) + 1}-01-01T00:00:00+08:00"
    mine = number("K")

    def stock(name: str) -> Any:
        told = {
            "stock_name": name,
            "belong_merchant": mchid,
            "available_begin_time": now,
            "available_end_time": until,
            "stock_use_rule": {
                "max_coupons": 2,
                "max_amount": 1_000,
                "max_coupons_per_user": 1,
                "natural_person_limit": False,
                "prevent_api_abuse": False,
            },
            "coupon_use_rule": {
                "fixed_normal_coupon": {"coupon_amount": 500, "transaction_minimum": 2_000},
                "combine_use": False,
            },
            "no_cash": False,
            "stock_type": "NORMAL",
            "out_request_no": mine,
            "pattern_info": {"description": "每单限用一张"},
        }
        # Its own method for this leaves out what is false, which must be there.
        return shop._core.request("/v3/marketing/favor/coupon-stocks", method=RequestType.POST, data=told)

    good(stock("面馆满20减5"))
    refused(stock("面馆满20减6"), 400, "ALREADY_EXISTS", "参数与之前请求不一致")


def errors_of_bills() -> None:
    now = do("clock", forward_s=0)["now"]
    refused(shop.trade_bill(now[:10]), 400, "PARAM_ERROR")
    do("clock", forward_s=(25 - int(now[11:13])) * 3600)
    refused(shop.trade_bill(now[:10]), 400, "STATEMENT_CREATING", "账单生成中")
    nobody_came = do("clock", forward_s=0)["now"][:10]
    do("clock", forward_s=35 * 3600)
    refused(shop.trade_bill(nobody_came), 400, "NO_STATEMENT_EXIST", "账单文件不存在")


def errors_of_the_system() -> None:
    do("faults", at="wei", number=mchid, faults={"system_error": 1, "only": "native"})
    mine = number()
    refused(native(mine), 500, "SYSTEM_ERROR", "系统异常")
    good(native(mine))
    # What only the vendor's own systems could say is said when a sandbox is asked for it.
    for code, status in (each.split("=") for each in sys.argv[3].split(",")):
        do("faults", at="wei", number=mchid, faults={"refuse": code, "refuse_times": 1, "only": "native"})
        refused(native(mine), int(status), code)
        good(native(mine))


only = sys.argv[4:]
for part in (
    errors_of_money,
    errors_of_the_envelope,
    errors_of_orders,
    errors_of_payment_codes,
    errors_of_refunds,
    errors_of_splits,
    errors_of_coupons,
    errors_of_the_system,
    errors_of_bills,
):
    if not only or part.__name__ in only:
        part()
tell(done=True, seen=sorted(seen))
