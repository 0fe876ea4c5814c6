"""
What a window comes to: the flows between any two nodes, and so what each is owed net, or owes.

A flow is counted from the decisions; what the ledger posted for them is counted apart, and must be the same.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from hutong.kernel.money import currency_of
from hutong.runtime.tables import BigInt, Boolean, Text
from hutong.switch import chart

Postings = Mapping[tuple[int, int], int]  # By debit and credit account: what was posted.
Net = tuple[str, str]  # A node (or the switch's own id, for the scheme) and a currency.


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """All payments, or all returns, of a window between a debtor and a creditor agent, under one version of the fees."""

    window: Text
    is_return: Boolean
    debtor_agent: Text
    creditor_agent: Text
    currency: Text
    fee_version: Text  # Empty for returns: they give back what was taken under any.
    count: BigInt
    amount_minor: BigInt
    settlement_minor: BigInt
    switch_fee_minor: BigInt


class Obligation(msgspec.Struct, frozen=True, kw_only=True):
    """What one node (or, under the switch's own id, the scheme) is owed for a window, less what it owes."""

    window: Text
    node_id: Text
    currency: Text
    credit_minor: BigInt
    debit_minor: BigInt

    @property
    def net_minor(self) -> int:
        """Above zero it is owed, below zero it owes."""
        return self.credit_minor - self.debit_minor


def obligations(window: str, flows: Iterable[Flow], scheme: str) -> list[Obligation]:
    """Multilateral, by node and currency; with the scheme's they add up to nothing."""
    credit: Counter[Net] = Counter()
    debit: Counter[Net] = Counter()
    for flow in flows:
        up, down = (credit, debit) if flow.is_return else (debit, credit)
        up[flow.debtor_agent, flow.currency] += flow.settlement_minor + flow.switch_fee_minor
        down[flow.creditor_agent, flow.currency] += flow.settlement_minor
        down[scheme, flow.currency] += flow.switch_fee_minor
    found = [
        Obligation(window=window, node_id=node, currency=currency, credit_minor=into, debit_minor=out)
        for node, currency in sorted(credit.keys() | debit.keys())
        if (into := credit[node, currency]) | (out := debit[node, currency])
    ]
    assert not sum(each.net_minor for each in found)
    return found


def expected_postings(flows: Iterable[Flow]) -> Postings:
    """What the ledger must have posted for these flows."""
    posted: Counter[tuple[int, int]] = Counter()
    for flow in flows:
        currency = currency_of(flow.currency)
        debtor = chart.position_account(flow.debtor_agent, currency)
        creditor = chart.position_account(flow.creditor_agent, currency)
        for account, minor in (
            (creditor, flow.settlement_minor),
            (chart.income_account(currency), flow.switch_fee_minor),
        ):
            posted[(account, debtor) if flow.is_return else (debtor, account)] += minor
    return {pair: minor for pair, minor in posted.items() if minor}
