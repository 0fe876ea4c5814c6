"""The payment protocol, checked exhaustively before anybody implements it."""

import pytest

from tests.scheme.protocol_model import Fault, explore


@pytest.mark.parametrize("payments", [1, 2])
def test_no_interleaving_contradicts_itself_and_every_one_can_be_decided(payments: int) -> None:
    verdict = explore(payments)
    assert verdict.violation is None
    assert verdict.stuck == 0
    assert verdict.worlds > 100


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name)
def test_every_planted_fault_is_found(fault: Fault) -> None:
    payments = 2 if fault is Fault.TWO_CLAIMS else 1
    assert explore(payments, frozenset({fault})).violation is not None, fault.value
