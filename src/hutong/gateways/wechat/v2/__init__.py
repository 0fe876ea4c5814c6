"""
WeChat Pay's second version: flat XML, signed with a key that both sides know.

It promises what the third version's dialect promises, on the same orders: an order placed here is found, closed,
refunded and told of there, and the other way round. Every answer is HTTP 200; what went wrong stands in two layers of
the document, `return_code` for what could not be read or proved and `result_code` for what was refused.
"""
