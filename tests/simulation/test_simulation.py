"""
Fixed seeds and a few new ones under all faults; planted bugs are found; a seed replays byte for byte.

`make simulate` runs many more. A seed that fails here prints the command that shows it again.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hutong.kernel.clock import NS_PER_S
from hutong.kernel.ids import system_randomness
from hutong.simulation.acts import MIX, answer_dispute, pay_plate, pay_request, recall, refund, retry, withdraw
from hutong.simulation.faults import CALM, Plan
from hutong.simulation.plants import PLANTS
from hutong.simulation.plates import change_ones_mind
from hutong.simulation.run import Result, simulate
from hutong.simulation.subsidies import steer_campaign

HOURS = 0.02
# Each found something once: limits after a crash between a payment's row and its hold (2, 19), a top-up that came
# late after a restart (24), payments that two restarts took up in another order (40).
FIXED = (2, 19, 24, 40)
SEEDS_MAX = 200  # Each planted bug must be found within so many; here, where much goes wrong, within the first few.
# What is done more often, where a bug shows in one act alone: a test has less time than a night.
OFTEN = {
    "debtor-voids-on-timeout": ((1, pay_plate),),
    "payments-forgotten-at-restart": ((1, withdraw), (1, retry)),
    "request-not-released": ((1, pay_request),),
}
ROUGH = Plan(
    loss=0.05,
    late=0.1,
    late_ns_max=100 * NS_PER_S,
    repeat=0.1,
    client_loss=0.1,
    partition_every_ns=20 * NS_PER_S,
    partition_ns_max=90 * NS_PER_S,
    crash_every_ns=5 * NS_PER_S,
    unheard=0.01,
    down_ns_max=2 * NS_PER_S,
)


def check(result: Result) -> None:
    assert result.wrong == [], f"hutong simulate --seed {result.seed} --hours {HOURS} --trace trace.txt"


@pytest.mark.parametrize("seed", FIXED)
def test_a_seed_that_failed_once_is_clean(seed: int) -> None:
    result = simulate(seed, hours=HOURS)
    check(result)
    assert result.completed
    assert result.faults


# Restarts in quick succession, whose look-ups take long. Here it found a release of disputed money that was refused for
# ever (1), and a payment that a client and its node's restart both took up, and that ended twice (10).
RESTARTING = Plan(
    loss=0.05,
    crash_every_ns=5 * NS_PER_S,
    unheard=0.02,
    down_ns_max=2 * NS_PER_S,
    slow_look_up=0.5,
    slow_look_up_ns_max=2 * NS_PER_S,
    memory_rows_max=50,
)


@pytest.mark.parametrize("seed", [1, 10])
def test_nodes_that_start_again_and_again_end_everything_once(seed: int) -> None:
    mix = ((4, pay_plate), (3, recall), (3, answer_dispute), (1, refund))
    assert simulate(seed, hours=HOURS, plan=RESTARTING, mix=mix).wrong == []


@pytest.mark.parametrize("seed", [1, 2])
def test_with_campaigns_no_budget_is_a_fen_over(seed: int) -> None:
    found = f"simulate({seed}, hours={HOURS}, subsidised=True)"
    assert simulate(seed, hours=HOURS, subsidised=True).wrong == [], found
    assert simulate(seed, hours=HOURS, subsidised=True, plan=RESTARTING).wrong == [], found


def test_a_merchants_discount_on_a_plate_is_what_was_shown_whatever_is_lost_late_or_repeated() -> None:
    mix = ((5, change_ones_mind), (2, steer_campaign), (1, refund), (1, retry))
    acts = simulate(1, hours=HOURS, plan=CALM, mix=mix, subsidised=True).acts
    assert acts["change_ones_mind: completed, for less"]
    assert acts["change_ones_mind: QUOTED_FOR_ANOTHER_AMOUNT"]
    for seed in (3, 4):
        for plan in (ROUGH, RESTARTING):
            assert simulate(seed, hours=HOURS, plan=plan, mix=mix, subsidised=True).wrong == []


def test_new_seeds_are_clean() -> None:
    for _ in range(2):
        check(simulate(system_randomness().getrandbits(32), hours=HOURS))


def test_with_nothing_wrong_almost_everything_completes() -> None:
    result = simulate(1, hours=4 * HOURS, plan=CALM)
    check(result)
    assert not result.faults
    assert result.completed > result.payments * 0.8  # Who is suspended, has too little or comes second is rejected
    for act in ("pay_plate", "pay_person", "pay_request", "refund", "withdraw"):
        assert result.acts[f"{act}: completed"]
    for act in ("charge", "top_up"):
        assert result.acts[f"{act}: PAID"]


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_bug_is_found(plant: str) -> None:
    mix = OFTEN.get(plant, MIX)
    assert any(simulate(seed, hours=HOURS, plant=plant, plan=ROUGH, mix=mix).wrong for seed in range(1, SEEDS_MAX + 1))


def test_a_seed_replays_exactly_in_any_process() -> None:
    digests = [simulate(7, hours=0.02).digest for _ in range(2)]
    command = [sys.executable, "-m", "hutong", "simulate", "--seed", "7", "--hours", "0.02", "--json"]
    for hash_seed in ("1", "2"):
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
            "PYTHONHASHSEED": hash_seed,
        }
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        digests.append(json.loads(done.stdout)["digest"])
    assert len(set(digests)) == 1


def test_another_seed_is_another_run() -> None:
    assert simulate(7, hours=0.005).digest != simulate(8, hours=0.005).digest
