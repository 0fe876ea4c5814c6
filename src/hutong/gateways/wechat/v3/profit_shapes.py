"""What profit sharing's requests must look like. Limits and labels are the vendor's documentation's."""

from hutong.gateways.wechat.v3.shape import Field, Flag, Group, Many, Number, Text

_TYPES = ("MERCHANT_ID", "PERSONAL_OPENID", "PERSONAL_SUB_OPENID")
_RELATIONS = ("SERVICE_PROVIDER", "STORE", "STAFF", "STORE_OWNER", "PARTNER", "HEADQUARTER", "BRAND", "DISTRIBUTOR")
SUB_MCHID = Text("子商户号", 32)
TRANSACTION_ID = Text("微信订单号", 32, required=True)
OUT_ORDER_NO = Text("商户分账单号", 64, required=True, pattern=r"[0-9A-Za-z_\-|*@]+")
_OUT_ORDER_NO = Text("商户分账单号", 64)
_DESCRIPTION = Text("分账描述", 80, required=True)
_WHO: dict[str, Field] = {
    "type": Text("分账接收方类型", 32, required=True, one_of=_TYPES),
    "account": Text("分账接收方账号", 64, required=True),
}
_NAME = Text("分账个人接收方姓名", 1024)
_APPS: dict[str, Field] = {"appid": Text("应用ID", 32, required=True), "sub_appid": Text("子商户应用ID", 32)}

SPLIT = Group(
    "请求",
    {
        "sub_mchid": SUB_MCHID,
        "appid": Text("应用ID", 32),
        "sub_appid": Text("子商户应用ID", 32),
        "transaction_id": TRANSACTION_ID,
        "out_order_no": OUT_ORDER_NO,
        "receivers": Many(
            "分账接收方列表",
            Group(
                "分账接收方",
                _WHO
                | {"name": _NAME, "amount": Number("分账金额", required=True, minimum=1), "description": _DESCRIPTION},
            ),
            50,
        ),
        "unfreeze_unsplit": Flag("是否解冻剩余未分资金", required=True),
    },
)
SPLIT_QUERY = Group("请求", {"sub_mchid": SUB_MCHID, "transaction_id": TRANSACTION_ID})
UNFREEZE = Group(
    "请求",
    {
        "sub_mchid": SUB_MCHID,
        "transaction_id": TRANSACTION_ID,
        "out_order_no": OUT_ORDER_NO,
        "description": _DESCRIPTION,
    },
)
RECEIVER = Group(
    "请求",
    {"sub_mchid": SUB_MCHID}
    | _APPS
    | _WHO
    | {
        "name": _NAME,
        "relation_type": Text(
            "与分账方的关系类型", 32, required=True, one_of=(*_RELATIONS, "USER", "SUPPLIER", "CUSTOM")
        ),
        "custom_relation": Text("自定义的分账关系", 10),
    },
)
RECEIVER_GONE = Group("请求", {"sub_mchid": SUB_MCHID} | _APPS | _WHO)
GIVEN_BACK = Group(
    "请求",
    {
        "sub_mchid": SUB_MCHID,
        "order_id": Text("微信分账单号", 64),
        "out_order_no": _OUT_ORDER_NO,
        "out_return_no": Text("商户回退单号", 64, required=True, pattern=r"[0-9A-Za-z_\-|*@]+"),
        "return_mchid": Text("回退商户号", 32, required=True),
        "amount": Number("回退金额", required=True, minimum=1),
        "description": Text("回退描述", 80, required=True),
    },
)
GIVEN_BACK_QUERY = Group("请求", {"sub_mchid": SUB_MCHID, "out_order_no": Text("商户分账单号", 64, required=True)})
