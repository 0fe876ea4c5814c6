"""The names by which merchants' software calls the gateways, and below which names they lie."""

WECHATPAY_HOSTS = (
    "api.mch.weixin.qq.com",
    "api2.mch.weixin.qq.com",
    "api.wechatpay.cn",
    "api2.wechatpay.cn",
    "payapp.weixin.qq.com",
    "fraud.mch.weixin.qq.com",
    "wx.tenpay.com",
)
ALIPAY_HOSTS = (
    "openapi.alipay.com",
    "openapi-sandbox.dl.alipaydev.com",
    "openapi.alipaydev.com",
    "mapi.alipay.com",
    "openauth.alipay.com",
    "openauth-sandbox.dl.alipaydev.com",
    "openauth.alipaydev.com",
    "qr.alipay.com",
    "dwbillcenter.alipay.com",
)
DOMAINS = ("weixin.qq.com", "wechatpay.cn", "tenpay.com", "alipay.com", "alipaydev.com")
