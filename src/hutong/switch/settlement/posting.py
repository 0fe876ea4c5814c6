"""The transfers of a window's movements: which accounts each moves between."""

from collections.abc import Sequence

from hutong.kernel.ids import derive
from hutong.kernel.money import currency_of
from hutong.ledger import settlement_recipes
from hutong.ledger.transfer import Transfer
from hutong.switch import chart
from hutong.switch.settlement.movement import Movement, MovementKind
from hutong.switch.settlement.window import WindowRow


def chain_of(window: WindowRow, moves: Sequence[Movement], scheme: str) -> list[list[Transfer]]:
    """A chain for each movement, with the ids of its attempt."""
    return [_chain(window, move, scheme) for move in moves]


def _chain(window: WindowRow, move: Movement, scheme: str) -> list[Transfer]:
    currency = currency_of(move.currency)
    base_id = derive(window.id, f"settle/{move.attempt}/{move.kind}/{move.node_id}/{move.defaulter}/{move.currency}")
    node, kind = move.node_id, MovementKind(move.kind)
    reserve = chart.reserve_account(node, currency)
    own = {
        "reserve": reserve,
        "position": chart.position_account(node, currency),
        "caps": chart.reserve_caps_account(node, currency),
        "amount": move.minor,
        "ledger": currency.ledger,
        "code": chart.CODE_SETTLEMENT,
    }
    if kind is MovementKind.PAY and node != scheme:
        return settlement_recipes.settle_debit(base_id, window.id, **own)
    if kind is MovementKind.RECEIVE and node != scheme:
        return settlement_recipes.settle_credit(base_id, window.id, **own)
    if kind is MovementKind.LOSS and node != scheme:
        return settlement_recipes.bear_loss(
            base_id,
            window.id,
            bearer=own["position"],
            caps=own["caps"],
            defaulter=chart.position_account(move.defaulter, currency),
            amount=move.minor,
            ledger=currency.ledger,
            code=chart.CODE_LOSS,
        )
    income = chart.income_account(currency)
    debit, credit = {
        MovementKind.PAY: lambda: (reserve, income),
        MovementKind.RECEIVE: lambda: (income, reserve),
        MovementKind.LOSS: lambda: (income, chart.position_account(move.defaulter, currency)),
        MovementKind.CONTRIBUTION: lambda: (
            chart.contribution_account(node, currency),
            chart.position_account(move.defaulter, currency),
        ),
    }[kind]()
    code = chart.CODE_SETTLEMENT if kind in {MovementKind.PAY, MovementKind.RECEIVE} else chart.CODE_LOSS
    return settlement_recipes.move(
        base_id, window.id, debit=debit, credit=credit, amount=move.minor, ledger=currency.ledger, code=code
    )
