"""What Hutong refuses, in v2's words: one table, by the names of our reasons, whichever institution they come from."""

from hutong.gateways.reasons import GatewayReason
from hutong.gateways.wechat.v2.errors import Code, Fault
from hutong.kernel.errors import Kind, Refusal

_BY_NAME = {
    # Accounts.
    "ACCOUNT_UNKNOWN": Code.MCHID_NOT_EXIST,
    "ACCOUNT_SUSPENDED": Code.NOAUTH,
    "PARTNER_NOT_ALLOWED": Code.NOAUTH,
    "ROLE_MAY_NOT": Code.NOAUTH,
    "SHOP_NOT_YOURS": Code.NOAUTH,
    "MERCHANT_SUSPENDED": Code.NOAUTH,
    "MERCHANT_CLOSED": Code.NOAUTH,
    "SHOP_CLOSED": Code.NOAUTH,
    "NOTIFY_URL_INVALID": Code.PARAM_ERROR,
    # Orders.
    "ORDER_UNKNOWN": Code.ORDERNOTEXIST,
    "ORDER_DIFFERS": Code.OUT_TRADE_NO_USED,
    "ORDER_PAID": Code.ORDERPAID,
    "ORDER_PAYING": Code.USERPAYING,
    "ORDER_CLOSED": Code.ORDERCLOSED,
    "ORDER_REVERSED": Code.ORDERREVERSED,
    "ORDER_FOR_ANOTHER": Code.BUYER_MISMATCH,
    "ORDER_NOT_PAID": Code.TRADE_STATE_ERROR,
    "REFERENCE_REUSED": Code.OUT_TRADE_NO_USED,
    "AMOUNT_OUT_OF_LIMITS": Code.PARAM_ERROR,
    "REQUEST_EXPIRED": Code.ORDERCLOSED,
    "REQUEST_CANCELLED": Code.ORDERCLOSED,
    "REQUEST_ALREADY_PAID": Code.ORDERPAID,
    "REQUEST_CLAIMED": Code.USERPAYING,
    # Refunds.
    "REFUND_UNKNOWN": Code.REFUNDNOTEXIST,
    "REFUND_DIFFERS": Code.REFUND_FEE_MISMATCH,
    "REFUND_TOTAL_DIFFERS": Code.PARAM_ERROR,
    "REFUND_TOO_LATE": Code.TRADE_OVERDUE,
    "REFUNDS_TOO_MANY": Code.INVALID_REQUEST,
    "REFUND_EXCEEDS_REMAINDER": Code.INVALID_REQUEST,
    "PAYMENT_NOT_COMPLETED": Code.TRADE_STATE_ERROR,
    "MERCHANT_BALANCE_INSUFFICIENT": Code.NOTENOUGH,
    "APPROVAL_NEEDED": Code.NOAUTH,
    "NOT_REFUNDABLE": Code.INVALID_REQUEST,
    # Payment codes.
    "PAYMENT_CODE_MALFORMED": Code.AUTH_CODE_INVALID,
    "PAYMENT_CODE_WRONG": Code.AUTH_CODE_INVALID,
    "PAYMENT_CODE_REUSED": Code.AUTH_CODE_INVALID,
    "PAYMENT_CODE_EXPIRED": Code.AUTHCODEEXPIRE,
    "PAYMENT_CODE_GUESSES_EXHAUSTED": Code.AUTH_CODE_ERROR,
    "PAYER_CODE_MISPLACED": Code.AUTH_CODE_ERROR,
    "CODE_UNKNOWN": Code.AUTH_CODE_INVALID,
    "CODE_KIND_UNKNOWN": Code.AUTH_CODE_INVALID,
    "CODE_TOO_LONG": Code.AUTH_CODE_INVALID,
    # Agreements.
    "AGREEMENT_UNKNOWN": Code.CONTRACT_NOT_EXIST,
    "AGREEMENT_NOT_SIGNED": Code.CONTRACTERROR,
    "AGREEMENT_ENDED": Code.CONTRACTERROR,
    "AGREEMENT_SIGNED": Code.CONTRACT_EXISTED,
    "AGREEMENT_DIFFERS": Code.PARAM_ERROR,
    "MANDATE_REVOKED": Code.CONTRACTERROR,
    "MANDATE_UNKNOWN": Code.CONTRACTERROR,
    # Transfers.
    "TRANSFER_AMOUNT_OUT_OF_LIMITS": Code.AMOUNT_LIMIT,
    "TRANSFER_NAME_NEEDED": Code.LACK_PARAMS,
    "TRANSFER_DAILY_LIMIT_EXCEEDED": Code.AMOUNT_LIMIT,
    "TRANSFER_BALANCE_INSUFFICIENT": Code.NOTENOUGH,
    "TRANSFER_DIFFERS": Code.FATAL_ERROR,
    "TRANSFER_UNKNOWN": Code.NOT_FOUND,
    "TRANSFER_PAYEE_UNKNOWN": Code.OPENID_ERROR,
    "TRANSFER_NAME_DIFFERS": Code.NAME_MISMATCH,
    "TRANSFER_PAYEE_ABNORMAL": Code.ACCOUNTERROR,
    # Splits.
    "SPLIT_EXCEEDS_FROZEN": Code.NOTENOUGH,
    "SPLIT_RATIO_EXCEEDED": Code.RULELIMIT,
    "SPLIT_DIFFERS": Code.PARAM_ERROR,
    "SPLIT_RETURN_DIFFERS": Code.PARAM_ERROR,
    "SPLIT_UNKNOWN": Code.NOT_FOUND,
    "SPLIT_RETURN_UNKNOWN": Code.NOT_FOUND,
    "ORDER_NOT_TO_BE_SPLIT": Code.INVALID_REQUEST,
    "SPLIT_FINISHED": Code.INVALID_REQUEST,
    "RECEIVER_NOT_NAMED": Code.RECEIVER_INVALID,
    "RECEIVER_UNKNOWN": Code.RECEIVER_INVALID,
    # Payers.
    "BALANCE_INSUFFICIENT": Code.NOTENOUGH,
    "USER_FROZEN": Code.ACCOUNTERROR,
    "USER_CLOSED": Code.ACCOUNTERROR,
    "ACCOUNT_REFUSED": Code.ACCOUNTERROR,
    "ANNUAL_LIMIT_EXCEEDED": Code.RULELIMIT,
    "DAILY_LIMIT_EXCEEDED": Code.RULELIMIT,
    "MANDATE_LIMIT_EXCEEDED": Code.RULELIMIT,
    "NETWORK_SILENT": Code.SYSTEMERROR,
}
_BY_KIND = {
    Kind.INVALID: Code.PARAM_ERROR,
    Kind.REFUSED: Code.TRADE_ERROR,
    Kind.CONFLICT: Code.OUT_TRADE_NO_USED,
    Kind.NOT_FOUND: Code.INVALID_REQUEST,
    Kind.NOT_ALLOWED: Code.NOAUTH,
    Kind.LIMITED: Code.FREQUENCY_LIMITED,
}
# What another institution says in ISO 20022's words alone.
_BY_ISO_CODE = {
    "AC04": Code.ACCOUNTERROR,
    "AC06": Code.ACCOUNTERROR,
    "AM02": Code.RULELIMIT,
    "AM04": Code.NOTENOUGH,
    "AM14": Code.RULELIMIT,
    "TM01": Code.AUTHCODEEXPIRE,
}
_TEXTS = {
    "TRANSFER_NAME_NEEDED": "缺少参数re_user_name",
    "TRANSFER_LAPSED": "用户未领取，已退回",
    "TRANSFER_DECLINED": "用户拒收，已退回",
    "WEBHOOK_URL_MALFORMED": "notify_url不合法",
    "WEBHOOK_URL_NOT_SECURE": "notify_url须为https地址",
    "PAYMENT_CODE_REUSED": "101 每个二维码仅限使用一次，请刷新再试",
    "REFUND_EXCEEDS_REMAINDER": "申请退款金额大于订单可退金额",
    "REFUND_TOTAL_DIFFERS": "订单金额不一致",
    "REFUNDS_TOO_MANY": "订单退款次数超过限制",
    "ORDER_NOT_PAID": "订单未支付",
    "PAYMENT_NOT_COMPLETED": "订单未支付",
    "MERCHANT_BALANCE_INSUFFICIENT": "基本账户余额不足，请充值后重新发起",
    "DECLINED_BY_PAYER": "用户取消支付",
}


def fault_of(refusal: Refusal) -> Fault:
    """A refusal of ours, as the vendor says it."""
    reason = refusal.reason
    if reason is GatewayReason.REVERSAL_FAILED:
        return fault_named(refusal.facts["because"], "")
    return Fault(_BY_NAME.get(reason.name, _BY_KIND[reason.kind]), _TEXTS.get(reason.name, ""))


def fault_named(reason: str, iso_code: str) -> Fault:
    """A refusal of the payer's side, which may be anybody's."""
    code = _BY_NAME.get(reason) or _BY_ISO_CODE.get(iso_code, Code.TRADE_ERROR)
    return Fault(code, _TEXTS.get(reason, ""))
