"""
Daily proof of safeguarding (备付金): what we owe customers is covered by what is held for them.

Customers' money is everything on the ledger that is not the institution's own, by double entry; held for them are the
reserve, what the network owes us net, and of the settlement account what is not our own money.
"""

from collections.abc import Mapping

import msgspec

from hutong.institution.chart import Chart
from hutong.runtime.tables import BigInt, Boolean, Table, Text


class SafeguardingProof(msgspec.Struct, frozen=True, kw_only=True):
    """A day's, as the books stood when it was taken. Assets are debits less credits, the others the reverse."""

    day: Text
    currency: Text
    customers_minor: BigInt
    reserve_minor: BigInt
    clearing_minor: BigInt
    settlement_minor: BigInt
    own_funds_minor: BigInt
    holds: Boolean
    taken_ns: BigInt

    @property
    def covered_minor(self) -> int:
        """What there is for customers."""
        return self.reserve_minor + self.clearing_minor + self.settlement_minor - self.own_funds_minor


def safeguarding_proof(chart: Chart, debits: Mapping[int, int], day: str, taken_ns: int) -> SafeguardingProof:
    """From the balances of the institution's own accounts, debits less credits by account id, of one moment."""
    customers = sum(debits.values())  # What all the others are on the other side.
    covered = debits[chart.reserve] + debits[chart.clearing] + debits[chart.settlement] + debits[chart.own_funds]
    return SafeguardingProof(
        day=day,
        currency=chart.currency.alpha,
        customers_minor=customers,
        reserve_minor=debits[chart.reserve],
        clearing_minor=debits[chart.clearing],
        settlement_minor=debits[chart.settlement],
        own_funds_minor=-debits[chart.own_funds],
        holds=customers <= covered,
        taken_ns=taken_ns,
    )


PROOFS = Table("safeguarding_proofs", SafeguardingProof)
