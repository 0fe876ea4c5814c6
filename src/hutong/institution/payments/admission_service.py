"""Whether a payer may pay this, here, now, that much; and the intent as it is written down."""

from hutong.institution.chart import Chart
from hutong.institution.payments.cashier import Cashier, Discount, Occasion
from hutong.institution.payments.matrix import Shares
from hutong.institution.payments.payment import (
    HELD_MONEY,
    PAYMENTS,
    ROWS_MAX,
    Order,
    Payment,
    check_amount,
    claimant,
    payer_text,
)
from hutong.institution.payments.ports import Payable, Payee, Payer
from hutong.institution.payments.quotes import Quote, Terms, fee_of, payee_occasion
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.usage_service import Usage, UsageService
from hutong.institution.policy.policy import Limits, Policies, Policy
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.money import share_bps
from hutong.ledger.engine import LedgerEngine
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.messages import Channel

_Given = tuple[str, Discount, Occasion]  # Who gives it, what, and for what.
PAYMENT_LIFE_NS = 60 * NS_PER_S  # After that the switch rejects what is not accepted.


class AdmissionService:
    """The rules between an order and its payment."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        chart: Chart,
        policies: Policies,
        requests: Payable,
        top_ups: Payable,
        cashier: Cashier,
    ) -> None:
        self._node = node
        self._chart = chart
        self._policies = policies
        self._requests = requests
        self._top_ups = top_ups
        self._cashier = cashier
        self.usages = UsageService(node, ledger, policies)
        self.payments = Shelf(PAYMENTS, node.journal, node.store, timed=True, rows_max=ROWS_MAX)

    def admit(
        self,
        payer: Payer,
        terms: Terms,
        order: Order,
        amount: int,
        *,
        quote: Quote | None = None,
        consented: bool = False,
    ) -> Payment:
        """
        Write down the intent of a payment whose payer, terms and amount are known; a PIN token has been checked.

        `consented`: the payer agreed beforehand, by a mandate, so no PIN is asked.
        Refuses:  before anything is written; after that nothing here can say no.
        """
        now_ns = self._node.clock.now_ns()
        check_amount(amount)
        self._check_terms(terms, amount, now_ns)
        payer.may_pay(now_ns)
        source = self._cashier.source(order.funding)
        account = source.account(payer, amount)
        usage = self.usages.of(payer.id, payer.wallet_account)
        policy, day, year = self._policies.today(now_ns)
        if now_ns < usage.counted_ns:  # The clock was put back: a day that has begun for this payer goes on.
            day, year = self._policies.day_of(usage.counted_ns)
        verified = consented or bool(order.pin_token)
        limits = policy.limits(terms.channel, payer.tier, verified=verified)
        if not verified and amount > limits.pin_free:
            raise Refusal(PaymentReason.PIN_NEEDED, pin_free=limits.pin_free, creditor=terms.creditor)
        payee = sponsored = None
        if terms.creditor_agent == self._node.node_id:
            payee = self._payee_on_us(payer, terms, amount, now_ns)
            if terms.payee_discount:
                sponsored = self._sponsored(payee, terms, amount, now_ns, policy)
        offered = self._offered(payer, terms, payee, quote, order, amount, now_ns)
        shares = self._shares(terms, amount, offered[1] if offered is not None else None, payee, policy)
        usage.turn(day, year)
        usage.check(limits, shares.paid)
        if payee is not None and not payee.is_static:
            claiming = claimant(self._node.node_id, order.payment_id)
            self._payable(terms).claim(terms.request_id, claiming, now_ns, payer_text("", f"{payer.id:032x}"))
        # From here on nothing refuses and nothing is cold.
        usage.take(limits, shares.paid)
        usage.counted_ns = max(now_ns, usage.counted_ns)
        payment = self._intent(
            payer, account, terms, order, shares, payee, limits, usage, policy, offered=offered, sponsored=sponsored
        )
        if offered is not None:
            name, discount, occasion = offered
            self._cashier.adjuster(name).reserve(payment.id, occasion, discount)
        if sponsored is not None:
            name, discount, occasion = sponsored
            claiming = claimant(self._node.node_id, payment.id)
            self._cashier.sponsor(name).reserve(claiming, occasion, discount, payment.id)
        source.reserve(payer, payment.id, shares.paid)
        usage.position = self.payments.put(payment)
        if account != payer.wallet_account:
            self.usages.note(payment)
        return payment

    def _payable(self, terms: Terms) -> Payable:
        return self._top_ups if terms.channel is Channel.TOP_UP else self._requests

    def _check_terms(self, terms: Terms, amount: int, now_ns: int) -> None:
        if terms.amount and amount != terms.amount:
            raise Refusal(PaymentReason.AMOUNT_DIFFERS, field="amount", asked=terms.amount)
        if terms.discounted and amount != terms.discounted:
            raise Refusal(PaymentReason.QUOTED_FOR_ANOTHER_AMOUNT, field="amount", quoted=terms.discounted)
        if terms.currency != self._chart.currency.alpha:
            raise Refusal(PaymentReason.CURRENCY_DIFFERS, field="currency", currency=self._chart.currency.alpha)
        if terms.expires_ns and terms.expires_ns <= now_ns:
            raise Refusal(PaymentReason.REQUEST_EXPIRED)

    def _payee_on_us(self, payer: Payer, terms: Terms, amount: int, now_ns: int) -> Payee:
        """The payee as it is now, not as it was when the quote was made."""
        payee = self._payable(terms).payee(terms.request_id, now_ns)
        if payee.amount and payee.amount != amount:
            raise Refusal(PaymentReason.AMOUNT_DIFFERS, field="amount", asked=payee.amount)
        if payee.user_id == payer.id:
            raise Refusal(PaymentReason.PAYING_ONESELF)
        return payee

    def _offered(
        self,
        payer: Payer,
        terms: Terms,
        payee: Payee | None,
        quote: Quote | None,
        order: Order,
        amount: int,
        now_ns: int,
    ) -> _Given | None:
        """
        The discount as it was shown; refuses DISCOUNT_GONE rather than charge more than the payer agreed to.

        Who shows a payment code is shown nothing beforehand, and gets whatever is best.
        """
        if quote is None:
            if terms.channel is not Channel.PAYMENT_CODE or order.funding.startswith(HELD_MONEY):
                return None
        elif not quote.adjuster:
            return None
        elif quote.shown is not None and self._is_as_shown(quote.shown, terms, payee, amount, now_ns):
            return quote.shown
        chosen = quote.chosen if quote is not None else None
        occasion = terms.occasion(self._node.node_id, amount, now_ns, payer_id=payer.id, chosen=chosen, payee=payee)
        if quote is None:
            return self._cashier.payer_offer(occasion, terms.payee_discount)
        offer = self._cashier.offer_of(quote.adjuster, occasion, terms.payee_discount)
        if offer is None or offer[0].amount != quote.discount:
            raise Refusal(PaymentReason.DISCOUNT_GONE, discount=quote.discount, side="payer")
        return quote.adjuster, *offer

    def _is_as_shown(self, shown: _Given, terms: Terms, payee: Payee | None, amount: int, now_ns: int) -> bool:
        """Whether nothing that an offer follows from is another now: then it need not be asked for again."""
        name, discount, occasion = shown
        return (
            discount.grant is not None
            and occasion.amount == amount
            and not terms.payee_discount
            and (payee is None or (payee.merchant_id == occasion.merchant_id and payee.shop_id == occasion.shop_id))
            and self._cashier.adjuster(name).still_gives(discount, occasion, now_ns)
        )

    def _sponsored(self, payee: Payee, terms: Terms, amount: int, now_ns: int, policy: Policy) -> _Given:
        node_id = self._node.node_id
        occasion = payee_occasion(payee, terms.request_id, node_id, node_id, amount, now_ns)
        offer = self._cashier.payee_offer(occasion, fee_of(policy, payee, amount))
        if offer is None or offer[1].amount != terms.payee_discount:
            raise Refusal(PaymentReason.DISCOUNT_GONE, discount=terms.payee_discount, side="payee")
        return *offer, occasion

    def _shares(
        self, terms: Terms, gross: int, discount: Discount | None, payee: Payee | None, policy: Policy
    ) -> Shares:
        fee, base = 0, gross - terms.payee_discount  # The scheme charges on what crosses.
        if payee is not None and payee.fee_bps:
            fee = fee_of(policy, payee, gross)
        shares = Shares(
            gross,
            discount.amount if discount is not None else 0,
            terms.payee_discount,
            fee,
            share_bps(base, terms.interchange_bps) if terms.interchange_bps and payee is None else 0,
            share_bps(base, terms.switch_fee_bps) if terms.switch_fee_bps and payee is None else 0,
        )
        if not shares.sound:
            raise Refusal(PaymentReason.SHARES_UNSOUND, amount=gross)
        return shares

    def _intent(
        self,
        payer: Payer,
        account: int,
        terms: Terms,
        order: Order,
        shares: Shares,
        payee: Payee | None,
        limits: Limits,
        usage: Usage,
        policy: Policy,
        *,
        offered: _Given | None,
        sponsored: _Given | None,
    ) -> Payment:
        expires_ns = self._node.clock.now_ns() + PAYMENT_LIFE_NS
        grant = offered[1].grant if offered is not None else None
        # By position: Python makes a dictionary of more than fifteen names in a call, and this is made for every payment.
        return Payment(
            order.payment_id,
            payer.id,
            account,
            payer.masked_name,
            terms.request_id,
            payee.account if payee is not None else 0,
            payee.merchant_id if payee is not None else 0,
            payee.user_id if payee is not None else 0,
            payee.shop_id if payee is not None else 0,
            terms.payee_name,
            terms.shop_name,
            shares.gross,
            shares.payer_discount,
            shares.payee_discount,
            shares.fee,
            shares.interchange,
            shares.switch_fee,
            offered[1].budget_account if offered is not None else 0,
            sponsored[1].budget_account if sponsored is not None else 0,
            order.quote_id,
            terms.mandate_id,
            order.remark or terms.remark,
            usage.year_spent,
            usage.today[1],  # Static codes,
            usage.today[2],  # unverified,
            usage.today[3],  # verified.
            usage.counted_ns,  # Its creation.
            min(expires_ns, terms.expires_ns) if terms.expires_ns else expires_ns,
            terms.creditor_agent,
            terms.mcc,
            terms.channel.code,
            terms.is_static,
            terms.currency,
            offered[0] if offered is not None else "",
            sponsored[0] if sponsored is not None else "",
            order.funding,
            terms.fee_version,
            policy.version,
            limits.counter,
            limits.counted,
            grant.campaign_id if grant is not None else None,
            grant.version if grant is not None else None,
            grant.row if grant is not None else None,
            grant.day if grant is not None else None,
            grant.place if grant is not None else None,
        )
