"""
WeChat Pay APIv3: JSON over REST, signed both ways with RSA.

Promise: a client that was written for `api.mch.weixin.qq.com` finds the same paths, signatures, field names, statuses and
error codes here. What has nothing beneath it answers 403 NO_AUTH, the vendor's own word for a product that is not enabled.
"""
