"""The small things of v2: the sandbox's key, links made short, reports that nobody reads."""

from hutong.gateways.payer import PayerIds, payer_here
from hutong.gateways.wechat.v2 import shape
from hutong.gateways.wechat.v2.document import Fields
from hutong.gateways.wechat.v2.endpoint import Call, Endpoint, Proof
from hutong.gateways.wechat.v2.signature import sandbox_key
from hutong.institution.people.service import PeopleService
from hutong.runtime.journal import Journal
from hutong.runtime.shelf import decided

_PRODUCT = "工具"
_WORDLESS = frozenset({"err_code_des"})  # They say which error it is, and no more.


def endpoints(payers: PayerIds, people: PeopleService, journal: Journal) -> tuple[Endpoint, ...]:
    """All of them."""

    async def authcodetoopenid(call: Call) -> Fields:
        """
        Who shows a payment code, who may still pay with it.

        A person of ours alone is known: who shows another institution's is known when they have paid.
        """
        reader = call.account.row.door
        holder = await decided(journal, lambda: people.look_at_payment_code(call.text("auth_code"), reader))
        payer = payer_here(holder.user_id)
        told = {"openid": payers.openid(call.text("appid"), payer)}
        if call.text("sub_appid"):
            told["sub_openid"] = payers.openid(call.text("sub_appid"), payer)
        return told

    keys = ("/sandboxnew/pay/getsignkey", "/xdc/apiv2getsignkey/sign/getsignkey")
    return (
        *(
            Endpoint(
                path=path,
                product="沙箱",
                handler=getsignkey,
                proof=Proof.NONE,
                unsaid=frozenset({"appid", "nonce_str", "result_code"}),
            )
            for path in keys
        ),
        Endpoint(
            path="/tools/authcodetoopenid",
            product=_PRODUCT,
            parameters=shape.AUTHCODETOOPENID,
            handler=authcodetoopenid,
            unsaid=_WORDLESS,
        ),
        Endpoint(
            path="/tools/shorturl", product=_PRODUCT, parameters=shape.SHORTURL, handler=shorturl, unsaid=_WORDLESS
        ),
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
