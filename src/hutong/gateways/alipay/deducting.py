"""Agreements by which a merchant takes money without asking each time: `alipay.user.agreement.*`, and paying under one."""

import re
from calendar import monthrange
from datetime import date
from typing import Any
from urllib.parse import urlencode, urlsplit

from hutong.gateways.account import AlipayAccount
from hutong.gateways.agreements.agreement import DAY_MAX_DEFAULT, Agreement, AgreementDraft, AgreementState
from hutong.gateways.agreements.agreement_service import AgreementService
from hutong.gateways.agreements.period import DAYS_MIN, PeriodRule, PeriodUnit
from hutong.gateways.alipay.asked import notify_url, order_draft, return_url
from hutong.gateways.alipay.beijing import beijing_text, local
from hutong.gateways.alipay.call import Call, Endpoint, Page, Reply
from hutong.gateways.alipay.errors import AlipayError
from hutong.gateways.alipay.fields import Fields
from hutong.gateways.alipay.identities import Identities, masked
from hutong.gateways.alipay.pages import page
from hutong.gateways.alipay.postman import Told
from hutong.gateways.alipay.signature import signed_parameters
from hutong.gateways.alipay.trade import yuan
from hutong.gateways.notification import GatewayNotification
from hutong.gateways.order import Dialect, Trade
from hutong.gateways.payer import PayerIds
from hutong.gateways.platform import KeyUse
from hutong.gateways.platform_service import PlatformService
from hutong.kernel.clock import NS_PER_DAY, instant_ns
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import Randomness
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

INVALID = "INVALID_PARAMETER"
PRODUCTS = ("GENERAL_WITHHOLDING", "CYCLE_PAY_AUTH")
_SIGN = "alipay.user.agreement.page.sign"
_SCENE = "DEFAULT|DEFAULT"
_CYCLIC = "CYCLE_PAY_AUTH"
_PRINCIPALS = {
    "alipay_logon_id": "alipay_logon_id",
    "alipay_open_id": "principal_open_id",
    "principal_id": "principal_id",
}
_FIRST_YEAR, _LAST_YEAR = 2000, 2999
_FOR_EVER = "2115-02-01 00:00:00"
_PERIOD = re.compile("([1-9][0-9]{0,2})([dm])")


class Deducting:
    """An agreement's number is the merchant's `external_agreement_no` within its product and scene, and ours besides."""

    def __init__(
        self,
        node: NodeRuntime,
        platform: PlatformService,
        agreements: AgreementService,
        identities: Identities,
        payers: PayerIds,
    ) -> None:
        self._clock = node.clock
        self._platform = platform
        self._journal = node.journal
        self._randomness: Randomness = node.randomness
        self._agreements = agreements
        self._identities = identities
        self._payers = payers

    def endpoints(self) -> list[Endpoint]:
        product = "agreements"
        return [
            Endpoint(method=_SIGN, product=product, handler=self.sign, page=True, invalid=INVALID),
            Endpoint(method="alipay.user.agreement.query", product=product, handler=self.query, invalid=INVALID),
            Endpoint(method="alipay.user.agreement.unsign", product=product, handler=self.unsign, invalid=INVALID),
        ]

    async def sign(self, call: Call) -> Page:
        """Lead a person to where they can agree: in a wallet here, or by a mandate of another."""
        fields = call.fields
        number = fields.text("external_agreement_no", 32)
        rule, (valid, until_ns) = _rule(fields), _valid(fields, call.now_ns)
        facts = {
            "personal_product_code": fields.text("personal_product_code", 64, required=True),
            "sign_scene": fields.text("sign_scene", 64) or _SCENE,
            "external_agreement_no": number,
            "external_logon_id": fields.text("external_logon_id", 100),
            "app_id": call.account.row.number,
            "auth_app_id": call.payee.row.number,
            "codec": call.codec,
            "sign_type": call.sign_type,
            "return_url": return_url(call),
        }
        draft = AgreementDraft(
            number=number or self._randomness.randbytes(16).hex(),
            dialect=Dialect.ALIPAY.value,
            plan=_plan(fields),
            shown=" ".join(filter(None, (facts["external_logon_id"], rule.shown if rule else "", valid))),
            day_max=DAY_MAX_DEFAULT if rule is None else rule.single_max,
            rule=rule,
            until_ns=until_ns,
            notify_url=notify_url(call),
            facts=facts,
            content=f"{facts['external_logon_id']}{valid}".encode(),
        )
        agreement = await self._agreements.offer(call.caller, draft)
        where = self._agreements.page_url(agreement)
        return Page(page("page.html", title="签约 Agreement", text="", again=where, seconds=0, onward=where))

    async def query(self, call: Call) -> Reply:
        """How an agreement stands; one that is not in force does not exist."""
        agreement = await self._found(call)
        ids = await warmed(self._journal, lambda: self._ids(agreement, call.payee))
        # A query knows the person as the agreement's principal, and a notification as Alipay's user.
        named = {_PRINCIPALS[name]: text for name, text in ids.items() if name in _PRINCIPALS}
        told = _told(agreement) | named | {"pricipal_type": "CARD", "status": "NORMAL"}  # So spelled by the vendor.
        return Reply(told | await self._due(call, agreement))

    async def _due(self, call: Call, agreement: Agreement) -> dict[str, str]:
        """When something was taken last, and when it is due next, where that was agreed to."""
        rule = agreement.rule
        if rule is None:
            return {}
        taken = await self._agreements.taken(call.caller, agreement)
        told = {
            "next_deduct_time": rule.next_due(local(call.now_ns).date(), taken).isoformat(),
            "single_quota": yuan(rule.single_max),
        }
        return told | ({"last_deduct_time": f"{local(taken[-1].created_ns):%Y-%m-%d}"} if taken else {})

    async def unsign(self, call: Call) -> Reply:
        """End it."""
        await self._agreements.terminate(call.caller, await self._found(call))
        return Reply({})

    async def pay(self, call: Call) -> Trade:
        """
        Take money under an agreement.

        Refuses:  ACQ.AGREEMENT_NOT_EXIST; as `order_draft`, and as `AgreementService.deduct`.
        """
        contract_no = call.fields.object("agreement_params").text("agreement_no", 64, required=True)
        draft = order_draft(call, "BAR_CODE", PRODUCTS)
        try:
            agreement = await self._agreements.find(call.caller, contract_no=contract_no)
        except Refusal:
            raise AlipayError("ACQ.AGREEMENT_NOT_EXIST", said="用户协议不存在") from None
        return await self._agreements.deduct(call.caller, agreement, draft)

    def way_back(self, agreement: Agreement) -> str:
        """The merchant's `return_url`, with what it can verify; empty without one. May raise `Cold`."""
        facts = agreement.told
        url: str = facts.get("return_url", "")
        if not url:
            return ""
        more = {
            "method": f"{_SIGN}.return",
            "status": "NORMAL",
            "timestamp": beijing_text(self._clock.now_ns()),
        }
        values = {name: str(value) for name, value in (self._values(agreement) | more).items() if value}
        codec = facts["codec"]
        signed = signed_parameters(self._platform.current(KeyUse.ALIPAY), values, facts["sign_type"], codec)
        return url + ("&" if urlsplit(url).query else "?") + urlencode(signed, encoding=codec)

    # What is told.

    def signed(self, notification: GatewayNotification) -> Told:
        """Somebody agreed. May raise `Cold`."""
        return self._change(notification, "dut_user_sign", {"status": "NORMAL"})

    def ended(self, notification: GatewayNotification) -> Told:
        """It was ended, by whoever. May raise `Cold`."""
        agreement = self._agreements.offered(notification.subject_id)
        ended = {"status": "UNSIGN", "unsign_time": beijing_text(agreement.ended_ns)}
        return self._change(notification, "dut_user_unsign", ended)

    def _change(self, notification: GatewayNotification, notify_type: str, more: dict[str, str]) -> Told:
        agreement = self._agreements.offered(notification.subject_id)
        facts, values = agreement.told, self._values(agreement) | {"notify_type": notify_type} | more
        return Told({name: value for name, value in values.items() if value}, facts["sign_type"], facts["codec"])

    def _values(self, agreement: Agreement) -> dict[str, str]:
        """What is told of an agreement, whichever way. May raise `Cold`."""
        facts, account = agreement.told, self._agreements.payee_of(agreement)
        assert isinstance(account, AlipayAccount)
        return {
            "charset": facts["codec"],
            "version": "1.0",
            "app_id": facts["app_id"],
            "auth_app_id": facts["auth_app_id"],
            **_told(agreement),
            **self._ids(agreement, account),
        }

    async def _found(self, call: Call) -> Agreement:
        """The one in force: by our number, by the merchant's, or by who signed it. Refuses USER_AGREEMENT_NOT_EXIST."""
        fields = call.fields
        try:
            if contract_no := fields.text("agreement_no", 64):
                agreement = await self._agreements.find(call.caller, contract_no=contract_no)
            elif number := fields.text("external_agreement_no", 32):
                agreement = await self._agreements.find(call.caller, plan=_plan(fields), number=number)
            else:
                agreement = await self._agreements.of_person(call.caller, _plan(fields), await self._payer(call))
        except Refusal:
            raise _none() from None
        if agreement.state_at(call.now_ns) is not AgreementState.SIGNED:
            raise _none()
        return agreement

    async def _payer(self, call: Call) -> int:
        """Whoever is named. Refuses USER_AGREEMENT_NOT_EXIST for nobody of this institution."""
        for name, kind in (
            ("alipay_user_id", "ALIPAY_USER_ID"),
            ("alipay_open_id", "ALIPAY_OPEN_ID"),
            ("alipay_logon_id", "ALIPAY_LOGON_ID"),
        ):
            if identity := call.fields.text(name, 100):
                found = await warmed(
                    self._journal,
                    lambda kind=kind, identity=identity: self._identities.find(call.payee, kind, identity),  # type: ignore[misc]
                )
                if found is None or not found.user_id:
                    raise _none()
                return found.user_id
        raise call.fields.invalid("agreement_no", "不能为空")

    def _ids(self, agreement: Agreement, account: AlipayAccount) -> dict[str, str]:
        """Who agreed, by the names that the application knows. May raise `Cold`."""
        if not agreement.payer:
            return {}
        number = self._identities.number(agreement.payer)
        return {
            "alipay_user_id": number,
            "alipay_open_id": self._payers.openid(account.row.number, agreement.payer),
            "alipay_logon_id": masked(number),
            "principal_id": number,
        }


def _rule(fields: Fields) -> PeriodRule | None:
    """How often something may be taken. Refuses INVALID_PARAMETER; cyclic agreements must say it."""
    told = fields.object("period_rule_params", required=fields.text("personal_product_code", 64).startswith(_CYCLIC))
    if not told.values:
        return None
    unit = PeriodUnit(told.choice("period_type", tuple(PeriodUnit), required=True))
    count = _count(told, "period", 366, required=True)
    if unit is PeriodUnit.DAY and count < DAYS_MIN:
        raise told.invalid("period", f"不能小于{DAYS_MIN}天")
    try:
        first = date.fromisoformat(told.text("execute_time", 10, required=True))
    except ValueError:
        raise told.invalid("execute_time", "格式不正确") from None
    if not _FIRST_YEAR <= first.year <= _LAST_YEAR:
        raise told.invalid("execute_time", "超出取值范围")
    return PeriodRule(
        unit=unit,
        count=count,
        first=first,
        single_max=told.amount("single_amount"),
        total_max=told.amount("total_amount", required=False),
        times_max=_count(told, "total_payments", 1_000_000),
    )


def _valid(fields: Fields, now_ns: int) -> tuple[str, int]:
    """Until when it is good, as the person reads it and as an instant: nothing and 0 for ever. Refuses INVALID_PARAMETER."""
    text = fields.text("sign_validity_period", 8)
    if not text:
        return "", 0
    told = _PERIOD.fullmatch(text)
    if told is None:
        raise fields.invalid("sign_validity_period", "格式不正确")
    count, first = int(told[1]), local(now_ns)
    if told[2] == "d":
        return f"有效期{count}天", now_ns + count * NS_PER_DAY
    year, month = divmod(first.year * 12 + first.month - 1 + count, 12)
    until = first.replace(year=year, month=month + 1, day=min(first.day, monthrange(year, month + 1)[1]))
    return f"有效期{count}个月", instant_ns(until)


def _count(fields: Fields, name: str, most: int, *, required: bool = False) -> int:
    text = fields.text(name, 8, required=required)
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= most:
        raise fields.invalid(name, "格式不正确")
    return int(text)


def _plan(fields: Fields) -> str:
    return f"{fields.text('personal_product_code', 64)}|{fields.text('sign_scene', 64) or _SCENE}"


def _told(agreement: Agreement) -> dict[str, Any]:
    facts = agreement.told
    signed = beijing_text(agreement.signed_ns) if agreement.signed_ns else ""
    told = {
        "agreement_no": agreement.contract_no,
        "external_agreement_no": facts["external_agreement_no"],
        "external_logon_id": facts["external_logon_id"],
        "personal_product_code": facts["personal_product_code"],
        "sign_scene": facts["sign_scene"],
        "sign_time": signed,
        "valid_time": signed,
        "invalid_time": beijing_text(agreement.until_ns) if agreement.until_ns else _FOR_EVER,
    }
    return {name: value for name, value in told.items() if value}


def _none() -> AlipayError:
    return AlipayError("USER_AGREEMENT_NOT_EXIST", said="用户协议不存在")
