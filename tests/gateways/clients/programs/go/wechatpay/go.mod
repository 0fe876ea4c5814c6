module shop

go 1.19

require github.com/wechatpay-apiv3/wechatpay-go v0.0.0

replace github.com/wechatpay-apiv3/wechatpay-go => ./sdk
