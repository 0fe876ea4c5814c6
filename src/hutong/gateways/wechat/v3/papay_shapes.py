"""What entrusted deduction's requests must look like. Limits and labels are the vendor's documentation's."""

from hutong.gateways.wechat.v3.order_shapes import AMOUNT, OUT_TRADE_NO
from hutong.gateways.wechat.v3.shape import Field, Group, Number, Text

_SUB_MCHID = Text("子商户号", 32, required=True)
_DIRECT: dict[str, Field] = {"appid": Text("应用ID", 32, required=True), "openid": Text("用户标识", 128)}
_PARTNER: dict[str, Field] = {
    "sp_appid": Text("服务商应用ID", 32, required=True),
    "sub_mchid": _SUB_MCHID,
    "sub_appid": Text("子商户应用ID", 32),
}
_AMOUNT = Group(
    "金额",
    {"total": Number("金额", required=True, minimum=1), "currency": Text("币种", 16, one_of=("CNY",))},
    required=True,
)
_OFFER: dict[str, Field] = {
    "plan_id": Number("模板ID", required=True, minimum=1),
    "out_contract_code": Text("商户签约协议号", 32, required=True, pattern=r"[0-9A-Za-z_\-|*]+"),
    "contract_display_account": Text("用户账户展示名称", 100, required=True),
    "contract_notify_url": Text("签约回调通知地址", 256, required=True),
    "out_user_code": Text("商户侧用户标识", 32),
    "return_url": Text("回跳地址", 1024),
    "deduct_schedule": Group(
        "预约扣费",
        {
            "estimated_deduct_date": Text("预计扣费日期", 32, required=True),
            "estimated_deduct_amount": _AMOUNT,
            "description": Text("扣费描述", 128, required=True),
        },
    ),
}
_TAKE: dict[str, Field] = {
    "out_trade_no": OUT_TRADE_NO,
    "description": Text("商品描述", 127, required=True),
    "attach": Text("商户数据包", 128),
    "transaction_notify_url": Text("支付回调通知地址", 256, required=True),
    "contract_id": Text("委托代扣协议id", 64, required=True),
    "goods_tag": Text("订单优惠标记", 32),
    "amount": AMOUNT,
}
_REMARK = Text("解约备注", 256, required=True)

# In the app, or by a code to be scanned: there it is said who signs.
OFFER_IN_SCENE = Group(
    "请求",
    _DIRECT
    | _OFFER
    | {
        "sign_scene": Text("签约场景", 32, required=True, one_of=("SIGN_SCENE_APP", "SIGN_SCENE_QRCODE")),
        "out_user_code": Text("商户侧用户标识", 32, required=True),
    },
)
OFFER = {False: Group("请求", _DIRECT | _OFFER), True: Group("请求", _PARTNER | _OFFER)}
TAKE = {False: Group("请求", {"appid": _DIRECT["appid"]} | _TAKE), True: Group("请求", _PARTNER | _TAKE)}
SCHEDULE = {
    False: Group("请求", {"appid": _DIRECT["appid"], "schedule_amount": _AMOUNT}),
    True: Group("请求", _PARTNER | {"schedule_amount": _AMOUNT}),
}
ENDED = {
    False: Group("请求", {"contract_termination_remark": _REMARK}),
    True: Group("请求", {"sub_mchid": _SUB_MCHID, "contract_termination_remark": _REMARK}),
}
QUERY = {False: Group("请求", {}), True: Group("请求", {"sub_mchid": _SUB_MCHID})}
ANNOUNCED = Group(
    "请求",
    {
        "mchid": Text("商户号", 32, required=True),
        "appid": Text("应用ID", 32, required=True),
        "deduct_duration": Group(
            "预计扣费时间",
            {
                "count": Number("数量", required=True, minimum=1, maximum=3),
                "unit": Text("单位", 16, required=True, one_of=("DAY",)),
            },
        ),
        "estimated_amount": Group(
            "预计扣费金额",
            {"amount": Number("金额", required=True, minimum=1), "currency": Text("币种", 16, one_of=("CNY",))},
            required=True,
        ),
    },
)
