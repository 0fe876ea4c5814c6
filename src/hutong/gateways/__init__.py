"""
Gateways: other ways in to the same merchant, for software that speaks WeChat Pay's or Alipay's protocol.

Promise: an integration that works there works here unchanged, every wallet of the network can pay it, and what it does
is what the merchant's own keys may do: the same requests, refunds, limits and ledger.
"""
