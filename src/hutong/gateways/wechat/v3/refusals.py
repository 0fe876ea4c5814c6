"""Our refusals in the vendor's words: one table; what is not in it goes by its kind."""

from hutong.codes.code import CodeReason
from hutong.gateways.agreements.reasons import AgreementReason
from hutong.gateways.parking.reasons import ParkingReason
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.services.reasons import ServiceReason
from hutong.gateways.splits.reasons import SplitReason
from hutong.gateways.till_coupons.reasons import TillCouponReason
from hutong.gateways.transfers.reasons import TransferReason
from hutong.gateways.vouchers.reasons import VoucherReason
from hutong.gateways.wechat.v3.errors import Code, Fault
from hutong.institution.complaints.reasons import ComplaintReason
from hutong.institution.merchants.reasons import MerchantReason
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.people.reasons import PeopleReason
from hutong.institution.requests.reasons import RequestReason
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.marketing.coupons.reasons import CouponReason

TABLE: dict[Reason, tuple[Code, str]] = {
    ComplaintReason.COMPLAINT_UNKNOWN: (Code.RESOURCE_NOT_EXISTS, "投诉单不存在"),
    ComplaintReason.COMPLAINT_ENDED: (Code.INVALID_REQUEST, "投诉单已处理完成，不能再操作"),
    ComplaintReason.COMPLAINT_NOT_ANSWERED: (Code.INVALID_REQUEST, "请先回复用户，再反馈处理完成"),
    ComplaintReason.COMPLAINT_ASKS_NO_REFUND: (Code.INVALID_REQUEST, "该投诉单不是申请退款类型"),
    ComplaintReason.COMPLAINT_TOO_LONG: (Code.RULE_LIMIT, "投诉单协商记录已达上限"),
    ComplaintReason.PICTURE_UNKNOWN: (Code.RESOURCE_NOT_EXISTS, "图片不存在或已过期"),
    ComplaintReason.PICTURE_ON_ITS_WAY: (Code.FREQUENCY_LIMITED, "图片正在从用户所在机构传来，请稍后再试"),
    ComplaintReason.PICTURE_NOT_RECOGNISED: (Code.PARAM_ERROR, "图片无法识别，须为完好的JPG、PNG或BMP"),
    ComplaintReason.PICTURE_TOO_BIG: (Code.PARAM_ERROR, "图片过大"),
    ComplaintReason.TOO_MANY_PICTURES: (Code.FREQUENCY_LIMITED, "图片过多，请稍后再试"),
    ComplaintReason.TOO_MANY_PICTURE_BYTES: (Code.FREQUENCY_LIMITED, "当日上传的图片总量过大，请稍后再试"),
    GatewayReason.ACCOUNT_UNKNOWN: (Code.MCH_NOT_EXISTS, ""),
    GatewayReason.ACCOUNT_SUSPENDED: (Code.NO_AUTH, "商户号已暂停使用"),
    GatewayReason.NOTIFY_URL_INVALID: (Code.PARAM_ERROR, "通知地址不合法：须为可访问的绝对地址，且不带参数"),
    GatewayReason.PARTNER_NOT_ALLOWED: (Code.NO_AUTH, "子商户与服务商没有受理关系，或未授权该服务商"),
    GatewayReason.ORDER_UNKNOWN: (Code.ORDER_NOT_EXIST, ""),
    GatewayReason.ORDER_DIFFERS: (Code.OUT_TRADE_NO_USED, ""),
    GatewayReason.ORDER_PAID: (Code.ORDERPAID, ""),
    GatewayReason.ORDER_PAYING: (Code.INVALID_REQUEST, "用户支付中，请稍后再试"),
    GatewayReason.ORDER_CLOSED: (Code.ORDER_CLOSED, ""),
    GatewayReason.ORDER_REVERSED: (Code.ORDER_REVERSED, ""),
    GatewayReason.ORDER_FOR_ANOTHER: (Code.TRADE_ERROR, "支付用户与下单openid不一致"),
    GatewayReason.ORDER_NOT_PAID: (Code.INVALID_REQUEST, "订单未支付，不能退款"),
    GatewayReason.REVERSAL_FAILED: (Code.NOT_ENOUGH, "撤销失败：商户余额不足，请充值后重新发起"),
    GatewayReason.REFUND_UNKNOWN: (Code.RESOURCE_NOT_EXISTS, "退款单不存在"),
    GatewayReason.REFUND_DIFFERS: (Code.REFUND_FEE_MISMATCH, ""),
    GatewayReason.REFUND_TOTAL_DIFFERS: (Code.INVALID_REQUEST, "订单金额不一致，请核实后再试"),
    GatewayReason.REFUND_TOO_LATE: (Code.INVALID_REQUEST, "订单已超过退款期限"),
    GatewayReason.REFUNDS_TOO_MANY: (Code.INVALID_REQUEST, "一笔订单最多退款50次"),
    SplitReason.ORDER_NOT_TO_BE_SPLIT: (Code.INVALID_REQUEST, "非分账订单不支持分账"),
    SplitReason.SPLIT_FINISHED: (Code.INVALID_REQUEST, "订单已分账完结，不能再分账"),
    SplitReason.SPLIT_EXCEEDS_FROZEN: (Code.NOT_ENOUGH, "分账金额不足"),
    SplitReason.SPLIT_RATIO_EXCEEDED: (Code.RULE_LIMIT, "分账金额超过最大分账比例"),
    SplitReason.SPLIT_DIFFERS: (Code.INVALID_REQUEST, "商户分账单号重复，且参数与之前请求不一致"),
    SplitReason.SPLIT_UNKNOWN: (Code.RESOURCE_NOT_EXISTS, "分账单不存在"),
    SplitReason.SPLIT_RETURN_DIFFERS: (Code.INVALID_REQUEST, "商户回退单号重复，且参数与之前请求不一致"),
    SplitReason.SPLIT_RETURN_UNKNOWN: (Code.RESOURCE_NOT_EXISTS, "回退单不存在"),
    SplitReason.SPLIT_RETURN_EXCEEDS_PART: (Code.INVALID_REQUEST, "回退金额超过可回退金额"),
    SplitReason.SPLIT_RETURN_TOO_LATE: (Code.INVALID_REQUEST, "分账单已超过180天，不支持回退"),
    SplitReason.RECEIVER_UNKNOWN: (Code.PARAM_ERROR, "分账接收方不存在"),
    SplitReason.RECEIVER_NOT_NAMED: (Code.INVALID_REQUEST, "分账接收方关系不存在，请先添加分账接收方"),
    SplitReason.RECEIVER_IS_ONESELF: (Code.INVALID_REQUEST, "分账接收方不能是分账方自己"),
    SplitReason.RECEIVER_IS_A_PERSON: (Code.INVALID_REQUEST, "个人分账接收方不支持回退"),
    SplitReason.RECEIVER_NAME_DIFFERS: (Code.INVALID_REQUEST, "分账接收方姓名不正确"),
    TransferReason.TRANSFER_AMOUNT_OUT_OF_LIMITS: (Code.INVALID_REQUEST, "超过单笔转账上下限，请调整转账金额"),
    TransferReason.TRANSFER_NAME_NEEDED: (Code.INVALID_REQUEST, "转账金额达到2000元时，须填写收款用户姓名"),
    TransferReason.TRANSFER_DAILY_LIMIT_EXCEEDED: (Code.RULE_LIMIT, "超过商户当日转账限额"),
    TransferReason.TRANSFER_BALANCE_INSUFFICIENT: (Code.NOT_ENOUGH, "商户账户余额不足，请充值后重新发起"),
    TransferReason.TRANSFER_DIFFERS: (Code.INVALID_REQUEST, "商户单号已存在，且参数与之前请求不一致"),
    TransferReason.TRANSFER_UNKNOWN: (Code.NOT_FOUND, ""),
    TransferReason.TRANSFER_ENDED: (Code.INVALID_REQUEST, "转账单已是终态，不能撤销"),
    TransferReason.TRANSFER_LAPSED: (Code.INVALID_REQUEST, "转账单已过期"),
    TransferReason.TRANSFER_PAYEE_UNKNOWN: (Code.PARAM_ERROR, "收款用户openid不存在，或与appid不匹配"),
    TransferReason.TRANSFER_NAME_DIFFERS: (Code.INVALID_REQUEST, "收款用户姓名校验不通过"),
    TransferReason.TRANSFER_PAYEE_ABNORMAL: (Code.USER_ACCOUNT_ABNORMAL, "收款用户账户异常"),
    TransferReason.RECEIPT_NOT_READY: (Code.INVALID_REQUEST, "转账未成功，暂不能申请电子回单"),
    TransferReason.BATCH_UNKNOWN: (Code.NOT_FOUND, ""),
    TransferReason.BATCH_DIFFERS: (Code.INVALID_REQUEST, "商家批次单号已存在，且参数与之前请求不一致"),
    TransferReason.BATCH_TOO_BIG: (Code.PARAM_ERROR, "转账明细超过1000笔"),
    TransferReason.BATCH_SUMS_DIFFER: (Code.PARAM_ERROR, "转账总金额或总笔数与明细不一致"),
    TransferReason.BATCH_NUMBER_TWICE: (Code.PARAM_ERROR, "商家明细单号在批次内重复"),
    AgreementReason.AGREEMENT_UNKNOWN: (Code.RESOURCE_NOT_EXISTS, "签约协议不存在"),
    AgreementReason.AGREEMENT_DIFFERS: (Code.INVALID_REQUEST, "商户签约协议号重复，且参数与之前请求不一致"),
    AgreementReason.AGREEMENT_SIGNED: (Code.INVALID_REQUEST, "协议已签约"),
    AgreementReason.AGREEMENT_LAPSED: (Code.INVALID_REQUEST, "签约请求已过期"),
    AgreementReason.AGREEMENT_ENDED: (Code.INVALID_REQUEST, "协议已解约"),
    AgreementReason.AGREEMENT_NOT_SIGNED: (Code.INVALID_REQUEST, "协议未签约"),
    AgreementReason.AGREEMENT_NOT_DUE: (Code.RULE_LIMIT, "不在约定的扣款时间内"),
    AgreementReason.AGREEMENT_SINGLE_EXCEEDED: (Code.RULE_LIMIT, "超过约定的单次扣款金额"),
    AgreementReason.AGREEMENT_TOTAL_EXCEEDED: (Code.RULE_LIMIT, "超过约定的扣款总金额"),
    AgreementReason.AGREEMENT_TIMES_EXCEEDED: (Code.RULE_LIMIT, "超过约定的扣款次数"),
    GatewayReason.COMBINED_PARTS_WRONG: (Code.PARAM_ERROR, "子单信息有误：数量、金额或单号重复"),
    GatewayReason.COMBINED_NUMBER_TAKEN: (Code.OUT_TRADE_NO_USED, "子单商户订单号已被使用"),
    ServiceReason.SERVICE_UNKNOWN: (Code.RESOURCE_NOT_EXISTS, "服务订单不存在"),
    ServiceReason.SERVICE_DIFFERS: (Code.INVALID_REQUEST, "商户服务订单号重复，且参数与之前请求不一致"),
    ServiceReason.SERVICE_REVOKED: (Code.INVALID_REQUEST, "服务订单已取消"),
    ServiceReason.SERVICE_COMPLETED: (Code.INVALID_REQUEST, "服务订单已完结"),
    ServiceReason.SERVICE_NOT_COMPLETED: (Code.INVALID_REQUEST, "服务订单未完结"),
    ServiceReason.SERVICE_NOT_AGREED: (Code.INVALID_REQUEST, "用户未确认服务订单"),
    ServiceReason.SERVICE_PAYING: (Code.INVALID_REQUEST, "服务订单正在收款，请稍后再试"),
    ServiceReason.SERVICE_PAID: (Code.INVALID_REQUEST, "服务订单已支付"),
    ServiceReason.SERVICE_TOTAL_EXCEEDED: (Code.PARAM_ERROR, "总金额超过服务风险金额，或超过已确认的金额"),
    ParkingReason.PLATE_MALFORMED: (Code.PARAM_ERROR, "车牌号或车牌颜色错误"),
    ParkingReason.ENTRY_UNKNOWN: (Code.RESOURCE_NOT_EXISTS, "停车入场信息不存在"),
    ParkingReason.ENTRY_DIFFERS: (Code.INVALID_REQUEST, "商户入场ID重复，且参数与之前请求不一致"),
    ParkingReason.ENTRY_OF_ANOTHER_CAR: (Code.INVALID_REQUEST, "车牌与停车入场信息不一致"),
    ParkingReason.ENTRY_PAYING: (Code.INVALID_REQUEST, "该停车订单正在扣费，请稍后再试"),
    ParkingReason.ENTRY_PAID: (Code.ORDERPAID, "该停车订单已支付"),
    ParkingReason.PLATE_NOT_AGREED: (Code.INVALID_REQUEST, "用户未开通或已关闭车主服务"),
    TillCouponReason.TILL_STOCK_UNKNOWN: (Code.RESOURCE_NOT_EXISTS, "批次不存在"),
    TillCouponReason.TILL_STOCK_OVER: (Code.INVALID_REQUEST, "批次已过期或已停止"),
    TillCouponReason.TILL_STOCK_CHANGED: (Code.INVALID_REQUEST, "当前发放上限个数与批次实际不一致"),
    TillCouponReason.TILL_REQUEST_DIFFERS: (Code.INVALID_REQUEST, "商户单据号重复，且参数与之前请求不一致"),
    TillCouponReason.TILL_CODE_NEEDED: (Code.PARAM_ERROR, "该批次的券code由商户指定，coupon_code必填"),
    TillCouponReason.TILL_CODE_NOT_ASKED: (Code.PARAM_ERROR, "该批次的券code不由商户指定，coupon_code须为空"),
    TillCouponReason.TILL_CODES_NOT_LOADED: (Code.INVALID_REQUEST, "该批次不支持上传券code"),
    TillCouponReason.TILL_STOCK_NEEDED: (Code.PARAM_ERROR, "该券code由商户指定，stock_id必填"),
    TillCouponReason.TILL_PERSON_UNKNOWN: (Code.INVALID_REQUEST, "用户openid与appid不匹配，或不是本机构的用户"),
    TillCouponReason.TILL_PERSON_DIFFERS: (Code.INVALID_REQUEST, "券不属于该用户"),
    TillCouponReason.SUBSIDY_FORBIDDEN: (Code.INVALID_REQUEST, "该批次不支持营销补差"),
    TillCouponReason.SUBSIDY_OF_UNTAKEN: (Code.INVALID_REQUEST, "券未核销，不能补差"),
    TillCouponReason.SUBSIDY_ORDER_DIFFERS: (Code.INVALID_REQUEST, "订单未支付成功，或与券、商户号不匹配"),
    TillCouponReason.SUBSIDY_EXCEEDS_COUPON: (Code.INVALID_REQUEST, "补差金额超限"),
    TillCouponReason.SUBSIDY_UNKNOWN: (Code.RESOURCE_NOT_EXISTS, "补差单不存在"),
    TillCouponReason.SUBSIDY_PAID: (Code.INVALID_REQUEST, "券已补差，请先回退补差金额"),
    CouponReason.COUPON_UNKNOWN: (Code.RESOURCE_NOT_EXISTS, "券不存在"),
    CouponReason.COUPON_SPENT: (Code.INVALID_REQUEST, "券状态不可用：已核销、已失效或已发放"),
    CouponReason.COUPON_EXPIRED: (Code.INVALID_REQUEST, "券已过期"),
    CouponReason.COUPON_NOT_YET_VALID: (Code.INVALID_REQUEST, "券未到可用时间"),
    CouponReason.COUPON_NOT_AT_THIS_HOUR: (Code.INVALID_REQUEST, "当前时段券不可用"),
    CouponReason.COUPON_BOUND: (Code.INVALID_REQUEST, "券已关联其他订单"),
    CouponReason.COUPON_NOT_TAKEN: (Code.INVALID_REQUEST, "券未核销，不能退券"),
    CouponReason.COUPON_TAKEN_LONG_AGO: (Code.INVALID_REQUEST, "核销已超过24小时，不能退券"),
    CouponReason.COUPON_CODE_USED: (Code.INVALID_REQUEST, "券code已存在"),
    CouponReason.COUPON_CODES_EXHAUSTED: (Code.NOT_ENOUGH, "可用券code不足，请先上传"),
    CouponReason.COUPON_CODES_TOO_MANY: (Code.RULE_LIMIT, "未发放的券code过多"),
    CouponReason.COUPON_STOCK_BELOW_CLAIMED: (Code.INVALID_REQUEST, "目标发放上限个数小于已发放个数"),
    VoucherReason.VOUCHER_STOCK_UNKNOWN: (Code.RESOURCE_NOT_EXISTS, "批次不存在"),
    VoucherReason.VOUCHER_STOCK_DIFFERS: (Code.ALREADY_EXISTS, "商户单据号重复，且参数与之前请求不一致"),
    VoucherReason.VOUCHER_STOCK_NOT_STARTED: (Code.INVALID_REQUEST, "批次未激活"),
    VoucherReason.VOUCHER_STOCK_ENDED: (Code.INVALID_REQUEST, "批次已过期或已停止"),
    VoucherReason.VOUCHER_BUDGET_INSUFFICIENT: (Code.NOT_ENOUGH, "账户余额不足，无法激活批次，请充值后重新发起"),
    VoucherReason.VOUCHER_PERSON_UNKNOWN: (Code.INVALID_REQUEST, "用户openid与appid不匹配，或不是本机构的用户"),
    VoucherReason.VOUCHER_UNKNOWN: (Code.RESOURCE_NOT_EXISTS, "代金券不存在"),
    CouponReason.COUPON_NOT_ON_OFFER: (Code.INVALID_REQUEST, "批次不在可发放状态或时间"),
    CouponReason.COUPON_STOCK_EXHAUSTED: (Code.NOT_ENOUGH, "批次预算不足"),
    CouponReason.COUPON_LIMIT_REACHED: (Code.RULE_LIMIT, "已达到发放上限：单个用户可领个数或单天预算"),
    CouponReason.COUPON_CLAIM_OTHERWISE: (Code.INVALID_REQUEST, "商户单据号重复，且参数与之前请求不一致"),
    RequestReason.REQUEST_UNKNOWN: (Code.ORDER_NOT_EXIST, ""),
    RequestReason.REQUEST_EXPIRED: (Code.ORDER_CLOSED, ""),
    RequestReason.REQUEST_CANCELLED: (Code.ORDER_CLOSED, ""),
    RequestReason.REQUEST_ALREADY_PAID: (Code.ORDERPAID, ""),
    RequestReason.REQUEST_CLAIMED: (Code.INVALID_REQUEST, "用户支付中，请稍后再试"),
    RequestReason.REFERENCE_REUSED: (Code.OUT_TRADE_NO_USED, ""),
    RequestReason.AMOUNT_OUT_OF_LIMITS: (Code.RULE_LIMIT, "订单金额超出商户限额"),
    RequestReason.LIFETIME_OUT_OF_LIMITS: (Code.PARAM_ERROR, "time_expire须在1分钟之后、7天之内"),
    MerchantReason.MERCHANT_UNKNOWN: (Code.MCH_NOT_EXISTS, ""),
    MerchantReason.MERCHANT_SUSPENDED: (Code.NO_AUTH, "商户已被暂停收款"),
    MerchantReason.MERCHANT_CLOSED: (Code.NO_AUTH, "商户已注销"),
    MerchantReason.SHOP_CLOSED: (Code.NO_AUTH, "门店已停业"),
    MerchantReason.ROLE_MAY_NOT: (Code.NO_AUTH, "此商户号无权调用该接口"),
    MerchantReason.KEY_REVOKED: (Code.NO_AUTH, "此商户号已停用"),
    PaymentReason.REFUND_EXCEEDS_REMAINDER: (Code.INVALID_REQUEST, "订单退款金额超限：累计退款金额大于支付金额"),
    PaymentReason.MERCHANT_BALANCE_INSUFFICIENT: (Code.NOT_ENOUGH, "基本账户余额不足，请充值后重新发起"),
    PaymentReason.PAYMENT_NOT_COMPLETED: (Code.INVALID_REQUEST, "订单未支付成功，不能退款"),
    PaymentReason.PAYMENT_UNKNOWN: (Code.RESOURCE_NOT_EXISTS, "订单不存在"),
    PaymentReason.REFUND_UNKNOWN: (Code.RESOURCE_NOT_EXISTS, "退款单不存在"),
    PaymentReason.ID_TAKEN: (Code.INVALID_REQUEST, "单号重复，且内容与之前请求不一致"),
    PaymentReason.BALANCE_INSUFFICIENT: (Code.NOT_ENOUGH, "用户余额不足，请换其他支付方式"),
    PaymentReason.ANNUAL_LIMIT_EXCEEDED: (Code.RULE_LIMIT, "用户累计支付超过限额"),
    PaymentReason.DAILY_LIMIT_EXCEEDED: (Code.RULE_LIMIT, "用户当日支付超过限额"),
    PaymentReason.MANDATE_LIMIT_EXCEEDED: (Code.RULE_LIMIT, "用户支付超过限额"),
    PaymentReason.DECLINED_BY_PAYER: (Code.TRADE_ERROR, "用户取消支付"),
    PaymentReason.DISCOUNT_GONE: (Code.TRADE_ERROR, "优惠已失效，请重新扫码"),
    PaymentReason.PAYING_ONESELF: (Code.TRADE_ERROR, "付款方与收款方相同，无法支付"),
    PaymentReason.NETWORK_SILENT: (Code.SYSTEM_ERROR, ""),
    CodeReason.CODE_UNKNOWN: (Code.AUTH_CODE_INVALID, ""),
    CodeReason.CODE_KIND_UNKNOWN: (Code.AUTH_CODE_INVALID, ""),
    CodeReason.PAYMENT_CODE_MALFORMED: (Code.AUTH_CODE_INVALID, ""),
    CodeReason.PAYMENT_CODE_WRONG: (Code.AUTH_CODE_INVALID, ""),
    CodeReason.PAYMENT_CODE_EXPIRED: (Code.AUTH_CODE_EXPIRE, ""),
    CodeReason.PAYMENT_CODE_REUSED: (Code.AUTH_CODE_EXPIRE, "付款码已被使用，请用户刷新后再试"),
    CodeReason.PAYMENT_CODE_GUESSES_EXHAUSTED: (Code.RULE_LIMIT, "付款码错误次数过多，请稍后再试"),
    PeopleReason.USER_FROZEN: (Code.ACCOUNT_ERROR, ""),
    PeopleReason.USER_CLOSED: (Code.ACCOUNT_ERROR, ""),
    PeopleReason.USER_UNKNOWN: (Code.AUTH_CODE_INVALID, ""),
}
BY_KIND = {
    Kind.INVALID: Code.PARAM_ERROR,
    Kind.REFUSED: Code.INVALID_REQUEST,
    Kind.CONFLICT: Code.INVALID_REQUEST,
    Kind.NOT_FOUND: Code.RESOURCE_NOT_EXISTS,
    Kind.NOT_ALLOWED: Code.NO_AUTH,
    Kind.LIMITED: Code.FREQUENCY_LIMITED,
}
# What the payer's side says of a payment code comes as a name alone: it may be of a program that is not ours.
_BY_NAME = {reason.name: row for reason, row in TABLE.items()}


def fault_of(refusal: Refusal) -> Fault:
    """The vendor's words for a refusal. The field is told where we know one."""
    code, text = TABLE.get(refusal.reason, (BY_KIND[refusal.reason.kind], ""))
    field = refusal.facts.get("field")
    detail = (
        {"field": f"/{field}", "issue": refusal.reason.name, "location": "body"} if isinstance(field, str) else None
    )
    return Fault(code, text, detail=detail if code is Code.PARAM_ERROR else None)


def payer_fault(reason: str) -> Fault:
    """The vendor's words for what the payer's side said no with."""
    code, text = _BY_NAME.get(reason, (Code.TRADE_ERROR, ""))
    if code in {Code.PARAM_ERROR, Code.INVALID_REQUEST, Code.NO_AUTH, Code.ORDER_NOT_EXIST, Code.RESOURCE_NOT_EXISTS}:
        return Fault(Code.TRADE_ERROR)
    return Fault(code, text)
