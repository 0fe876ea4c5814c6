"""What coupons' requests must look like. Limits and labels are the vendor's documentation's."""

from hutong.gateways.wechat.v3.order_shapes import NOTIFY_URL
from hutong.gateways.wechat.v3.shape import Field, Flag, Group, Many, Number, Text

COUPONS_MAX = 10_000_000  # Of one stock.
AMOUNT_MAX = 1_000_00
_CREATOR = Text("创建批次的商户号", 20, required=True)
_MCHID = Text("商户号", 20)
_APPID = Text("公众账号ID", 128, required=True)
_OFFSET, _LIMIT = Number("分页页码", required=True), Number("分页大小", required=True, minimum=1, maximum=50)

_STOCK_RULE = Group(
    "发放规则",
    {
        "max_coupons": Number("发放总上限", required=True, minimum=1, maximum=COUPONS_MAX),
        "max_amount": Number("总预算", required=True, minimum=1),
        "max_amount_by_day": Number("单天预算发放上限", minimum=1),
        "max_coupons_per_user": Number("单个用户可领个数", required=True, minimum=1, maximum=60),
        "natural_person_limit": Flag("是否开启自然人限制", required=True),
        "prevent_api_abuse": Flag("是否开启防刷拦截", required=True),
    },
    required=True,
)
_PATTERN = Group(
    "样式设置",
    {
        "description": Text("使用说明", 3000),
        "merchant_logo": Text("商户logo", 128),
        "merchant_name": Text("品牌名称", 48),
        "background_color": Text("背景颜色", 15),
        "coupon_image": Text("券详情图片", 128),
        "jump_target": Text("点击去使用跳转类型", 32, one_of=("PAYMENT_CODE", "MINI_PROGRAM", "DEFAULT_PAGE")),
        "mini_program_appid": Text("小程序appid", 128),
        "mini_program_path": Text("小程序path", 128),
    },
)
_TIME = Group(
    "券生效时间",
    {
        "fix_available_time": Group(
            "固定时间段可用",
            {
                "available_week_day": Many("可用星期数", Number("可用星期数", minimum=0, maximum=7), 7),
                "begin_time": Number("当天开始时间", maximum=86_400),
                "end_time": Number("当天结束时间", maximum=86_400),
            },
        ),
        "second_day_available": Flag("领取后N天后生效"),
        "available_time_after_receive": Number("领取后有效时间", minimum=1),
    },
)
_USE_RULE = Group(
    "核销规则",
    {
        "coupon_available_time": _TIME,
        "fixed_normal_coupon": Group(
            "固定面额满减券使用规则",
            {
                "coupon_amount": Number("面额", required=True, minimum=1, maximum=AMOUNT_MAX),
                "transaction_minimum": Number("门槛", required=True, minimum=1),
            },
            required=True,
        ),
        "goods_tag": Many("订单优惠标记", Text("订单优惠标记", 128), 50),
        "trade_type": Many("支付方式", Text("支付方式", 32), 16),
        "combine_use": Flag("是否可叠加其他优惠"),
        "available_items": Many("可核销商品编码", Text("可核销商品编码", 128), 50),
        "unavailable_items": Many("不参与优惠商品编码", Text("不参与优惠商品编码", 128), 50),
        "available_merchants": Many("可用商户号", Text("可用商户号", 20), 50),
        "limit_card": Group("指定银行卡BIN", {}),
        "limit_pay": Many("支付方式限制", Text("支付方式限制", 32), 1),
    },
    required=True,
)

CREATE = Group(
    "请求",
    {
        "stock_name": Text("批次名称", 20, required=True),
        "comment": Text("批次备注", 60),
        "belong_merchant": Text("归属商户号", 20, required=True),
        "available_begin_time": Text("可用时间-开始时间", 32, required=True),
        "available_end_time": Text("可用时间-结束时间", 32, required=True),
        "stock_use_rule": _STOCK_RULE,
        "pattern_info": _PATTERN,
        "coupon_use_rule": _USE_RULE,
        "no_cash": Flag("营销经费", required=True),
        "stock_type": Text(
            "批次类型", 16, required=True, one_of=("NORMAL", "DISCOUNT", "EXCHAHGE", "RANDOM", "DISCOUNT_CUT")
        ),
        "out_request_no": Text("商户单据号", 128, required=True),
        "ext_info": Text("扩展信息", 128),
    },
)
MOVE = Group("请求", {"stock_creator_mchid": _CREATOR})
ONE = Group("请求", {"stock_creator_mchid": _CREATOR})
MANY = Group(
    "请求",
    {
        "offset": _OFFSET,
        "limit": Number("分页大小", required=True, minimum=1, maximum=10),
        "stock_creator_mchid": _CREATOR,
        "create_start_time": Text("起始时间", 32),
        "create_end_time": Text("终止时间", 32),
        "status": Text("批次状态", 16, one_of=("unactivated", "audit", "running", "stoped", "paused")),
    },
)
PART = Group("请求", {"offset": _OFFSET, "limit": _LIMIT, "stock_creator_mchid": _CREATOR})
SEND = Group(
    "请求",
    {
        "stock_id": Text("批次号", 20, required=True),
        "out_request_no": Text("商户单据号", 128, required=True, pattern=r"[0-9A-Za-z_\-|*]+"),
        "appid": _APPID,
        "stock_creator_mchid": _CREATOR,
        "coupon_value": Number("指定面额发券，面额", minimum=1),
        "coupon_minimum": Number("指定面额发券，券门槛", minimum=1),
    },
)
COUPON = Group("请求", {"appid": _APPID})
COUPONS = Group(
    "请求",
    {
        "appid": _APPID,
        "stock_id": Text("批次号", 20),
        "status": Text("券状态", 6, one_of=("SENDED", "USED")),
        "creator_mchid": _MCHID,
        "sender_mchid": _MCHID,
        "available_mchid": _MCHID,
        "offset": Number("分页页码"),
        "limit": Number("分页大小", minimum=1, maximum=20),
        "business_type": Text("批次使用方式", 16, one_of=("MULTIUSE",)),
    },
)
BILL_DATE: dict[str, Field] = {"bill_date": Text("账单日期", 10, required=True)}
FLOW, FLOW_BY_DAY = Group("请求", {}), Group("请求", BILL_DATE)
CALLBACK = Group("请求", {"mchid": Text("商户号", 20, required=True)})
SET_CALLBACK = Group(
    "请求", {"mchid": Text("商户号", 20, required=True), "notify_url": NOTIFY_URL, "switch": Flag("回调开关")}
)
