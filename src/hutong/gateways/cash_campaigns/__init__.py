"""
Money that a merchant gives people by a campaign (现金红包活动): set aside whole when it starts, sent to a person's balance at once.

It promises: (1) a merchant's number sends money once, to one person; (2) the campaign gives so many times and so much in all,
to the fen, and to nobody more often than it says; (3) what it did not give is the merchant's again when it has ended.
"""
