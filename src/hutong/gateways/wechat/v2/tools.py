"""The small things of v2: the sandbox's key, links made short, reports that nobody reads."""

from hutong.gateways.wechat.v2 import shape
from hutong.gateways.wechat.v2.document import Fields
from hutong.gateways.wechat.v2.endpoint import Call, Endpoint, Proof
from hutong.gateways.wechat.v2.signature import sandbox_key

_PRODUCT = "工具"


def endpoints() -> tuple[Endpoint, ...]:
    """All of them."""
    keys = ("/sandboxnew/pay/getsignkey", "/xdc/apiv2getsignkey/sign/getsignkey")
    return (
        *(Endpoint(path=path, product="沙箱", handler=getsignkey, proof=Proof.NONE) for path in keys),
        Endpoint(path="/tools/shorturl", product=_PRODUCT, parameters=shape.SHORTURL, handler=shorturl),
        Endpoint(path="/payitil/report", product=_PRODUCT, parameters=shape.REPORT, handler=report, proof=Proof.NONE),
    )


async def getsignkey(call: Call) -> Fields:
    """The key that everything below the sandbox's path is signed with."""
    return {"sandbox_signkey": sandbox_key(call.account.secrets.api_v2_key)}


async def shorturl(call: Call) -> Fields:
    """The links of our codes are as short as they get: the same one back leads where it did."""
    return {"short_url": call.text("long_url")}


async def report(_: Call) -> Fields:
    """How long a call took, as the merchant measured it. It is heard, and that's all."""
    return {}
