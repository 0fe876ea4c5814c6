"""What a shop on wechatpy (PyPI) is told a year later: in a network of its own, since others' sessions would be over."""

from story import do, number, pay, tell
from wechatpy_shop import callbacks, native, refused, seen, shop

paid = number()
pay(native(paid)["code_url"])
callbacks.next()
do("clock", forward_s=366 * 86_400)
refused("TRADE_OVERDUE", shop.refund.apply, 1_250, 100, number("R"), out_trade_no=paid)
tell(done=True, seen=sorted(seen))
