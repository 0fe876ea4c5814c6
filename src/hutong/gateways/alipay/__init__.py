"""
Alipay OpenAPI's wire, exactly: the classic gateway (`/gateway.do`) and the v3 REST dialect.

Both say the same things: an endpoint is written once, takes the fields of `biz_content` and answers fields; the
dialects differ in how a request is proven, and in how an answer is wrapped and signed. Foreign words
(`out_trade_no`, `buyer_id`) stay in this folder.
"""
