"""What pay score's requests must look like. Limits and labels are the vendor's documentation's."""

from hutong.gateways.wechat.v3.order_shapes import APPID
from hutong.gateways.wechat.v3.shape import Field, Flag, Group, Many, Number, Text

OUT_ORDER_NO = Text("商户服务订单号", 32, required=True, pattern=r"[0-9A-Za-z_\-|*]+")
SERVICE_ID = Text("服务ID", 32, required=True)
_TOTAL = Number("总金额", required=True)
_LINE: dict[str, Field] = {
    "name": Text("名称", 20, required=True),
    "amount": Number("金额"),
    "description": Text("说明", 30),
    "count": Number("数量", maximum=100),
}
_PAYMENTS = Many("后付费项目", Group("后付费项目", _LINE), 100)
_PAYMENTS_NEEDED = Many("后付费项目", Group("后付费项目", _LINE), 100, required=True)
_DISCOUNTS = Many("商户优惠", Group("商户优惠", _LINE), 30)
_TIMES: dict[str, Field] = {
    "start_time": Text("服务开始时间", 20),
    "start_time_remark": Text("服务开始时间备注", 20),
    "end_time": Text("服务结束时间", 20),
    "end_time_remark": Text("服务结束时间备注", 20),
}
_PLACES = Group("服务位置", {"start_location": Text("服务开始地点", 50), "end_location": Text("服务结束位置", 50)})
_RISK_NAMES = ("DEPOSIT", "ADVANCE", "CASH_DEPOSIT", "ESTIMATE_ORDER_COST")
_WHICH: dict[str, Field] = {"appid": APPID, "service_id": SERVICE_ID}

CREATE = Group(
    "请求",
    _WHICH
    | {
        "out_order_no": OUT_ORDER_NO,
        "service_introduction": Text("服务信息", 20, required=True),
        "post_payments": _PAYMENTS,
        "post_discounts": _DISCOUNTS,
        "time_range": Group(
            "服务时间段", _TIMES | {"start_time": Text("服务开始时间", 20, required=True)}, required=True
        ),
        "location": _PLACES,
        "risk_fund": Group(
            "服务风险金",
            {
                "name": Text("风险名称", 64, required=True, one_of=_RISK_NAMES),
                "amount": Number("风险金额", required=True, minimum=1),
                "description": Text("风险说明", 30),
            },
            required=True,
        ),
        "attach": Text("商户数据包", 256),
        "notify_url": Text("商户回调地址", 255, required=True),
        "openid": Text("用户标识", 128),
        "need_user_confirm": Flag("是否需要用户确认"),
    },
)
QUERY = Group(
    "请求",
    {
        "out_order_no": Text("商户服务订单号", 32),
        "query_id": Text("回跳查询ID", 64),
        "service_id": SERVICE_ID,
        "appid": APPID,
    },
)
COMPLETE = Group(
    "请求",
    _WHICH
    | {
        "post_payments": _PAYMENTS_NEEDED,
        "post_discounts": _DISCOUNTS,
        "total_amount": _TOTAL,
        "time_range": Group("服务时间段", _TIMES),
        "location": _PLACES,
        "profit_sharing": Flag("是否指定分账"),
        "goods_tag": Text("订单优惠标记", 32),
    },
)
MODIFY = Group(
    "请求",
    _WHICH
    | {
        "post_payments": _PAYMENTS_NEEDED,
        "post_discounts": _DISCOUNTS,
        "total_amount": _TOTAL,
        "reason": Text("修改原因", 50, required=True),
    },
)
CANCEL = Group("请求", _WHICH | {"reason": Text("取消原因", 50, required=True)})
PAY = Group("请求", _WHICH)
SYNC = Group(
    "请求",
    _WHICH
    | {
        "type": Text("场景类型", 32, required=True, one_of=("Order_Paid",)),
        "detail": Group("内容信息详情", {"paid_time": Text("收款成功时间", 14, required=True)}, required=True),
    },
)
