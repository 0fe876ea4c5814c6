"""Payments that no person makes: what a merchant withdraws, what a red packet brings elsewhere. No person's limits count them."""

import msgspec

from hutong.institution.payments.admission_service import PAYMENT_LIFE_NS
from hutong.institution.payments.matrix import Shares
from hutong.institution.payments.payment import Payment
from hutong.institution.payments.quotes import Terms
from hutong.kernel.money import share_bps


class Spender(msgspec.Struct, frozen=True):
    """Whose payment it is, what is debited, and the name that the creditor may see."""

    id: int
    account: int
    name: str


def network_shares(terms: Terms, amount: int) -> Shares:
    """The matrix of an amount paid across at these terms, without a discount and a merchant's fee. It may be unsound."""
    interchange = share_bps(amount, terms.interchange_bps) if terms.interchange_bps else 0
    switch_fee = share_bps(amount, terms.switch_fee_bps) if terms.switch_fee_bps else 0
    return Shares(amount, 0, 0, 0, interchange, switch_fee)


def own_payment(
    id_: int,
    spender: Spender,
    terms: Terms,
    shares: Shares,
    *,
    funding: str,
    policy_version: str,
    now_ns: int,
    quote_id: int = 0,
    remark: str = "",
) -> Payment:
    """The intent, as an institution tells it to the network."""
    return Payment(
        id=id_,
        user_id=spender.id,
        account=spender.account,
        debtor_name=spender.name,
        creditor_agent=terms.creditor_agent,
        request_id=terms.request_id,
        payee_account=0,
        merchant_id=0,
        payee_user_id=0,
        shop_id=0,
        payee_name=terms.payee_name,
        shop_name="",
        mcc=terms.mcc,
        channel=terms.channel.code,
        is_static=terms.is_static,
        currency=terms.currency,
        gross=shares.gross,
        payer_discount=0,
        payee_discount=0,
        fee=0,
        interchange=shares.interchange,
        switch_fee=shares.switch_fee,
        budget_account=0,
        sponsor_account=0,
        adjuster="",
        sponsor="",
        funding=funding,
        fee_version=terms.fee_version,
        policy_version=policy_version,
        quote_id=quote_id,
        mandate_id=0,
        remark=remark,
        counter=0,
        counted=False,
        spent_year=0,
        spent_static=0,
        spent_unverified=0,
        spent_verified=0,
        created_ns=now_ns,
        expires_ns=now_ns + PAYMENT_LIFE_NS,
    )
