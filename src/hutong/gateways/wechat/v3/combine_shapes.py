"""What combined orders must look like. Limits and labels are the vendor's documentation's."""

from hutong.gateways.wechat.v3.order_shapes import (
    AMOUNT_MAX,
    LIMIT_PAY,
    NOTIFY_URL,
    OUT_TRADE_NO,
    SCENE,
    SCENE_WITH_H5,
    SETTLE_INFO,
)
from hutong.gateways.wechat.v3.shape import Field, Group, Many, Number, Text

_NUMBER = Text("合单商户订单号", 32, required=True, pattern=r"[0-9A-Za-z_\-|*]+")
_APPID = Text("合单商户appid", 32, required=True)
_WHO: dict[str, Field] = {
    "mchid": Text("子单商户号", 32, required=True),
    "out_trade_no": OUT_TRADE_NO,
    "sub_mchid": Text("二级商户号", 32),
    "sub_appid": Text("子商户应用ID", 32),
}
_PART = Group(
    "子单",
    _WHO
    | {
        "attach": Text("附加数据", 128, required=True),
        "amount": Group(
            "订单金额",
            {
                "total_amount": Number("标价金额", required=True, minimum=1, maximum=AMOUNT_MAX),
                "currency": Text("标价币种", 8, required=True, one_of=("CNY",)),
            },
            required=True,
        ),
        "goods_tag": Text("订单优惠标记", 32),
        "description": Text("商品描述", 127, required=True),
        "settle_info": SETTLE_INFO,
    },
)
_PAYER: dict[str, Field] = {"openid": Text("用户标识", 128), "sub_openid": Text("用户子标识", 128)}
_ORDER: dict[str, Field] = {
    "combine_appid": _APPID,
    "combine_mchid": Text("合单发起方商户号", 32, required=True),
    "combine_out_trade_no": _NUMBER,
    "scene_info": Group("场景信息", SCENE),
    "sub_orders": Many("子单信息", _PART, 50, required=True),
    "combine_payer_info": Group("支付者", _PAYER),
    "time_start": Text("交易起始时间", 64),
    "time_expire": Text("交易结束时间", 64),
    "notify_url": NOTIFY_URL,
    "limit_pay": LIMIT_PAY,
}
CLOSE = Group("请求", {"combine_appid": _APPID, "sub_orders": Many("子单信息", Group("子单", _WHO), 50, required=True)})


def combine_shape(kind: str) -> Group:
    """The body of a combined order of this kind."""
    fields = dict(_ORDER)
    if kind in {"jsapi", "miniprogram"}:
        fields["combine_payer_info"] = Group("支付者", _PAYER, required=True)
    if kind == "h5":
        fields["scene_info"] = Group("场景信息", SCENE_WITH_H5, required=True)
    return Group("请求", fields)
