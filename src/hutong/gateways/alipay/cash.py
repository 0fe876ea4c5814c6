"""Cash campaigns (现金红包活动): `alipay.marketing.campaign.cash.*`. The merchant's own money, to people's balances at once."""

from typing import Any

from hutong.gateways.alipay.beijing import beijing_ns, beijing_text
from hutong.gateways.alipay.call import Call, Endpoint, Reply
from hutong.gateways.alipay.fields import Fields
from hutong.gateways.alipay.identities import Identities
from hutong.gateways.alipay.trade import yuan
from hutong.gateways.cash_campaigns.cash_campaign import CashCampaign, CashDraft, CashState
from hutong.gateways.cash_campaigns.cash_service import CashService, Given
from hutong.gateways.cash_campaigns.reasons import CashReason
from hutong.kernel.errors import Reason, Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

INVALID = "INVALID_PARAMETER"
_STATUS = {
    CashState.CREATED: "CREATED",
    CashState.READY: "READY",
    CashState.PAUSED: "PAUSE",
    CashState.CLOSED: "CLOSED",
    CashState.SETTLED: "SETTLE",
}
# What is about the person, or that nothing is left: the call went well, and nothing was sent.
_NOT_SENT: dict[Reason, str] = {
    CashReason.CASH_PERSON_HAD_ENOUGH: "用户已达到领取次数上限",
    CashReason.CASH_EXHAUSTED: "红包已领完",
}


class Cash:
    """A campaign is paid for from the merchant's account when its status becomes READY: nobody pays on a page."""

    def __init__(self, node: NodeRuntime, campaigns: CashService, identities: Identities) -> None:
        self._journal = node.journal
        self._campaigns = campaigns
        self._identities = identities

    def endpoints(self) -> list[Endpoint]:
        before = "alipay.marketing.campaign.cash"
        return [
            Endpoint(method=f"{before}.{method}", product="cash campaigns", handler=handler, invalid=INVALID)
            for method, handler in (
                ("create", self.create),
                ("detail.query", self.detail),
                ("list.query", self.listed),
                ("status.modify", self.modify),
                ("trigger", self.trigger),
            )
        ]

    async def create(self, call: Call) -> Reply:
        """Write a campaign down; nothing moves yet."""
        fields = call.fields
        fields.text("merchant_link", 512)
        draft = CashDraft(
            name=" ".join(fields.text("coupon_name", 20, required=True).split()),
            message=" ".join(fields.text("prize_msg", 64, required=True).split()),
            is_random=fields.choice("prize_type", ("fixed", "random"), required=True) == "random",
            count=_whole(fields, "total_num", 7),
            total=fields.amount("total_money"),
            frequency=fields.text("send_freqency", 32) or "L1",
            from_ns=_moment(fields, "start_time"),
            until_ns=_moment(fields, "end_time"),
        )
        made = await self._campaigns.make(call.caller, draft)
        return Reply(_numbers(made) | {"pay_url": call.origin})

    async def detail(self, call: Call) -> Reply:
        """What a campaign gives, and gave."""
        cash = self._asked(call)
        campaign, (times, given) = self._campaigns.campaign(cash), self._campaigns.given(cash)
        return Reply(
            self._named(cash)
            | {
                "prize_msg": cash.message,
                "prize_type": "random" if cash.is_random else "fixed",
                "start_time": beijing_text(campaign.starts_ns),
                "end_time": beijing_text(campaign.ends_ns),
                "total_amount": yuan(campaign.budget),
                "send_amount": yuan(given),
                "total_num": str(cash.count),
                "total_count": str(times),
            }
        )

    async def listed(self, call: Call) -> Reply:
        """The merchant's campaigns, newest first."""
        fields = call.fields
        status = fields.choice("camp_status", ("ALL", *_STATUS.values()))
        page, size = _whole(fields, "page_index", 4), _whole(fields, "page_size", 3)
        found = [self._named(each) for each in self._campaigns.of(call.payee)]
        wanted = [each for each in found if status in ("", "ALL", each["camp_status"])]
        return Reply(
            {
                "page_index": str(page),
                "page_size": str(size),
                "total_size": str(len(wanted)),
                "camp_list": wanted[(page - 1) * size : page * size],
            }
        )

    async def modify(self, call: Call) -> Reply:
        """Start it, which sets its money aside; pause it; end it for good."""
        cash = self._asked(call)
        match call.fields.choice("camp_status", ("READY", "PAUSE", "CLOSED"), required=True):
            case "READY":
                await self._campaigns.begin(call.caller, cash.number)
            case "PAUSE":
                await self._campaigns.pause(call.caller, cash.number)
            case _:
                await self._campaigns.end(call.caller, cash.number)
        return Reply({})

    async def trigger(self, call: Call) -> Reply:
        """Money for a person of this institution; the same number sends it once."""
        cash, fields = self._asked(call), call.fields
        person = await self._person(call)
        request = fields.number("out_biz_no", 96)
        price = _whole(fields, "order_price", 12) if "order_price" in fields else 0
        shown = {
            "coupon_name": self._campaigns.campaign(cash).name,
            "prize_msg": cash.message,
            "merchant_logo": "",
            "out_biz_no": request,
        }
        try:
            given = await self._campaigns.give(call.caller, cash.number, person, request, price)
        except Refusal as refusal:
            said = _NOT_SENT.get(refusal.reason)
            if said is None:
                raise
            had = refusal.reason is CashReason.CASH_PERSON_HAD_ENOUGH
            told = {
                "trigger_result": "false",
                "repeat_trigger_flag": _flag(had),
                "error_msg": said,
            }
            return Reply(told | shown)
        return Reply(_told(given, call) | shown)

    async def _person(self, call: Call) -> int | None:
        """Who is meant; None for nobody here. Refuses INVALID_PARAMETER for nobody at all."""
        for name, kind in (("user_id", "userId"), ("open_id", "openId"), ("login_id", "loginName")):
            text = call.fields.text(name, 150)
            if text:
                found = await warmed(self._journal, lambda: self._identities.find(call.account, kind, text))  # noqa: B023
                return found.user_id or None if found is not None else None
        raise call.fields.invalid("user_id", "不能为空")

    def _asked(self, call: Call) -> CashCampaign:
        return self._campaigns.found(call.payee, call.fields.text("crowd_no", 128, required=True))

    def _named(self, cash: CashCampaign) -> dict[str, Any]:
        name, status = self._campaigns.campaign(cash).name, _STATUS[self._campaigns.state(cash)]
        return _numbers(cash) | {"coupon_name": name, "camp_status": status}


def _told(given: Given, call: Call) -> dict[str, str]:
    return {
        "trigger_result": "true",
        "repeat_trigger_flag": _flag(given.repeated),
        "prize_amount": yuan(given.prize.amount),
        "partner_id": call.payee.facts.seller_id,
        "biz_no": f"{given.prize.id:039d}",
    }


def _flag(value: bool) -> str:  # noqa: FBT001  # It is what is told.
    return "true" if value else "false"


def _numbers(cash: CashCampaign) -> dict[str, str]:
    return {"crowd_no": cash.number, "origin_crowd_no": cash.number}


def _whole(fields: Fields, name: str, digits_max: int) -> int:
    """Refuses INVALID_PARAMETER."""
    text = fields.text(name, digits_max, required=True)
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise fields.invalid(name, "取值不正确")
    return int(text)


def _moment(fields: Fields, name: str) -> int:
    """Refuses INVALID_PARAMETER."""
    at = beijing_ns(fields.text(name, 32, required=True))
    if at is None:
        raise fields.invalid(name, "格式不正确")
    return at
