"""What requests about complaints must look like. Limits and labels are the vendor's documentation's."""

from hutong.gateways.wechat.v3.shape import Field, Flag, Group, Many, Number, Text

_MCHID: dict[str, Field] = {"complainted_mchid": Text("被诉商户号", 64, required=True)}
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_PICTURES = Many("图片列表", Text("媒体文件标识", 512), 4)
_PROGRAMME = Group(
    "跳转小程序信息",
    {
        "appid": Text("小程序AppID", 64, required=True),
        "path": Text("小程序路径", 512, required=True),
        "text": Text("小程序页面名称", 10, required=True),
    },
)

LIST = Group(
    "请求",
    {
        "limit": Text("分页大小", 3, pattern="[0-9]+"),
        "offset": Text("分页开始位置", 9, pattern="[0-9]+"),
        "begin_date": Text("开始日期", 10, required=True, pattern=_DATE),
        "end_date": Text("结束日期", 10, required=True, pattern=_DATE),
        "complainted_mchid": Text("被诉商户号", 64),
    },
)
OLDER_LIST = Group(
    "请求",
    {name: LIST.fields[name] for name in ("limit", "offset", "begin_date", "end_date")}
    | {"sub_mchid": Text("特约商户号", 64)},
)
FEEDBACK = Group(
    "请求",
    {
        "transaction_id": Text("微信支付订单号", 64, required=True),
        "complainted_mchid": Text("被诉商户号", 64, required=True),
        "feedback_type": Number("反馈类型", maximum=10),
        "feedback_content": Text("反馈内容", 200, required=True),
        "feedback_images": _PICTURES,
        "launch_confirm_process": Flag("是否发起确认流程"),
    },
)
HISTORY = Group("请求", {"limit": LIST.fields["limit"], "offset": LIST.fields["offset"]})
RESPONSE = Group(
    "请求",
    _MCHID
    | {
        "response_content": Text("回复内容", 200, required=True),
        "response_images": _PICTURES,
        "jump_url": Text("跳转链接", 512),
        "jump_url_text": Text("跳转链接文案", 10),
        "mini_program_jump_info": _PROGRAMME,
    },
)
COMPLETE = Group("请求", _MCHID)
REFUND_PROGRESS = Group(
    "请求",
    {
        "action": Text("审批动作", 32, required=True, one_of=("REJECT", "APPROVE")),
        "launch_refund_day": Number("预计发起退款时间", maximum=365),
        "reject_reason": Text("拒绝退款原因", 200),
        "reject_media_list": _PICTURES,
        "remark": Text("备注", 200),
    },
)
_BLOCK = Group(
    "消息块",
    {
        "type": Text("消息块类型", 32, required=True, one_of=("TEXT", "IMAGE")),
        "text": Group("文本", {"text": Text("文本内容", 200, required=True)}),
        "image": Group(
            "图片", {"media_id": Text("媒体文件标识", 512, required=True), "image_style_type": Text("图片样式", 32)}
        ),
    },
)
IMMEDIATE = Group(
    "请求",
    _MCHID
    | {
        "message": Group("消息内容", {"blocks": Many("消息块列表", _BLOCK, 10, required=True)}, required=True),
        "idempotent_id": Text("幂等ID", 64, required=True),
    },
)
NOTIFICATION = Group("请求", {"url": Text("通知地址", 255, required=True)})
