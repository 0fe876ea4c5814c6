"""How v2 says no, in two layers: what can't be read or proved, and what is refused. Specification 8.3, 8.5."""

from enum import Enum
from typing import Self


class Code(Enum):
    """An `err_code`, and what it says unless something better is known. Clients match on the name."""

    text: str

    def __new__(cls, text: str) -> Self:
        row = object.__new__(cls)
        row._value_ = f"{len(cls.__members__)}"
        row.text = text
        return row

    SYSTEMERROR = "系统繁忙，请稍后再试"
    BANKERROR = "银行系统异常"
    PARAM_ERROR = "参数错误"
    LACK_PARAMS = "缺少参数"
    NOAUTH = "商户无此接口权限"
    APPID_NOT_EXIST = "APPID不存在"
    MCHID_NOT_EXIST = "MCHID不存在"
    APPID_MCHID_NOT_MATCH = "商户号mch_id与appid不匹配"
    INVALID_REQUEST = "无效请求"
    TRADE_ERROR = "交易错误"
    RULELIMIT = "交易存在风险"
    NOTENOUGH = "余额不足"
    NOTSUPORTCARD = "不支持卡类型"  # So spelled by the vendor.
    ACCOUNTERROR = "用户账号异常"
    USER_ACCOUNT_ABNORMAL = "用户账户异常或已注销"
    BUYER_MISMATCH = "支付帐号错误"
    FREQUENCY_LIMITED = "频率限制"
    BIZERR_NEED_RETRY = "退款业务流程错误，需要商户触发重试来解决"
    # Orders.
    ORDERPAID = "该订单已支付"
    ORDERCLOSED = "订单已关闭"
    ORDERREVERSED = "当前订单已经被撤销"
    ORDERNOTEXIST = "此交易订单号不存在"
    OUT_TRADE_NO_USED = "商户订单号重复"
    TRADE_STATE_ERROR = "订单状态错误"
    # Payment codes.
    USERPAYING = "需要用户输入支付密码"
    AUTHCODEEXPIRE = "二维码已过期，请用户在微信上刷新后再试"
    AUTH_CODE_ERROR = "付款码参数错误"
    AUTH_CODE_INVALID = "请扫描微信支付被扫条码/二维码"
    # Refunds.
    TRADE_OVERDUE = "订单已经超过退款期限"
    REFUNDNOTEXIST = "退款订单查询失败"
    REFUND_FEE_MISMATCH = "退款金额不一致"
    # Transfers and red packets.
    AMOUNT_LIMIT = "金额超限"
    MONEY_LIMIT = "红包金额发放限制"
    OPENID_ERROR = "openid与Appid不匹配"
    NAME_MISMATCH = "姓名校验出错"
    NOT_FOUND = "指定单号数据不存在"
    SENDNUM_LIMIT = "该用户今日领取红包个数超过限制"
    FATAL_ERROR = "两次请求参数不一致"
    # Coupons.
    USER_AL_GET_COUPON = "你已领取过该代金券"
    AL_STOCK_OVER = "活动已结束"
    # Splits.
    RECEIVER_INVALID = "分账接收方非法"
    # Bills.
    NO_BILL_EXIST = "账单不存在"
    BILL_CREATING = "账单未生成"
    # Entrusted deduction.
    CONTRACT_NOT_EXIST = "签约协议不存在"
    CONTRACTERROR = "该协议号不能支付"
    CONTRACT_EXISTED = "协议已存在"


class Unreadable(Exception):  # noqa: N818  # It is an answer, not an error of ours.
    """`return_code` FAIL: the text is all that there is to it, and nobody has signed it."""


class Fault(Exception):  # noqa: N818  # It is an answer, not an error of ours.
    """`result_code` FAIL: it was read and proved, and it is refused."""

    def __init__(self, code: Code, text: str = "") -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text or code.text


NOT_POST = "请使用post方法"
NO_DATA = "post数据为空"
NOT_UTF8 = "编码格式错误"
NOT_XML = "XML格式错误"
TOO_MANY_FIELDS = "参数过多"
NOT_SIGNED = "签名错误"
