"""Cash campaigns: made, started, paused and ended, and the money they give."""

import asyncio
from datetime import date
from typing import NamedTuple

from hutong.gateways.account import Account, Caller
from hutong.gateways.cash_campaigns.cash_campaign import (
    CAMPAIGNS,
    PRIZES,
    CashCampaign,
    CashDraft,
    CashPrize,
    CashState,
    bounds,
    check_frequency,
    number_key,
    number_of,
    person_key,
    share,
)
from hutong.gateways.cash_campaigns.reasons import CashReason
from hutong.gateways.vouchers.reasons import VoucherReason
from hutong.gateways.vouchers.set_aside import SetAside
from hutong.institution.merchants.staff_key import Right
from hutong.institution.node import InstitutionNode
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.text import check_text
from hutong.marketing.campaigns.campaign import (
    NAME_LENGTH_MAX,
    Campaign,
    CampaignDraft,
    CampaignKind,
    CampaignState,
    CampaignTerms,
)
from hutong.marketing.marketing import Marketing
from hutong.runtime.shelf import Shelf, decided

SOURCE = "cash"
MESSAGE_LENGTH_MAX = 64
_TERMS = CampaignTerms(holdout_bps=0)  # Who gets something, the merchant says.


class Given(NamedTuple):
    """What a person got, and whether that was so before."""

    prize: CashPrize
    repeated: bool


class CashService:
    """What takes a `Caller` or an account answers to the merchant whose campaign it is (invariant 8)."""

    def __init__(self, institution: InstitutionNode, marketing: Marketing) -> None:
        self._node = node = institution.node
        self._journal = node.journal
        self._people = institution.people
        self._merchants = institution.merchants
        self._sponsors = marketing.sponsors
        self._campaigns = marketing.campaigns
        self._calendar = marketing.calendar
        self._awards = marketing.awards
        self.all = Shelf(CAMPAIGNS, node.journal, node.store, by=("number_key",))
        self.prizes = Shelf(PRIZES, node.journal, node.store, by=("person_key",), timed=True)
        self.money = SetAside(node, marketing.sponsors, marketing.campaigns, self.all)
        institution.on_tick.append(self.money.tick)

    async def start(self) -> None:
        """Load them; what was on its way when the node stopped goes on."""
        await self.all.load_all()
        await self.prizes.start()
        self.money.resume()

    async def make(self, caller: Caller, draft: CashDraft) -> CashCampaign:
        """
        Write a campaign down. Nothing moves before it is started; asked for twice, there are two.

        Refuses:  ROLE_MAY_NOT, SHOP_NOT_YOURS; the text refusals; CASH_TERMS_UNSOUND; the merchant's own refusals.
        """
        _check_manages(caller)
        check_text("coupon_name", draft.name, length_max=NAME_LENGTH_MAX)
        check_text("prize_msg", draft.message, length_max=MESSAGE_LENGTH_MAX)
        draft.check(self._node.clock.now_ns())

        def make() -> CashCampaign:
            merchant = self._merchants.merchant(caller.payee.row.merchant_id)
            merchant.check_open()
            id_ = self._node.mint.mint()
            sponsor = self._sponsors.of_merchant(merchant.id, merchant.name)
            self._campaigns.draft(
                CampaignDraft(
                    id=id_,
                    name=draft.name,
                    kind=CampaignKind.CASH,
                    sponsors=[(sponsor.id, 1)],
                    budget=draft.total,
                    terms=_TERMS,
                    starts_ns=draft.from_ns,
                    ends_ns=draft.until_ns,
                    merchant_id=merchant.id,
                )
            )
            number = number_of(id_)
            made = CashCampaign(
                id=id_,
                account_id=caller.account.row.id,
                merchant_id=merchant.id,
                number=number,
                number_key=number_key(number),
                message=draft.message,
                is_random=draft.is_random,
                count=draft.count,
                frequency=draft.frequency,
                starting=False,
                attempt=0,
                started_ns=0,
                taken_home=0,
                last_home=0,
                created_ns=self._node.clock.now_ns(),
            )
            self.all.put(made)
            return made

        return await decided(self._journal, make)

    async def begin(self, caller: Caller, number: str) -> CashCampaign:
        """
        Set aside what it gives, and let it give; let what was paused go on.

        Moves:    merchant -> its budget -> the campaign; posted.
        Refuses:  ROLE_MAY_NOT, SHOP_NOT_YOURS; CASH_CAMPAIGN_UNKNOWN; CASH_CAMPAIGN_STATE_FORBIDS once it has ended;
                  VOUCHER_BUDGET_INSUFFICIENT.
        Repeats:  the campaign as it is.
        """
        _check_manages(caller)
        answered: asyncio.Future[None] = self._journal.promise()

        def begin() -> None:
            cash = self.found(caller.payee, number)
            if self.state(cash) in {CashState.CLOSED, CashState.SETTLED}:
                raise Refusal(CashReason.CASH_CAMPAIGN_STATE_FORBIDS)
            if not cash.started_ns:
                self.money.begin(cash, answered)
                return
            if self.state(cash) is CashState.PAUSED:
                self._campaigns.begin(cash.id)
            answered.set_result(None)

        try:
            await decided(self._journal, begin)
        except Refusal:
            answered.cancel()
            raise
        try:
            await answered
        except Refusal as refusal:
            if refusal.reason is VoucherReason.VOUCHER_STOCK_ENDED:  # While its money was on its way.
                raise Refusal(CashReason.CASH_CAMPAIGN_STATE_FORBIDS) from None
            raise
        return self.found(caller.payee, number)

    async def pause(self, caller: Caller, number: str) -> CashCampaign:
        """Give nothing for now. Refuses as `begin`; what has not begun is not paused. Repeats: the campaign."""
        return await self._moved(caller, number, CampaignState.PAUSED)

    async def end(self, caller: Caller, number: str) -> CashCampaign:
        """
        For good.

        Moves:    what it did not give: campaign -> budget -> merchant; posted.
        Refuses:  as `pause`; CAMPAIGN_STATE_FORBIDS while its money is on its way.
        Repeats:  the campaign.
        """
        return await self._moved(caller, number, CampaignState.ENDED)

    async def _moved(self, caller: Caller, number: str, state: CampaignState) -> CashCampaign:
        _check_manages(caller)

        def move() -> CashCampaign:
            cash = self.found(caller.payee, number)
            now, wants_end = self.state(cash), state is CampaignState.ENDED
            if now in {CashState.CLOSED, CashState.SETTLED} and wants_end:
                return cash
            if now in {CashState.CLOSED, CashState.SETTLED} or (now is CashState.CREATED and not wants_end):
                raise Refusal(CashReason.CASH_CAMPAIGN_STATE_FORBIDS)
            _ = self._campaigns.end(cash.id) if wants_end else self._campaigns.pause(cash.id)
            return cash

        cash = await decided(self._journal, move)
        self.money.tick()
        return cash

    async def give(self, caller: Caller, number: str, user_id: int | None, request: str, amount: int = 0) -> Given:
        """
        Money for a person, to the balance, at once. `amount`: so much, where it is by chance; 0: what chance says.

        Moves:    campaign -> awarded -> wallet; posted.
        Refuses:  ROLE_MAY_NOT, SHOP_NOT_YOURS; CASH_PERSON_UNKNOWN; CASH_CAMPAIGN_UNKNOWN; CASH_PRIZE_DIFFERS; USER_CLOSED,
                  USER_FROZEN; CASH_CAMPAIGN_NOT_OPEN; CASH_PERSON_HAD_ENOUGH; CASH_EXHAUSTED; CASH_TERMS_UNSOUND for an
                  amount that it does not give.
        Repeats:  the same, where the merchant gave a number.
        """
        _check_manages(caller)
        if user_id is None:
            raise Refusal(CashReason.CASH_PERSON_UNKNOWN)

        def give() -> Given:
            cash = self.found(caller.payee, number)
            id_ = derive(cash.id, f"cash prize/{request}") if request else self._node.mint.mint()
            known = self.prizes.get(id_)
            if known is not None:
                if known.person_id != user_id:
                    raise Refusal(CashReason.CASH_PRIZE_DIFFERS, number=request)
                return Given(known, repeated=True)
            self._people.user(user_id).may_receive()
            return Given(self._given(caller, cash, user_id, id_, request, amount), repeated=False)

        return await decided(self._journal, give)

    def _given(
        self, caller: Caller, cash: CashCampaign, user_id: int, id_: int, request: str, wanted: int
    ) -> CashPrize:
        now_ns, campaign = self._node.clock.now_ns(), self.campaign(cash)
        if not cash.started_ns or not campaign.is_running(now_ns):
            raise Refusal(CashReason.CASH_CAMPAIGN_NOT_OPEN, state=self.state(cash).value)
        key = person_key(cash.id, user_id)
        days = [self._day(each.at_ns) for each in self.prizes.find("person_key", key)]
        check_frequency(cash.frequency, days, self._day(now_ns))
        times, given = self.given(cash)
        if times >= cash.count:
            raise Refusal(CashReason.CASH_EXHAUSTED)
        amount = wanted or share(cash, campaign.budget, given, times, self._node.randomness)
        _check_wanted(cash, campaign.budget, given, times, amount)
        facts: dict[str, object] = {"number": request}
        self._awards.hold(id_, cash.id, user_id, amount, SOURCE, facts)
        self._awards.pay(id_)
        prize = CashPrize(
            id=id_,
            campaign_id=cash.id,
            account_id=caller.account.row.id,
            person_id=user_id,
            person_key=key,
            number=request,
            place=times + 1,
            amount=amount,
            at_ns=now_ns,
        )
        self.prizes.put(prize)
        return prize

    def _day(self, ns: int) -> date:
        return date.fromordinal(self._calendar.day(ns))

    # What others ask.

    def found(self, account: Account, number: str) -> CashCampaign:
        """One of this account's merchant. Refuses CASH_CAMPAIGN_UNKNOWN."""
        for cash in self.all.find("number_key", number_key(number)):
            if account.row.merchant_id == cash.merchant_id:
                return cash
        raise Refusal(CashReason.CASH_CAMPAIGN_UNKNOWN)

    def of(self, account: Account) -> list[CashCampaign]:
        """All of this account's merchant, newest first."""
        return [each for each in reversed(self.all.everything()) if each.merchant_id == account.row.merchant_id]

    def campaign(self, cash: CashCampaign) -> Campaign:
        return self._campaigns.campaign(cash.id)

    def given(self, cash: CashCampaign) -> tuple[int, int]:
        """How often it gave, and how much in all."""
        spent = self._campaigns.spent[cash.id]
        return spent.times, spent.total

    def state(self, cash: CashCampaign) -> CashState:
        """How it stands now."""
        campaign = self.campaign(cash)
        if campaign.state == CampaignState.ENDED:
            home = campaign.funded == self.given(cash)[1] + cash.taken_home
            return CashState.SETTLED if home else CashState.CLOSED
        if self._node.clock.now_ns() >= campaign.ends_ns:
            return CashState.CLOSED
        if campaign.state in {CampaignState.DRAFT, CampaignState.FUNDING}:
            return CashState.CREATED
        return CashState.PAUSED if campaign.state == CampaignState.PAUSED else CashState.READY


def _check_wanted(cash: CashCampaign, total: int, given: int, times: int, amount: int) -> None:
    """Refuses CASH_TERMS_UNSOUND: another amount than each, or one that leaves too much or too little for the others."""
    low, high = bounds(cash, total, given, times)
    if not low <= amount <= high:
        raise Refusal(CashReason.CASH_TERMS_UNSOUND, field="order_price")


def _check_manages(caller: Caller) -> None:
    """Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS: it is the merchant's money."""
    caller.key.check_right(Right.MANAGE)
    caller.key.check_whole_merchant()
