"""What requests about merchants' own coupons must look like. Limits and labels are the vendor's documentation's."""

from hutong.gateways.wechat.v3.order_shapes import NOTIFY_URL
from hutong.gateways.wechat.v3.shape import Field, Flag, Group, Many, Number, Text
from hutong.marketing.coupons.validity import DAYS_MAX

COUPONS_MAX = 1_000_000_000
AMOUNT_MAX = 1_000_000_00
CODES_MAX = 200  # Of one upload.
CODE = r"[0-9A-Za-z\-_]+"
STATES = ("SENDED", "USED", "EXPIRED", "DELETED", "DEACTIVATED")
_COLOURS = tuple(f"Color{number:03d}" for number in range(10, 101, 10))
_METHODS = ("OFF_LINE", "MINI_PROGRAMS", "SELF_CONSUME", "PAYMENT_CODE")
_STOCK = Text("批次号", 20, required=True)
_CODE = Text("券code", 32, required=True, pattern=CODE)
_APPID = Text("公众账号ID", 32, required=True)
_ORDER = Text("商户订单号", 32, required=True)
_MINIMUM = Number("消费门槛", required=True, maximum=AMOUNT_MAX)
_SECONDS = Number("当天可用时间", maximum=86_400)


def _number(label: str) -> Text:
    """A number under which the merchant asks something once."""
    return Text(label, 128, required=True, pattern=r"[0-9A-Za-z_\-|*@]+")


_ENTRANCE = Group(
    "自定义入口",
    {
        "mini_programs_info": Group(
            "小程序入口",
            {
                "mini_programs_appid": Text("商家小程序appid", 32, required=True),
                "mini_programs_path": Text("商家小程序path", 128, required=True),
                "entrance_words": Text("入口文案", 5, required=True),
                "guiding_words": Text("引导文案", 6),
            },
        ),
        "appid": Text("商户公众号appid", 32),
        "hall_id": Text("营销馆id", 64),
        "store_id": Text("可用门店id", 64),
        "code_display_mode": Text("code展示模式", 8, one_of=("NOT_SHOW", "BARCODE", "QRCODE")),
    },
)
_PATTERN = Group(
    "样式信息",
    {
        "description": Text("使用须知", 1000),
        "merchant_logo_url": Text("商户logo", 128),
        "merchant_name": Text("商户名称", 16),
        "background_color": Text("背景颜色", 15, one_of=_COLOURS),
        "coupon_image_url": Text("券详情图片", 128),
        "finder_info": Group(
            "视频号相关信息",
            {
                "finder_id": Text("视频号ID", 128, required=True),
                "finder_video_id": Text("视频号视频ID", 128, required=True),
                "finder_video_cover_image_url": Text("视频号封面图", 128, required=True),
            },
        ),
    },
)
_NOTIFY = Group("事件通知配置", {"notify_appid": Text("事件通知appid", 64)})
_USE_METHOD: dict[str, Field] = {
    "mini_programs_appid": Text("小程序appid", 32),
    "mini_programs_path": Text("小程序path", 128),
}
_AVAILABLE = Group(
    "券可核销时间",
    {
        "available_begin_time": Text("开始时间", 32, required=True),
        "available_end_time": Text("结束时间", 32, required=True),
        "available_day_after_receive": Number("生效后N天内有效", minimum=1, maximum=365),
        "available_week": Group(
            "固定周期有效时间段",
            {
                "week_day": Many("可用星期数", Number("可用星期数", maximum=6), 7),
                "available_day_time": Many(
                    "当天可用时间段", Group("当天可用时间段", {"begin_time": _SECONDS, "end_time": _SECONDS}), 2
                ),
            },
        ),
        "irregulary_avaliable_time": Many("无规律的有效时间段", Group("无规律的有效时间段", {}), 10),
        "wait_days_after_receive": Number("领取后N天开始生效", minimum=1, maximum=30),
        "available_second_after_receive": Number("领取后N秒内有效", minimum=1, maximum=DAYS_MAX * 86_400),
    },
    required=True,
)
_USE_RULE = Group(
    "核销规则",
    {
        "coupon_available_time": _AVAILABLE,
        "fixed_normal_coupon": Group(
            "固定面额满减券使用规则",
            {
                "discount_amount": Number("优惠金额", required=True, minimum=1, maximum=AMOUNT_MAX),
                "transaction_minimum": _MINIMUM,
            },
        ),
        "discount_coupon": Group(
            "折扣券使用规则",
            {
                "discount_percent": Number("折扣比例", required=True, minimum=1, maximum=99),
                "transaction_minimum": _MINIMUM,
            },
        ),
        "exchange_coupon": Group(
            "换购券使用规则",
            {
                "exchange_price": Number("单品换购价", required=True, maximum=AMOUNT_MAX),
                "transaction_minimum": _MINIMUM,
            },
        ),
        "use_method": Text("核销方式", 16, required=True, one_of=_METHODS),
        **_USE_METHOD,
    },
    required=True,
)
_SEND_RULE = Group(
    "发放规则",
    {
        "max_amount": Number("批次总预算", minimum=1),
        "max_coupons": Number("批次最大发放个数", required=True, minimum=1, maximum=COUPONS_MAX),
        "max_coupons_per_user": Number("用户最大可领个数", required=True, minimum=1, maximum=100),
        "max_amount_by_day": Number("单天预算发放上限", minimum=1),
        "max_coupons_by_day": Number("单天发放上限个数", minimum=1, maximum=COUPONS_MAX),
        "natural_person_limit": Flag("是否开启自然人限制"),
        "prevent_api_abuse": Flag("可疑账号拦截"),
        "transferable": Flag("是否允许转赠"),
        "shareable": Flag("是否允许分享链接"),
    },
    required=True,
)

CREATE = Group(
    "请求",
    {
        "stock_name": Text("商家券批次名称", 21, required=True),
        "belong_merchant": Text("批次归属商户号", 15, required=True),
        "comment": Text("批次备注", 20),
        "goods_name": Text("适用商品范围", 15, required=True),
        "stock_type": Text("批次类型", 32, required=True, one_of=("NORMAL", "DISCOUNT", "EXCHANGE")),
        "coupon_use_rule": _USE_RULE,
        "stock_send_rule": _SEND_RULE,
        "out_request_no": _number("商户请求单号"),
        "custom_entrance": _ENTRANCE,
        "display_pattern_info": _PATTERN,
        "coupon_code_mode": Text(
            "券code模式", 128, required=True, one_of=("WECHATPAY_MODE", "MERCHANT_API", "MERCHANT_UPLOAD")
        ),
        "notify_config": _NOTIFY,
        "subsidy": Flag("是否允许营销补差"),
    },
)
CHANGE = Group(
    "请求",
    {
        "custom_entrance": _ENTRANCE,
        "stock_name": Text("商家券批次名称", 21),
        "comment": Text("批次备注", 20),
        "goods_name": Text("适用商品范围", 15),
        "out_request_no": _number("商户请求单号"),
        "display_pattern_info": _PATTERN,
        "coupon_use_rule": Group("核销规则", {"use_method": Text("核销方式", 16, one_of=_METHODS), **_USE_METHOD}),
        "stock_send_rule": Group(
            "发放规则",
            {"natural_person_limit": Flag("是否开启自然人限制"), "prevent_api_abuse": Flag("可疑账号拦截")},
        ),
        "notify_config": _NOTIFY,
    },
)
_LIMIT = Number("个数", minimum=1, maximum=COUPONS_MAX)
BUDGET = Group(
    "请求",
    {
        "target_max_coupons": _LIMIT,
        "target_max_coupons_by_day": _LIMIT,
        "current_max_coupons": _LIMIT,
        "current_max_coupons_by_day": Number("当前单天发放上限个数", maximum=COUPONS_MAX),
        "modify_budget_request_no": _number("修改预算请求单据号"),
    },
)
UPLOAD = Group(
    "请求",
    {
        "coupon_code_list": Many("券code列表", Text("券code", 128, required=True), CODES_MAX, required=True),
        "upload_request_no": _number("请求业务单据号"),
    },
)
CODES = Group(
    "请求",
    {
        "status": Text("code状态", 16, one_of=STATES),
        "appid": Text("公众账号ID", 32),
        "offset": Number("分页页码", maximum=COUPONS_MAX),
        "limit": Number("分页大小", minimum=1, maximum=200),
    },
)
ONE_CODE = Group("请求", {"appid": Text("公众账号ID", 32)})
DELETE = Group("请求", {"delete_request_no": _number("删除请求单据号")})
SEND = Group(
    "请求",
    {
        "openid": Text("用户标识", 128, required=True),
        "appid": _APPID,
        "stock_id": _STOCK,
        "out_request_no": _number("发券凭证号"),
        "coupon_code": Text("券code", 32, pattern=CODE),
    },
)
USE = Group(
    "请求",
    {
        "coupon_code": _CODE,
        "stock_id": Text("批次号", 20),
        "appid": _APPID,
        "use_time": Text("请求核销时间", 32, required=True),
        "use_request_no": _number("核销请求单据号"),
        "openid": Text("用户标识", 128),
        "out_trade_no": Text("商户订单号", 32),
        "mch_id": Text("商户号", 32),
        "transaction_id": Text("微信支付订单号", 32),
    },
)
RETURN = Group("请求", {"coupon_code": _CODE, "stock_id": _STOCK, "return_request_no": _number("退券请求单据号")})
DEACTIVATE = Group(
    "请求",
    {
        "coupon_code": _CODE,
        "stock_id": _STOCK,
        "deactivate_request_no": _number("失效请求单据号"),
        "deactivate_reason": Text("失效原因", 64),
    },
)
BIND = Group(
    "请求",
    {"stock_id": _STOCK, "coupon_code": _CODE, "out_trade_no": _ORDER, "out_request_no": _number("商户请求单号")},
)
COUPONS = Group(
    "请求",
    {
        "appid": _APPID,
        "stock_id": Text("批次号", 20),
        "coupon_state": Text("券状态", 16, one_of=STATES),
        "creator_merchant": Text("创建批次的商户号", 20),
        "belong_merchant": Text("批次归属商户号", 20),
        "sender_merchant": Text("批次发放商户号", 20),
        "offset": Number("分页页码", maximum=COUPONS_MAX),
        "limit": Number("分页大小", minimum=1, maximum=50),
    },
)
CALLBACK = Group("请求", {"mchid": Text("商户号", 20, required=True)})
SET_CALLBACK = Group("请求", {"mchid": Text("商户号", 20), "notify_url": NOTIFY_URL})
_SUBSIDY: dict[str, Field] = {
    "stock_id": _STOCK,
    "coupon_code": _CODE,
    "transaction_id": Text("微信支付订单号", 32, required=True),
    "payer_merchant": Text("营销补差扣款商户号", 20, required=True),
    "payee_merchant": Text("营销补差入账商户号", 20, required=True),
    "amount": Number("补差金额", required=True, minimum=1, maximum=AMOUNT_MAX),
    "description": Text("补差描述", 1024, required=True),
}
PAY = Group("请求", {**_SUBSIDY, "out_subsidy_no": _number("业务请求唯一单号")})
PAY_BACK = Group(
    "请求",
    {
        **_SUBSIDY,
        "refund_id": Text("微信支付退款单号", 64, required=True),
        "out_subsidy_return_no": _number("业务请求唯一单号"),
    },
)
PAID = Group("请求", {"stock_id": _STOCK, "coupon_code": _CODE, "out_subsidy_no": Text("业务请求唯一单号", 128)})
