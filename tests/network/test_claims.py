"""
Claims of one budget, one stock and one packet by several processes while nodes are killed, bounded.

`make claims` makes a hundred thousand (tests/network/claims.py).
"""

import os
from pathlib import Path

import pytest

from tests.network.claims import KILLED, TAKEN_OVER, Extent, run
from tests.network.town import town_of

SEED = 20291224
_SMALL = Extent(
    claims=960,
    people=40,
    strangers=6,
    packets=4,
    processes=2,
    connections=16,
    kills=2,
    faults=(KILLED, TAKEN_OVER),
)
pytestmark = pytest.mark.timeout(300)


def test_no_stock_budget_packet_or_limit_is_passed_while_nodes_are_killed(run_directory: Path) -> None:
    said: list[str] = []

    def tell(_done: int, _total: int, what: str) -> None:
        if what:
            said.append(what)

    with town_of(run_directory / f"claims-{os.getpid()}", wired=True, payers=0) as town:
        found = run(town, _SMALL, SEED, tell)
    print(said, found.figures(), *found.wrong, sep="\n")  # noqa: T201  # Shown when it fails, whole.
    assert found.wrong == []
    assert found.faults == {name: 1 for name, _ in _SMALL.faults}
    assert len(found.rows.claims) == _SMALL.stock  # More than that asked, and to the last one all were had.
    figures = found.figures()
    assert figures["payment_claims"] >= _SMALL.claims  # All of one budget, which was empty again and again.
    assert figures["budget_most_given_at_a_moment"] == _SMALL.budget
    assert figures["budget_last_fen_given_times"] > 20
    assert figures["payment_discount_gone"] > 50
    assert figures["refund_refund_exceeds_remainder"] > 0
    assert figures["coupon_coupon_stock_exhausted"] > 0
    assert figures["packet_red_packet_empty"] > 0
    assert figures["asked_again_and_the_same"] > 50
