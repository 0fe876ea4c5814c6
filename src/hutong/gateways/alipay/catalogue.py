"""Every method that Alipay has: what is not built here says so in its own words, and what never was is no method."""

import json
from functools import cache
from importlib.resources import files


@cache
def methods() -> frozenset[str]:
    """Their names, as the vendor's own client lists them."""
    grouped = json.loads((files("hutong.gateways.alipay") / "catalogue.json").read_text("ascii"))
    return frozenset(f"{group}.{name}" for group, names in grouped.items() for name in names.split())


def rest_path(method: str) -> str:
    """`alipay.trade.pay` is at `/v3/alipay/trade/pay`."""
    return "/v3/" + method.replace(".", "/")
