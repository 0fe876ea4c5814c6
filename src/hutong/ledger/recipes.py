"""
Every movement the business knows, as transfers: an accountant reads this file and the other `*_recipes`.

A recipe says which accounts move and nothing else: limits are in the accounts' flags, where no race slips past
them. It is a pure function of what was agreed, so that after a crash the same call builds the same batch and the
ledger answers `exists`. Every batch is one linked chain: it happens whole or not at all.

Ids: `base_id` ends in a zero byte (`kernel.ids.derive`), and each leg of a movement has its own number below it,
whether or not the other legs are there. The post of a leg is `POST` above it, its void `VOID` above it.

Amounts, all in minor units: `gross` is what is to be paid; `payer_discount` the part a budget at the debtor agent
sponsors; `payee_discount` the part a sponsor at the creditor's side carries; `fee` what the merchant pays its
acquirer; `interchange` what the acquirer pays the issuer; `switch_fee` what it pays the scheme.
A leg of amount 0 is left out, but never the first: its post or void is the outcome, even where nothing moves.
"""

from collections.abc import Sequence
from enum import IntEnum

from hutong.kernel.ids import PARTS_MAX
from hutong.ledger.transfer import AMOUNT_MAX, Transfer, TransferFlag

POST = 64
VOID = 128

_LINKED = int(TransferFlag.LINKED)
_PENDING = int(TransferFlag.PENDING)
_BALANCING_DEBIT = int(TransferFlag.BALANCING_DEBIT)
_POST_PENDING = int(TransferFlag.POST_PENDING)
_VOID_PENDING = int(TransferFlag.VOID_PENDING)


class Leg(IntEnum):
    """Which part of a movement a transfer is: the last six bits of its id."""

    PRINCIPAL = 0
    PAYER_DISCOUNT = 1
    PAYEE_DISCOUNT = 2
    FEE = 3
    INTERCHANGE = 4
    SWITCH_FEE = 5
    CAP = 6
    LOSS = 7
    MISSING = 8


_PAYER_DISCOUNT = int(Leg.PAYER_DISCOUNT)
_Leg = tuple[Leg, int, int, int]  # Which, debit account, credit account, amount.


def hold(
    base_id: int,
    payment_id: int,
    *,
    payer: int,
    clearing: int,
    budget: int,
    interchange_income: int,
    gross: int,
    payer_discount: int = 0,
    payee_discount: int = 0,
    interchange: int = 0,
    ledger: int,
    code: int,
) -> list[Transfer]:
    """
    At the debtor agent: hold what the payer owes the other side until the switch has decided.

    Moves:    payer -> clearing, what the payer himself pays; budget -> clearing, the payer's discount;
              clearing -> interchange income. All pending, for ever: only the decision ends them.
    Refuses:  EXCEEDS_CREDITS when the payer's balance, or the budget, does not cover it.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    Spec:     docs/scheme/payment.md, "Transfers".
    """
    if not interchange:
        paid, off = gross - payer_discount - payee_discount, (budget, payer_discount)
        return _principal(base_id, payment_id, payer, clearing, paid, ledger, code, _PENDING, *off)
    legs = _debtor_agent_legs(
        payer, clearing, budget, interchange_income, gross, payer_discount, payee_discount, interchange
    )
    return _chain(base_id, payment_id, legs, ledger, code, _PENDING)


def reserve(
    base_id: int,
    payment_id: int,
    *,
    debtor_position: int,
    creditor_position: int,
    scheme_income: int,
    gross: int,
    payee_discount: int = 0,
    interchange: int = 0,
    switch_fee: int = 0,
    ledger: int,
    code: int,
) -> list[Transfer]:
    """
    At the switch: reserve the debtor agent's headroom for the creditor agent. Its post or void decides the payment.

    Moves:    debtor position -> creditor position; debtor position -> scheme income. All pending.
    Refuses:  EXCEEDS_CREDITS at the net debit cap: the cap was credited to the position when it was granted,
              and a position may not be overdrawn.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    Spec:     docs/scheme/payment.md, "Transfers".
    """
    if not switch_fee:
        net = gross - payee_discount - interchange
        return _principal(base_id, payment_id, debtor_position, creditor_position, net, ledger, code, _PENDING)
    legs = _switch_legs(
        debtor_position, creditor_position, scheme_income, gross, payee_discount, interchange, switch_fee
    )
    return _chain(base_id, payment_id, legs, ledger, code, _PENDING)


def accept(
    base_id: int,
    payment_id: int,
    *,
    clearing: int,
    payee: int,
    fee_income: int,
    acquiring_expense: int,
    sponsor: int,
    gross: int,
    payee_discount: int = 0,
    fee: int = 0,
    interchange: int = 0,
    switch_fee: int = 0,
    ledger: int,
    code: int,
) -> list[Transfer]:
    """
    At the creditor agent: stand ready to credit the payee, once the switch says so.

    Moves:    clearing -> payee, net of the fee; clearing -> fee income, what is left of the fee (where interchange
              and switch fee exceed it: acquiring expense -> clearing, the difference); sponsor -> payee, the
              payee's discount. All pending.
    Refuses:  EXCEEDS_CREDITS when the sponsor's budget does not cover the discount.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    Spec:     docs/scheme/payment.md, "Transfers".
    """
    if not (payee_discount or fee or interchange or switch_fee):
        return _principal(base_id, payment_id, clearing, payee, gross, ledger, code, _PENDING)
    legs = _creditor_agent_legs(
        clearing, payee, fee_income, acquiring_expense, sponsor, gross, payee_discount, fee, interchange, switch_fee
    )
    return _chain(base_id, payment_id, legs, ledger, code, _PENDING)


def post(pendings: Sequence[Transfer]) -> list[Transfer]:
    """
    Make pending transfers final, in full and all together.

    Refuses:  PENDING_TRANSFER_ALREADY_VOIDED when the other decision came first.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    """
    return _resolve(pendings, POST, _POST_PENDING, AMOUNT_MAX)


def void(pendings: Sequence[Transfer]) -> list[Transfer]:
    """
    Release pending transfers, all together: nothing moved.

    Refuses:  PENDING_TRANSFER_ALREADY_POSTED when the other decision came first.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    """
    return _resolve(pendings, VOID, _VOID_PENDING, 0)


def pay_on_us(
    base_id: int,
    payment_id: int,
    *,
    payer: int,
    payee: int,
    fee_income: int,
    budget: int,
    sponsor: int,
    gross: int,
    payer_discount: int = 0,
    payee_discount: int = 0,
    fee: int = 0,
    ledger: int,
    code: int,
) -> list[Transfer]:
    """
    Payer and payee at one node: no switch, and the commit of this chain is the decision.

    Moves:    payer -> payee, what the payer himself pays; budget -> payee and sponsor -> payee, the discounts;
              payee -> fee income. All posted.
    Refuses:  EXCEEDS_CREDITS when the payer's balance, or a budget, does not cover it.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    """
    if not (payee_discount or fee):
        paid, off = gross - payer_discount, (budget, payer_discount)
        return _principal(base_id, payment_id, payer, payee, paid, ledger, code, 0, *off)
    legs = _on_us_legs(payer, payee, fee_income, budget, sponsor, gross, payer_discount, payee_discount, fee)
    return _chain(base_id, payment_id, legs, ledger, code, 0)


def hold_refund(
    base_id: int,
    refund_id: int,
    *,
    clearing: int,
    payee: int,
    fee_income: int,
    acquiring_expense: int,
    sponsor: int,
    gross: int,
    payee_discount: int = 0,
    fee: int = 0,
    interchange: int = 0,
    switch_fee: int = 0,
    ledger: int,
    code: int,
) -> list[Transfer]:
    """
    At the creditor agent: hold what goes back, the mirror of `accept`. The amounts are this refund's shares.

    Moves:    payee -> clearing; fee income -> clearing (or clearing -> acquiring expense); payee -> sponsor. All pending.
    Refuses:  EXCEEDS_CREDITS when the payee's balance does not cover it.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    Spec:     docs/scheme/return.md.
    """
    legs = _creditor_agent_legs(
        clearing, payee, fee_income, acquiring_expense, sponsor, gross, payee_discount, fee, interchange, switch_fee
    )
    return _chain(base_id, refund_id, _mirrored(legs), ledger, code, _PENDING)


def reserve_refund(
    base_id: int,
    refund_id: int,
    *,
    debtor_position: int,
    creditor_position: int,
    scheme_income: int,
    gross: int,
    payee_discount: int = 0,
    interchange: int = 0,
    switch_fee: int = 0,
    ledger: int,
    code: int,
) -> list[Transfer]:
    """
    At the switch: the mirror of `reserve`; debtor and creditor are those of the payment, whose money goes back.

    Moves:    creditor position -> debtor position; scheme income -> debtor position. All pending.
    Refuses:  EXCEEDS_CREDITS at the creditor agent's net debit cap.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    Spec:     docs/scheme/return.md.
    """
    legs = _switch_legs(
        debtor_position, creditor_position, scheme_income, gross, payee_discount, interchange, switch_fee
    )
    return _chain(base_id, refund_id, _mirrored(legs), ledger, code, _PENDING)


def accept_refund(
    base_id: int,
    refund_id: int,
    *,
    payer: int,
    clearing: int,
    budget: int,
    interchange_income: int,
    gross: int,
    payer_discount: int = 0,
    payee_discount: int = 0,
    interchange: int = 0,
    ledger: int,
    code: int,
) -> list[Transfer]:
    """
    At the debtor agent: stand ready to give the payer his money back, the mirror of `hold`.

    Moves:    clearing -> payer; clearing -> budget; interchange income -> clearing. All pending.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    Spec:     docs/scheme/return.md.
    """
    legs = _debtor_agent_legs(
        payer, clearing, budget, interchange_income, gross, payer_discount, payee_discount, interchange
    )
    return _chain(base_id, refund_id, _mirrored(legs), ledger, code, _PENDING)


def refund_on_us(
    base_id: int,
    refund_id: int,
    *,
    payer: int,
    payee: int,
    fee_income: int,
    budget: int,
    sponsor: int,
    gross: int,
    payer_discount: int = 0,
    payee_discount: int = 0,
    fee: int = 0,
    ledger: int,
    code: int,
) -> list[Transfer]:
    """
    The mirror of `pay_on_us`; the amounts are this refund's shares.

    Moves:    fee income -> payee first, so that the payee can give it back; then payee -> payer, payee -> budget
              and payee -> sponsor. All posted.
    Refuses:  EXCEEDS_CREDITS when the payee's balance does not cover it.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    """
    legs = _mirrored(_on_us_legs(payer, payee, fee_income, budget, sponsor, gross, payer_discount, payee_discount, fee))
    legs.sort(key=lambda leg: leg[0] is not Leg.FEE)
    return _chain(base_id, refund_id, legs, ledger, code, 0)


def top_up(transfer_id: int, *, reserve: int, account: int, amount: int, ledger: int, code: int) -> Transfer:
    """
    Money came in from outside the network: it is in the bank reserve, and the account holder's.

    Moves:    reserve -> account; posted.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, reserve, account, amount, ledger, code)


def withdraw(transfer_id: int, *, reserve: int, account: int, amount: int, ledger: int, code: int) -> Transfer:
    """
    Money leaves the network: the mirror of `top_up`.

    Moves:    account -> reserve; posted.
    Refuses:  EXCEEDS_CREDITS when the balance does not cover it.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, account, reserve, amount, ledger, code)


def block(transfer_id: int, *, payee: int, disputed: int, amount: int, ledger: int, code: int) -> Transfer:
    """
    A payment is disputed: set aside at most `amount` of what its payee has left, so that it can't be spent meanwhile.

    Moves:    payee -> disputed, one account per case, up to the payee's balance; posted. It may be nothing: the
              stored transfer says how much it was.
    Repeats:  EXISTS.
    Spec:     docs/scheme/recall.md, "The block".
    """
    return Transfer(transfer_id, payee, disputed, amount, ledger, code, _BALANCING_DEBIT)


def release(transfer_id: int, *, payee: int, disputed: int, ledger: int, code: int) -> Transfer:
    """
    A dispute has ended: whatever of the blocked money did not go back to the payer is the payee's again.

    Moves:    disputed -> payee, all that is there; posted.
    Repeats:  EXISTS.
    Spec:     docs/scheme/recall.md, "The block".
    """
    return Transfer(transfer_id, disputed, payee, AMOUNT_MAX, ledger, code, _BALANCING_DEBIT)


def grant_cap(transfer_id: int, *, caps: int, position: int, amount: int, ledger: int, code: int) -> Transfer:
    """
    Raise a participant's net debit cap: it is credited to the position, which may not be overdrawn.

    Moves:    caps granted -> position; posted.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, caps, position, amount, ledger, code)


def lower_cap(transfer_id: int, *, caps: int, position: int, amount: int, ledger: int, code: int) -> Transfer:
    """
    Take back at most `amount` of a cap, and no more than is unused: the stored transfer says how much it was.

    Moves:    position -> caps granted, up to the position's balance; posted.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, position, caps, amount, ledger, code, _BALANCING_DEBIT)


def _debtor_agent_legs(
    payer: int,
    clearing: int,
    budget: int,
    interchange_income: int,
    gross: int,
    payer_discount: int,
    payee_discount: int,
    interchange: int,
) -> list[_Leg]:
    return [
        (Leg.PRINCIPAL, payer, clearing, gross - payer_discount - payee_discount),
        (Leg.PAYER_DISCOUNT, budget, clearing, payer_discount),
        (Leg.INTERCHANGE, clearing, interchange_income, interchange),
    ]


def _switch_legs(
    debtor_position: int,
    creditor_position: int,
    scheme_income: int,
    gross: int,
    payee_discount: int,
    interchange: int,
    switch_fee: int,
) -> list[_Leg]:
    crossing = gross - payee_discount - interchange - switch_fee
    return [
        (Leg.PRINCIPAL, debtor_position, creditor_position, crossing),
        (Leg.SWITCH_FEE, debtor_position, scheme_income, switch_fee),
    ]


def _creditor_agent_legs(
    clearing: int,
    payee: int,
    fee_income: int,
    acquiring_expense: int,
    sponsor: int,
    gross: int,
    payee_discount: int,
    fee: int,
    interchange: int,
    switch_fee: int,
) -> list[_Leg]:
    income = fee - interchange - switch_fee
    return [
        (Leg.PRINCIPAL, clearing, payee, gross - payee_discount - fee),
        (Leg.FEE, clearing, fee_income, income) if income >= 0 else (Leg.FEE, acquiring_expense, clearing, -income),
        (Leg.PAYEE_DISCOUNT, sponsor, payee, payee_discount),
    ]


def _on_us_legs(
    payer: int,
    payee: int,
    fee_income: int,
    budget: int,
    sponsor: int,
    gross: int,
    payer_discount: int,
    payee_discount: int,
    fee: int,
) -> list[_Leg]:
    return [
        (Leg.PRINCIPAL, payer, payee, gross - payer_discount - payee_discount),
        (Leg.PAYER_DISCOUNT, budget, payee, payer_discount),
        (Leg.PAYEE_DISCOUNT, sponsor, payee, payee_discount),
        (Leg.FEE, payee, fee_income, fee),
    ]


def _mirrored(legs: list[_Leg]) -> list[_Leg]:
    return [(leg, credit, debit, amount) for leg, debit, credit, amount in legs]


def _chain(base_id: int, about: int, legs: list[_Leg], ledger: int, code: int, flags: int) -> list[Transfer]:
    assert not base_id % PARTS_MAX
    transfers: list[Transfer] = []
    link = 0  # The last transfer of a chain is not linked, and so this one, the first made.
    for leg, debit, credit, amount in reversed(legs):
        assert amount >= 0, "discounts and fees must not exceed what they are taken from"
        if amount or leg is Leg.PRINCIPAL:
            transfers.append(Transfer(base_id | leg, debit, credit, amount, ledger, code, flags | link, 0, about))
            link = _LINKED
    transfers.reverse()
    return transfers


def _principal(
    base_id: int, about: int, debit: int, credit: int, amount: int, ledger: int, code: int, flags: int, *off: int
) -> list[Transfer]:
    """What `_chain` makes of a principal alone, or with `off` it, a budget and how much: as most movements are."""
    assert base_id % PARTS_MAX == 0 <= amount  # Both as in `_chain`.
    if not off or not off[1]:
        return [Transfer(base_id, debit, credit, amount, ledger, code, flags, 0, about)]
    discount = Transfer(base_id | _PAYER_DISCOUNT, off[0], credit, off[1], ledger, code, flags, 0, about)
    return [Transfer(base_id, debit, credit, amount, ledger, code, flags | _LINKED, 0, about), discount]


def _resolve(pendings: Sequence[Transfer], offset: int, flag: int, amount: int) -> list[Transfer]:
    last = pendings[-1]
    return [
        # What it leaves at zero it takes from what it resolves: accounts, ledger and code.
        Transfer(pending.id + offset, 0, 0, amount, 0, 0, flag if pending is last else flag | _LINKED, pending.id)
        for pending in pendings
    ]
