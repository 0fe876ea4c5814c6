"""What parking's requests must look like. Limits and labels are the vendor's documentation's."""

from hutong.gateways.wechat.v3.order_shapes import AMOUNT, NOTIFY_URL, OUT_TRADE_NO
from hutong.gateways.wechat.v3.shape import Field, Group, Number, Text

_APPID = Text("公众账号ID", 32, required=True)
_SUB: dict[str, Field] = {"sub_mchid": Text("子商户号", 32)}  # Who collects for itself leaves it out.
_COLORS = ("BLUE", "GREEN", "YELLOW", "BLACK", "WHITE", "LIMEGREEN")
_PLATE: dict[str, Field] = {
    "plate_number": Text("车牌号", 32, required=True),
    "plate_color": Text("车牌颜色", 32, required=True, one_of=_COLORS),
}

FIND = Group("请求", _SUB | _PLATE | {"appid": _APPID, "openid": Text("用户标识", 128, required=True)})
ENTER = Group(
    "请求",
    _SUB
    | _PLATE
    | {
        "out_parking_no": Text("商户入场ID", 32, required=True, pattern=r"[0-9A-Za-z_\-|*]+"),
        "notify_url": NOTIFY_URL,
        "start_time": Text("入场时间", 32, required=True),
        "parking_name": Text("停车场名称", 32, required=True),
        "free_duration": Number("免费时长", required=True),
    },
)
TAKE = Group(
    "请求",
    _SUB
    | {
        "appid": _APPID,
        "sub_appid": Text("子商户应用ID", 32),
        "description": Text("服务描述", 128, required=True),
        "attach": Text("附加数据", 128),
        "out_trade_no": OUT_TRADE_NO,
        "trade_scene": Text("交易场景", 32, required=True, one_of=("PARKING",)),
        "goods_tag": Text("订单优惠标记", 32),
        "notify_url": NOTIFY_URL,
        "profit_sharing": Text("分账标识", 16, one_of=("Y", "N")),
        "amount": AMOUNT,
        "parking_info": Group(
            "停车场景信息",
            _PLATE
            | {
                "parking_id": Text("停车入场id", 32, required=True),
                "start_time": Text("入场时间", 32, required=True),
                "end_time": Text("出场时间", 32, required=True),
                "parking_name": Text("停车场名称", 32, required=True),
                "charging_duration": Number("计费时长", required=True),
                "device_id": Text("停车场设备id", 32, required=True),
            },
            required=True,
        ),
    },
)
QUERY = Group("请求", _SUB)
