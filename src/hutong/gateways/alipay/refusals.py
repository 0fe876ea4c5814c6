"""What the institution refuses, in Alipay's words."""

from hutong.gateways.alipay.errors import AlipayError
from hutong.kernel.errors import Kind, Refusal

# By the reason's name, which means the same everywhere: a payer's institution says why by name alone.
_BAD_CODE = "ACQ.PAYMENT_AUTH_CODE_INVALID", "支付失败，获取顾客账户信息失败，请顾客刷新付款码后重新收款"
_TAMPERED = "ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改"
_BLOCKED = "ACQ.SELLER_BEEN_BLOCKED", "商家账号被冻结"
REFUSALS = {
    # Who calls.
    "ACCOUNT_UNKNOWN": ("isv.invalid-app-id", ""),
    "ACCOUNT_SUSPENDED": ("isv.not-online-app", ""),
    "PARTNER_NOT_ALLOWED": ("aop.invalid-app-auth-token", ""),
    "ROLE_MAY_NOT": ("isv.insufficient-isv-permissions", ""),
    "SHOP_NOT_YOURS": ("isv.insufficient-isv-permissions", ""),
    "KEY_REVOKED": ("isv.not-online-app", ""),
    "MERCHANT_SUSPENDED": _BLOCKED,
    "MERCHANT_CLOSED": _BLOCKED,
    "SHOP_CLOSED": ("ACQ.INVALID_STORE_ID", "门店无效"),
    "SHOP_UNKNOWN": ("ACQ.INVALID_STORE_ID", "门店无效"),
    # Orders.
    "ORDER_UNKNOWN": ("ACQ.TRADE_NOT_EXIST", "交易不存在"),
    "ORDER_DIFFERS": _TAMPERED,
    "REFERENCE_REUSED": _TAMPERED,
    "ORDER_PAID": ("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"),
    "ORDER_CLOSED": ("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"),
    "ORDER_REVERSED": ("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"),
    "ORDER_FOR_ANOTHER": ("ACQ.TRADE_BUYER_NOT_MATCH", "交易买家不匹配"),
    "ORDER_PAYING": ("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"),
    "ORDER_NOT_PAID": ("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"),
    "AMOUNT_OUT_OF_LIMITS": ("ACQ.TOTAL_FEE_EXCEED", "订单总金额超过限额"),
    "AMOUNT_OUT_OF_RANGE": ("ACQ.TOTAL_FEE_EXCEED", "订单总金额超过限额"),
    "LIFETIME_OUT_OF_LIMITS": ("ACQ.INVALID_PARAMETER", "参数无效：超时时间超出范围"),
    "NOTIFY_URL_INVALID": ("ACQ.INVALID_PARAMETER", "参数无效：notify_url格式不正确"),
    # Payment codes, and what the payer's side says.
    "CODE_UNKNOWN": _BAD_CODE,
    "CODE_KIND_UNKNOWN": _BAD_CODE,
    "CODE_NOT_RESOLVED": _BAD_CODE,
    "PAYMENT_CODE_MALFORMED": _BAD_CODE,
    "PAYMENT_CODE_WRONG": _BAD_CODE,
    "PAYMENT_CODE_REUSED": _BAD_CODE,
    "PAYMENT_CODE_GUESSES_EXHAUSTED": _BAD_CODE,
    "FORM_UNKNOWN": _BAD_CODE,
    "PAYMENT_CODE_EXPIRED": _BAD_CODE,
    "BALANCE_INSUFFICIENT": ("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足"),
    "ANNUAL_LIMIT_EXCEEDED": ("ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR", "买家付款月额度超限"),
    "DAILY_LIMIT_EXCEEDED": ("ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", "买家付款日限额超限"),
    "USER_FROZEN": ("ACQ.BUYER_ENABLE_STATUS_FORBID", "买家状态非法"),
    "USER_CLOSED": ("ACQ.BUYER_ENABLE_STATUS_FORBID", "买家状态非法"),
    "USER_UNKNOWN": ("ACQ.BUYER_NOT_EXIST", "买家不存在"),
    "PAYING_ONESELF": ("ACQ.BUYER_SELLER_EQUAL", "买卖家不能相同"),
    "DECLINED_BY_PAYER": ("ACQ.PAYMENT_FAIL", "支付失败，顾客取消了支付"),
    "DISCOUNT_GONE": ("ACQ.PAYMENT_FAIL", "支付失败，优惠已失效，请重新扫码"),
    # Refunds.
    "REFUND_DIFFERS": ("ACQ.DISCORDANT_REPEAT_REQUEST", "请求信息不一致"),
    "REFUND_TOTAL_DIFFERS": ("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限"),
    "REFUND_EXCEEDS_REMAINDER": ("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限"),
    "REFUND_TOO_LATE": ("ACQ.TRADE_HAS_FINISHED", "交易已完结"),
    "REFUNDS_TOO_MANY": ("ACQ.TRADE_NOT_ALLOW_REFUND", "当前交易不允许退款"),
    "NOT_REFUNDABLE": ("ACQ.TRADE_NOT_ALLOW_REFUND", "当前交易不允许退款"),
    "MERCHANT_BALANCE_INSUFFICIENT": ("ACQ.SELLER_BALANCE_NOT_ENOUGH", "商户的支付宝账户中无足够的资金进行退款"),
    "REFUND_UNKNOWN": ("ACQ.TRADE_NOT_EXIST", "交易不存在"),
    "PAYMENT_NOT_COMPLETED": ("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"),
    # Royalties.
    "RECEIVER_UNKNOWN": ("ACQ.ROYALTY_RECEIVER_NOT_EXIST", "分账收入方不存在"),
    "RECEIVER_NOT_NAMED": ("ACQ.ROYALTY_RELATION_NOT_EXIST", "分账关系不存在，请先绑定"),
    "RECEIVER_IS_ONESELF": ("ACQ.ROYALTY_RECEIVER_INVALID", "分账收入方不能是自己"),
    "RECEIVER_IS_A_PERSON": ("ACQ.ROYALTY_RECEIVER_INVALID", "不支持从个人账户退分账"),
    "RECEIVER_NAME_DIFFERS": ("ACQ.ROYALTY_RECEIVER_INVALID", "分账收入方姓名不一致"),
    "SPLIT_DIFFERS": ("ACQ.DISCORDANT_REPEAT_REQUEST", "请求信息不一致"),
    "SPLIT_RETURN_DIFFERS": ("ACQ.DISCORDANT_REPEAT_REQUEST", "请求信息不一致"),
    "SPLIT_EXCEEDS_FROZEN": ("ACQ.ALLOC_AMOUNT_VALIDATE_ERROR", "分账金额超过可分账金额"),
    "SPLIT_RATIO_EXCEEDED": ("ACQ.ALLOC_AMOUNT_VALIDATE_ERROR", "分账金额超过最大可分账金额"),
    "SPLIT_RETURN_EXCEEDS_PART": ("ACQ.ALLOC_AMOUNT_VALIDATE_ERROR", "退分账金额超限"),
    "SPLIT_FINISHED": ("ACQ.TRADE_SETTLE_ERROR", "分账已完结"),
    "ORDER_NOT_TO_BE_SPLIT": ("ACQ.TRADE_SETTLE_ERROR", "交易不支持分账"),
    "SPLIT_AMOUNT_NOT_POSITIVE": ("ACQ.INVALID_PARAMETER", "参数无效：分账金额"),
    # Money sent to people.
    "TRANSFER_AMOUNT_OUT_OF_LIMITS": ("EXCEED_LIMIT_SM_AMOUNT", "单笔额度超限"),
    "TRANSFER_DAILY_LIMIT_EXCEEDED": ("EXCEED_LIMIT_DM_AMOUNT", "日累计额度超限"),
    "TRANSFER_NAME_NEEDED": ("PAYEE_USER_INFO_ERROR", "收款方姓名不能为空"),
    "TRANSFER_NAME_DIFFERS": ("PAYEE_USER_INFO_ERROR", "支付宝账号和姓名不匹配，请确认姓名是否正确"),
    "TRANSFER_BALANCE_INSUFFICIENT": ("PAYER_BALANCE_NOT_ENOUGH", "付款方余额不足"),
    "TRANSFER_PAYEE_UNKNOWN": ("PAYEE_NOT_EXIST", "收款账号不存在或姓名有误，建议核实账号和姓名是否准确"),
    "TRANSFER_PAYEE_ABNORMAL": ("PAYEE_USERINFO_STATUS_ERROR", "收款方用户状态异常"),
    "TRANSFER_DIFFERS": ("PAYMENT_INFO_INCONSISTENCY", "两次请求商户单号一样，但是参数不一致"),
    "TRANSFER_UNKNOWN": ("ORDER_NOT_EXIST", "转账订单不存在"),
    # Agreements.
    "AGREEMENT_UNKNOWN": ("USER_AGREEMENT_NOT_EXIST", "用户协议不存在"),
    "AGREEMENT_DIFFERS": ("AGREEMENT_INFO_INCONSISTENT", "协议信息不一致"),
    "AGREEMENT_SIGNED": ("AGREEMENT_HAS_SIGNED", "用户已签约"),
    "AGREEMENT_ENDED": ("ACQ.AGREEMENT_STATUS_NOT_NORMAL", "用户代扣协议已冻结或已解约"),
    "AGREEMENT_LAPSED": ("ACQ.AGREEMENT_INVALID", "用户代扣协议失效"),
    "AGREEMENT_NOT_SIGNED": ("ACQ.AGREEMENT_INVALID", "用户代扣协议失效"),
    "AGREEMENT_NOT_DUE": ("ACQ.CYCLE_PAY_DATE_NOT_MATCH", "扣款日期不在签约时的允许范围之内"),
    "AGREEMENT_SINGLE_EXCEEDED": ("ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED", "周期扣款金额超过签约时的单次金额上限"),
    "AGREEMENT_TOTAL_EXCEEDED": ("ACQ.CYCLE_PAY_TOTAL_FEE_EXCEED", "周期扣款金额超过签约时的总金额上限"),
    "AGREEMENT_TIMES_EXCEEDED": ("ACQ.CYCLE_PAY_TOTAL_TIMES_EXCEED", "周期扣款次数超过签约时的总次数上限"),
    "AGREEMENT_LIMIT_INVALID": ("INVALID_PARAMETER", "参数有误：代扣金额上限"),
    "MANDATE_REVOKED": ("ACQ.AGREEMENT_STATUS_NOT_NORMAL", "用户代扣协议已冻结或已解约"),
    "MANDATE_LIMIT_EXCEEDED": ("ACQ.BEYOND_PAY_RESTRICTION", "商户收款额度超限"),
    # Parking.
    "PLATE_MALFORMED": ("ACQ.INVALID_PARAMETER", "参数有误：车牌号"),
    "PLATE_NOT_AGREED": ("ACQ.AGREEMENT_NOT_EXIST", "车牌未开通停车代扣"),
    "ENTRY_UNKNOWN": ("ACQ.INVALID_PARAMETER", "参数有误：停车流水号不存在"),
    "ENTRY_DIFFERS": _TAMPERED,
    "ENTRY_OF_ANOTHER_CAR": ("ACQ.INVALID_PARAMETER", "参数有误：车牌与停车流水不一致"),
    "ENTRY_PAYING": ("ACQ.TRADE_STATUS_ERROR", "停车订单正在扣费"),
    "ENTRY_PAID": ("ACQ.TRADE_HAS_SUCCESS", "停车订单已支付"),
    # Vouchers.
    "VOUCHER_STOCK_UNKNOWN": ("VOUCHER_TEMPLATE_NOT_EXIST", "券模板不存在"),
    "VOUCHER_STOCK_DIFFERS": ("OUT_BIZ_NO_REPEAT", "外部业务单号重复，且参数与之前请求不一致"),
    "VOUCHER_STOCK_NOT_STARTED": ("VOUCHER_TEMPLATE_STATUS_ERROR", "券模板未生效"),
    "VOUCHER_STOCK_ENDED": ("VOUCHER_TEMPLATE_STATUS_ERROR", "券模板已失效"),
    "VOUCHER_BUDGET_INSUFFICIENT": ("BALANCE_IS_NOT_ENOUGH", "出资账户余额不足"),
    "VOUCHER_PERSON_UNKNOWN": ("USER_NOT_EXIST", "用户不存在，或不是本机构的用户"),
    "VOUCHER_UNKNOWN": ("VOUCHER_NOT_EXIST", "券不存在"),
    "COUPON_NOT_ON_OFFER": ("VOUCHER_TEMPLATE_STATUS_ERROR", "券模板不在发放状态或时间"),
    "COUPON_STOCK_EXHAUSTED": ("VOUCHER_QUANTITY_NOT_ENOUGH", "券库存不足"),
    "COUPON_LIMIT_REACHED": ("VOUCHER_LIMIT_REACHED", "已达到发放上限"),
    "COUPON_CLAIM_OTHERWISE": ("OUT_BIZ_NO_REPEAT", "外部业务单号重复，且参数与之前请求不一致"),
    # Cash campaigns.
    "CASH_CAMPAIGN_UNKNOWN": ("CAMPAIGN_NOT_EXIST", "活动不存在"),
    "CASH_CAMPAIGN_STATE_FORBIDS": ("CAMPAIGN_STATUS_ERROR", "活动当前状态不允许该操作"),
    "CASH_CAMPAIGN_NOT_OPEN": ("CAMPAIGN_STATUS_ERROR", "活动未开始、已暂停或已结束"),
    "CASH_TERMS_UNSOUND": ("INVALID_PARAMETER", "参数有误：金额、数量、频率或时间"),
    "CASH_PRIZE_DIFFERS": ("OUT_BIZ_NO_REPEAT", "外部业务单号重复，且用户与之前请求不一致"),
    "CASH_PERSON_UNKNOWN": ("USER_NOT_EXIST", "用户不存在，或不是本机构的用户"),
    "CASH_PERSON_HAD_ENOUGH": ("CAMPAIGN_STATUS_ERROR", "用户已达到领取次数上限"),
    "CASH_EXHAUSTED": ("CAMPAIGN_STATUS_ERROR", "红包已领完"),
    "CAMPAIGN_STATE_FORBIDS": ("CAMPAIGN_STATUS_ERROR", "活动当前状态不允许该操作"),
    # Complaints.
    "COMPLAINT_UNKNOWN": ("COMPLAINT_NOT_EXIST", "投诉单不存在"),
    "COMPLAINT_ENDED": ("COMPLAINT_STATUS_ERROR", "投诉单已处理完成，不能再操作"),
    "COMPLAINT_NOT_ANSWERED": ("COMPLAINT_STATUS_ERROR", "请先回复用户"),
    "COMPLAINT_TOO_LONG": ("COMPLAINT_STATUS_ERROR", "投诉单协商记录已达上限"),
    "PICTURE_UNKNOWN": ("INVALID_PARAMETER", "图片不存在或已过期，请重新上传"),
    "PICTURE_NOT_RECOGNISED": ("isv.invalid-file-extension", "图片无法识别，须为完好的JPG、PNG或BMP"),
    "PICTURE_TOO_BIG": ("isv.invalid-file-size", "图片过大"),
    "TOO_MANY_PICTURES": ("isv.app-call-limited", ""),
    "TOO_MANY_PICTURE_BYTES": ("isv.app-call-limited", ""),
    # Pre-authorisation.
    "PREAUTH_UNKNOWN": ("AUTH_ORDER_NOT_EXIST", "授权订单不存在"),
    "PREAUTH_OPERATION_UNKNOWN": ("AUTH_ORDER_NOT_EXIST", "授权操作不存在"),
    "PREAUTH_DIFFERS": ("UNIQUE_VIOLATION", "幂等参数不一致"),
    "PREAUTH_OPERATION_DIFFERS": ("UNIQUE_VIOLATION", "幂等参数不一致"),
    "PREAUTH_NOT_OPEN": ("ORDER_ALREADY_CLOSED", "订单已关闭"),
    "PREAUTH_NOT_HELD": ("ORDER_ALREADY_FINISH", "授权订单状态不允许该操作"),
    "PREAUTH_EXCEEDS_HELD": ("REQUEST_AMOUNT_EXCEED", "请求金额超过剩余冻结金额"),
    "PREAUTH_CODE_REFUSED": ("PAYMENT_AUTH_CODE_INVALID", "支付授权码无效"),
    "PREAUTH_BALANCE_INSUFFICIENT": ("PAYER_BALANCE_NOT_ENOUGH", "付款方余额不足"),
    "TOO_MANY_REQUESTS": ("isv.app-call-limited", ""),
}
_BY_KIND = {
    Kind.INVALID: ("ACQ.INVALID_PARAMETER", "参数无效"),
    Kind.REFUSED: ("ACQ.PAYMENT_FAIL", "支付失败"),
    Kind.CONFLICT: _TAMPERED,
    Kind.NOT_FOUND: ("ACQ.TRADE_NOT_EXIST", "交易不存在"),
    Kind.NOT_ALLOWED: ("isv.insufficient-isv-permissions", ""),
    Kind.LIMITED: ("isv.app-call-limited", ""),
}


def in_alipays_words(refusal: Refusal, *, is_trade: bool = True) -> AlipayError:
    """Every refusal has some: by its name, or else by its kind. What is no trade says them without `ACQ.`."""
    reason = refusal.reason
    sub_code, said = REFUSALS.get(reason.name, _BY_KIND[reason.kind])
    return AlipayError(sub_code if is_trade else sub_code.removeprefix("ACQ."), said=said)


def payment_failed(reason_name: str) -> AlipayError:
    """Why a payer's side said no to a payment code."""
    return _by_name(reason_name, _BY_KIND[Kind.REFUSED])


def refund_failed(reason_name: str) -> AlipayError:
    """Why a refund's money did not move."""
    return _by_name(reason_name, ("ACQ.TRADE_NOT_ALLOW_REFUND", "当前交易不允许退款"))


def _by_name(reason_name: str, otherwise: tuple[str, str]) -> AlipayError:
    sub_code, said = REFUSALS.get(reason_name, otherwise)
    if not sub_code.startswith("ACQ."):
        sub_code, said = otherwise
    return AlipayError(sub_code, said=said)


def transfer_failed(reason_name: str) -> AlipayError:
    """Why a transfer to a person did not arrive."""
    sub_code, said = REFUSALS.get(reason_name, ("SYSTEM_ERROR", "系统异常"))
    return AlipayError(sub_code, said=said)
