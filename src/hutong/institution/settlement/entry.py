"""An entry of our settlement account, as the switch told it."""

import msgspec

from hutong.institution.chart import Chart
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import derive
from hutong.ledger.settlement_recipes import mirror_charge, mirror_funding, mirror_settlement
from hutong.ledger.transfer import Transfer
from hutong.runtime.tables import BigInt, Boolean, Text, Uuid
from hutong.scheme.messages import AccountStatement, EntryKind, hex_id

CODE_SETTLEMENT = 60  # Why the transfers of entries exist: see `payments.payment.Why` for the others.


class SettlementEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The newest row of a currency is how the account stands."""

    currency: Text
    id: Uuid
    number: BigInt
    kind: Text
    window: Text
    settles_on: Text
    amount_minor: BigInt
    is_credit: Boolean
    credit_minor: BigInt
    debit_minor: BigInt
    loss_minor: BigInt
    missing_minor: BigInt
    opening_minor: BigInt
    closing_minor: BigInt
    booked_ns: BigInt
    noted_ns: BigInt

    def transfers(self, chart: Chart) -> list[Transfer]:
        """What it moves in our books; the same each time."""
        base_id = derive(self.id, f"{chart.node_id}/settlement")
        common = {"ledger": chart.currency.ledger, "code": CODE_SETTLEMENT}
        if self.kind == EntryKind.WINDOW.value:
            return mirror_settlement(
                base_id,
                self.id,
                settlement=chart.settlement,
                clearing=chart.clearing,
                losses=chart.settlement_loss,
                owed=chart.owed_to_network,
                received=self.amount_minor if self.is_credit else 0,
                paid=0 if self.is_credit else self.amount_minor,
                loss=self.loss_minor,
                missing=self.missing_minor,
                **common,
            )
        if self.kind == EntryKind.CHARGE.value:
            return mirror_charge(
                base_id, settlement=chart.settlement, expense=chart.scheme_charges, amount=self.amount_minor, **common
            )
        return mirror_funding(
            base_id,
            settlement=chart.settlement,
            own_funds=chart.own_funds,
            amount=self.amount_minor,
            is_top_up=self.is_credit,
            **common,
        )


def noted(message: AccountStatement, now_ns: int) -> SettlementEntry:
    """The row of an entry."""
    return SettlementEntry(
        currency=message.currency,
        id=hex_id(message.statement_id),
        number=message.number,
        kind=message.kind.value,
        window=message.window,
        settles_on=message.settles_on,
        amount_minor=message.amount,
        is_credit=message.is_credit,
        credit_minor=message.credits,
        debit_minor=message.debits,
        loss_minor=message.loss,
        missing_minor=message.missing,
        opening_minor=message.opening,
        closing_minor=message.closing,
        booked_ns=message.booked_at_ms * NS_PER_MS,
        noted_ns=now_ns,
    )
