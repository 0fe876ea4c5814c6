"""
Notices: what merchants and users are told, by themselves asking or by us calling them.

It promises: (1) an event is written in the decision that made it true, and nobody hears of it before it is durable; (2) who
reads the feed with the last cursor misses nothing and sees nothing twice, however long they were away; (3) a webhook
endpoint gets every event it asked for at least once, in order, under the same `webhook-id`; (4) after a restart delivery
goes on where it was; (5) no payment waits for a webhook; (6) nobody can make us call an address of our own network.

Words: an *event* is something that happened to its *owner*, a merchant or a user; its *cursor* is its place in the node's
journal; an *endpoint* is a URL a merchant wants events sent to; a *delivery* is one attempt to do so. Signatures, headers
and retries follow Standard Webhooks (https://www.standardwebhooks.com).
"""
