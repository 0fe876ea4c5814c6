"""What transfers to people must look like. Limits and labels are the vendor's documentation's."""

from hutong.gateways.wechat.v3.shape import Flag, Group, Many, Number, Text

_NUMBER = r"[0-9A-Za-z]+"
_APPID = Text("商户AppID", 32, required=True)
_OPENID = Text("收款用户OpenID", 64, required=True)
_AMOUNT = Number("转账金额", required=True, minimum=1)
_REMARK = Text("转账备注", 32, required=True)
_SCENE = Text("转账场景ID", 36, required=True)

BILL = Group(
    "请求",
    {
        "appid": _APPID,
        "out_bill_no": Text("商户单号", 32, required=True, pattern=_NUMBER),
        "transfer_scene_id": _SCENE,
        "openid": _OPENID,
        "user_name": Text("收款用户姓名", 1024),
        "transfer_amount": _AMOUNT,
        "transfer_remark": _REMARK,
        "notify_url": Text("通知地址", 256),
        "user_recv_perception": Text("用户收款感知", 64),
        "transfer_scene_report_infos": Many(
            "转账场景报备信息",
            Group(
                "报备信息",
                {
                    "info_type": Text("信息类型", 15, required=True),
                    "info_content": Text("信息内容", 32, required=True),
                },
            ),
            10,
            required=True,
        ),
        "user_recv_style": Group(
            "用户收款样式", {"type": Text("收款样式", 32, required=True, one_of=("CONFIRM_PAGE", "RED_PACKET"))}
        ),
    },
)
BATCH = Group(
    "请求",
    {
        "appid": _APPID,
        "out_batch_no": Text("商家批次单号", 32, required=True, length_min=5, pattern=_NUMBER),
        "batch_name": Text("批次名称", 32, required=True),
        "batch_remark": Text("批次备注", 32, required=True),
        "total_amount": Number("转账总金额", required=True, minimum=1),
        "total_num": Number("转账总笔数", required=True, minimum=1),
        "transfer_detail_list": Many(
            "转账明细列表",
            Group(
                "转账明细",
                {
                    "out_detail_no": Text("商家明细单号", 32, required=True, length_min=5, pattern=_NUMBER),
                    "transfer_amount": _AMOUNT,
                    "transfer_remark": _REMARK,
                    "openid": _OPENID,
                    "user_name": Text("收款用户姓名", 1024),
                    "user_id_card": Text("收款用户身份证", 1024),
                },
            ),
            1000,
            required=True,
        ),
        "transfer_scene_id": Text("转账场景ID", 36),
        "notify_url": Text("通知地址", 256),
    },
)
BATCH_QUERY = Group(
    "请求",
    {
        "need_query_detail": Flag("是否查询转账明细单", required=True),
        "offset": Number("请求资源起始位置"),
        "limit": Number("最大资源条数", minimum=20, maximum=100),
        "detail_status": Text("明细状态", 32, one_of=("ALL", "WAIT_PAY", "SUCCESS", "FAIL")),
    },
)
