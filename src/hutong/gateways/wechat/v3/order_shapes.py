"""What orders, payment codes, closings and refunds must look like. Limits and labels are the vendor's documentation's."""

from hutong.gateways.wechat.v3.shape import Field, Flag, Group, Many, Number, Text

OUT_TRADE_NO = Text("商户订单号", 32, required=True, length_min=6, pattern=r"[0-9A-Za-z_\-|*]+")
OUT_REFUND_NO = Text("商户退款单号", 64, required=True, pattern=r"[0-9A-Za-z_\-|*@]+")
NOTIFY_URL = Text("通知地址", 255, required=True)
NOTIFY_URL_OR_NONE = Text("通知地址", 255)
APPID = Text("公众账号ID", 32, required=True)
APPID_OR_NONE = Text("公众账号ID", 32)
MCHID = Text("商户号", 32, required=True)
AMOUNT_MAX = 100_000_000_00  # Far above what anybody may ask for; the institution's own limits say the rest.

_IDENTITY = Group(
    "实名支付人信息",
    {
        "type": Text("证件类型", required=True),
        "number": Text("证件号", required=True),
        "name": Text("真实姓名", required=True),
    },
)
_STORE = Group(
    "商户门店信息",
    {
        "id": Text("门店编号", 32),
        "out_id": Text("商家自定义编码", 256),
        "name": Text("门店名称", 256),
        "area_code": Text("地区编码", 32),
        "address": Text("详细地址", 512),
    },
)
_GOODS = Many(
    "单品列表",
    Group(
        "单品",
        {
            "merchant_goods_id": Text("商户侧商品编码", 32, required=True),
            "wechatpay_goods_id": Text("微信侧商品编码", 32),
            "wxpay_goods_id": Text("微信侧商品编码", 32),
            "goods_name": Text("商品名称", 256),
            "quantity": Number("商品数量", required=True, minimum=1),
            "unit_price": Number("商品单价", required=True),
        },
    ),
    6000,
)
DETAIL = Group(
    "优惠功能",
    {"cost_price": Number("订单原价"), "invoice_id": Text("商品小票ID", 32), "goods_detail": _GOODS},
)
SETTLE_INFO = Group("结算信息", {"profit_sharing": Flag("是否指定分账"), "subsidy_amount": Number("补差金额")})
LIMIT_PAY = Many("指定支付方式", Text("支付方式", one_of=("no_balance", "no_credit", "no_debit", "balance_only")), 10)
AMOUNT = Group(
    "订单金额",
    {
        "total": Number("总金额", required=True, minimum=1, maximum=AMOUNT_MAX),
        "currency": Text("货币类型", 16, one_of=("CNY",)),
    },
    required=True,
)
_H5 = Group(
    "H5场景信息",
    {
        "type": Text("场景类型", 32, required=True),
        "app_name": Text("应用名称", 64),
        "app_url": Text("网站URL", 128),
        "bundle_id": Text("iOS平台BundleID", 128),
        "package_name": Text("Android平台PackageName", 128),
    },
    required=True,
)
SCENE: dict[str, Field] = {
    "payer_client_ip": Text("用户终端IP", 45, required=True),
    "device_id": Text("商户端设备号", 32),
    "store_info": _STORE,
}
SCENE_WITH_H5: dict[str, Field] = SCENE | {"h5_info": _H5}
_ORDER: dict[str, Field] = {
    "description": Text("商品描述", 127, required=True),
    "out_trade_no": OUT_TRADE_NO,
    "time_expire": Text("支付结束时间", 64),
    "attach": Text("商户数据包", 128),
    "notify_url": NOTIFY_URL,
    "goods_tag": Text("订单优惠标记", 32),
    "support_fapiao": Flag("电子发票入口开放标识"),
    "amount": AMOUNT,
    "detail": DETAIL,
    "scene_info": Group("场景信息", SCENE),
    "settle_info": SETTLE_INFO,
    "limit_pay": LIMIT_PAY,
}
DIRECT: dict[str, Field] = {"appid": APPID, "mchid": MCHID}
PARTNER: dict[str, Field] = {
    "sp_appid": Text("服务商应用ID", 32, required=True),
    "sp_mchid": Text("服务商户号", 32, required=True),
    "sub_appid": Text("子商户应用ID", 32),
    "sub_mchid": Text("子商户号", 32, required=True),
}


def _payer(*, partner: bool, required: bool) -> dict[str, Field]:
    ids: dict[str, Field] = (
        {"sp_openid": Text("用户服务标识", 128), "sub_openid": Text("用户子标识", 128)}
        if partner
        else {"openid": Text("用户标识", 128, required=required)}
    )
    return {"payer": Group("支付者", ids | {"identity": _IDENTITY}, required=required)}


def order_shape(kind: str, *, partner: bool) -> Group:
    """The body of an order of this kind: `native`, `jsapi`, `app` or `h5`."""
    fields = (PARTNER if partner else DIRECT) | _ORDER
    fields |= _payer(partner=partner, required=kind == "jsapi")
    if kind == "h5":
        fields["scene_info"] = Group("场景信息", SCENE_WITH_H5, required=True)
    return Group("请求", fields)


def codepay_shape(*, partner: bool) -> Group:
    """The body of a charge of a payment code. A notify_url, which some clients send, is not looked at."""
    parties = dict(PARTNER) | {"sp_appid": Text("服务商应用ID", 32)} if partner else DIRECT
    scene = Group(
        "场景信息",
        {
            "device_id": Text("商户端设备号", 32),
            "device_ip": Text("商户端设备IP", 45),
            "store_info": Group(_STORE.label, _STORE.fields, required=True),
        },
        required=True,
    )
    fields = parties | {name: _ORDER[name] for name in ("description", "out_trade_no", "attach", "goods_tag")}
    fields |= {name: _ORDER[name] for name in ("support_fapiao", "amount", "detail", "settle_info")}
    payer = Group("支付者", {"auth_code": Text("付款码", 32, required=True)}, required=True)
    return Group("请求", fields | {"payer": payer, "scene_info": scene})


def close_shape(*, partner: bool) -> Group:
    """The body of closing an order."""
    parties: dict[str, Field] = (
        {"sp_mchid": PARTNER["sp_mchid"], "sub_mchid": PARTNER["sub_mchid"]} if partner else {"mchid": MCHID}
    )
    return Group("请求", parties)


def reverse_shape(*, partner: bool) -> Group:
    """The body of reversing a charge."""
    parties: dict[str, Field] = (
        {"sp_appid": Text("服务商应用ID", 32), "sp_mchid": PARTNER["sp_mchid"], "sub_mchid": PARTNER["sub_mchid"]}
        if partner
        else dict(DIRECT)
    )
    return Group("请求", parties)


QUERY = Group("请求", {"mchid": MCHID})
PARTNER_QUERY = Group("请求", {"sp_mchid": PARTNER["sp_mchid"], "sub_mchid": PARTNER["sub_mchid"]})

REFUND = Group(
    "请求",
    {
        "sub_mchid": Text("子商户号", 32),
        "transaction_id": Text("微信支付订单号", 32),
        "out_trade_no": Text("商户订单号", 32),
        "out_refund_no": OUT_REFUND_NO,
        "reason": Text("退款原因", 80),
        "notify_url": Text("退款结果回调url", 255),
        "funds_account": Text("退款资金来源", 32),
        "amount": Group(
            "金额信息",
            {
                "refund": Number("退款金额", required=True, minimum=1, maximum=AMOUNT_MAX),
                "total": Number("原订单金额", required=True, minimum=1, maximum=AMOUNT_MAX),
                "currency": Text("退款币种", 16, required=True, one_of=("CNY",)),
                "from": Many(
                    "退款出资账户及金额",
                    Group(
                        "退款出资",
                        {
                            "account": Text("出资账户类型", required=True, one_of=("AVAILABLE", "UNAVAILABLE")),
                            "amount": Number("出资金额", required=True, minimum=1),
                        },
                    ),
                    50,
                ),
            },
            required=True,
        ),
        "goods_detail": Many(
            "退款商品",
            Group(
                "商品",
                {
                    "merchant_goods_id": Text("商户侧商品编码", 32, required=True),
                    "wechatpay_goods_id": Text("微信侧商品编码", 32),
                    "goods_name": Text("商品名称", 256),
                    "unit_price": Number("商品单价", required=True),
                    "refund_amount": Number("商品退款金额", required=True),
                    "refund_quantity": Number("商品退货数量", required=True),
                },
            ),
            6000,
        ),
    },
)
REFUND_QUERY = Group("请求", {"sub_mchid": Text("子商户号", 32)})
ABNORMAL_REFUND = Group(
    "请求",
    {
        "sub_mchid": Text("子商户号", 32),
        "out_refund_no": OUT_REFUND_NO,
        "type": Text("异常退款处理方式", required=True, one_of=("USER_BANK_CARD", "MERCHANT_BANK_CARD")),
        "bank_type": Text("开户银行", 16),
        "bank_account": Text("收款银行卡号", 1024),
        "real_name": Text("收款用户姓名", 1024),
    },
)
