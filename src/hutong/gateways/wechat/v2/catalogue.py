"""What the vendor has in v2 and nothing here is beneath: every such path answers NOAUTH, signed."""

from hutong.gateways.wechat.v2.endpoint import Endpoint

_PATHS = {
    "人脸支付": "/pay/facepay /pay/facepayquery /secapi/pay/facepayreverse",
    "境外支付": "/pay/queryexchagerate /pay/settlementquery",
    "支付中签约": "/pay/contractorder",
    "企业微信": (
        "/mmpaymkttransfers/promotion/paywwsptrans2pocket /mmpaymkttransfers/promotion/querywwsptrans2pocket"
        " /mmpaymkttransfers/sendworkwxredpack /mmpaymkttransfers/queryworkwxredpack"
    ),
    "付款到银行卡": "/mmpaysptrans/pay_bank /mmpaysptrans/query_bank /risk/getpublickey",
    "裂变红包": "/mmpaymkttransfers/sendgroupredpack /mmpaymkttransfers/sendminiprogramhb",
    "车主服务": (
        "/vehicle/pay/notification /vehicle/pay/payapply /vehicle/pay/querystate /vehicle/partnerpay/notification"
        " /vehicle/partnerpay/payapply /vehicle/partnerpay/querystate"
    ),
    "乘车码": (
        "/transit/pay/payapply /transit/pay/querystate /transit/queryorder /transit/partnerpay/payapply"
        " /transit/partnerpay/queryorder /transit/partnerpay/querystate"
    ),
    "商户进件": (
        "/secapi/mch/addInstitutionsub /secapi/mch/modifyInstitutionsub /secapi/mch/queryInstitutionsub"
        " /secapi/mch/addsubdevconfig /secapi/mch/querysubdevconfig /secapi/mch/modifymchinfo"
        " /secapi/mch/channelsetting /secapi/mch/submchmanage /secapi/mkt/addrecommendconf"
    ),
    "海关报关": (
        "/cgi-bin/mch/customs/customdeclareorder /cgi-bin/mch/customs/customdeclarequery"
        " /cgi-bin/mch/newcustoms/customdeclareredeclare"
    ),
}


def not_enabled() -> tuple[Endpoint, ...]:
    """All of them. What is built comes before these under its path."""
    return tuple(Endpoint(path=path, product=product) for product, paths in _PATHS.items() for path in paths.split())
