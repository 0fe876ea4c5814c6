"""
Fixed seeds and a few new ones under all faults; planted bugs are found; a seed replays byte for byte.

`make simulate` runs many more. A seed that fails here prints the command that shows it again.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hutong.kernel.clock import NS_PER_S
from hutong.kernel.ids import system_randomness
from hutong.simulation.acts import (
    MIX,
    answer_dispute,
    pay_plate,
    pay_request,
    recall,
    refund,
    retry,
    suspend_merchant,
    withdraw,
)
from hutong.simulation.cash import send_cash
from hutong.simulation.faults import CALM, Plan
from hutong.simulation.holding import ask_to_hold
from hutong.simulation.inviting import bring_friend
from hutong.simulation.marketing_acts import (
    MARKETING_MIX,
    claim_coupon,
    open_packet,
    pay_same_amount,
    pay_with_coupon,
    send_packet,
    steer_campaign,
)
from hutong.simulation.marketing_plants import MARKETING_PLANTS
from hutong.simulation.plants import PLANTS
from hutong.simulation.plates import change_ones_mind
from hutong.simulation.programmes import join_programme
from hutong.simulation.run import Result, simulate
from hutong.simulation.telling import say_of_merchant
from hutong.simulation.tills import coupon_at_till

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
    "places-counted-from-the-change-on": ((2, steer_campaign), (4, pay_plate)),
    "places-forgotten-at-restart": ((2, steer_campaign), (4, pay_plate)),
    "turns-forgotten-at-restart": ((1, pay_same_amount),),
    "coupons-not-released": ((3, claim_coupon), (6, pay_with_coupon), (3, suspend_merchant)),
    "coupons-back-at-any-refund": ((3, claim_coupon), (5, pay_with_coupon), (4, refund)),
    "shares-taken-twice": ((1, send_packet), (4, open_packet)),
    "shares-sent-twice": ((1, send_packet), (4, open_packet)),
    "packets-not-returned": ((1, send_packet),),
    "rewards-paid-unseen": ((1, bring_friend), (1, refund)),
    "till-coupons-taken-twice": ((1, coupon_at_till),),
    "till-codes-sent-twice": ((1, coupon_at_till),),
    "cash-given-twice": ((3, send_cash), (1, pay_plate)),
    "cash-days-forgotten-at-restart": ((3, send_cash), (1, pay_plate)),
    "cash-not-brought-home": ((3, send_cash), (1, pay_plate)),
    "holds-unwanted-kept": ((1, ask_to_hold),),
    "programmes-for-everybody": ((1, join_programme), (3, pay_plate)),
    "programmes-left-go-on": ((1, join_programme), (3, pay_plate)),
    "programmes-forgotten-at-restart": ((1, join_programme),),
    "merchants-described-unwritten": ((1, say_of_merchant), (3, pay_plate)),
    "merchants-described-as-before": ((1, say_of_merchant), (3, pay_plate)),
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


def check(result: Result, *, marketing: bool = False) -> None:
    how = "" if marketing else " --no-marketing"
    assert result.wrong == [], f"hutong simulate --seed {result.seed} --hours {HOURS}{how} --trace trace.txt"


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


def test_who_registers_while_nodes_start_again_and_again_has_a_wallet() -> None:
    result = simulate(1, hours=HOURS, plan=RESTARTING, mix=((1, bring_friend), (1, pay_plate)), marketing=True)
    assert result.wrong == []
    assert result.friends


# Where a ledger looks long for every account, what it was asked to move is far behind the rows that say so. Here a start
# set a budget's last fen aside while a payment that had been rejected still held it, and the node came up no more: of a
# dozen seeds half found it.
BLOCKED = Plan(
    loss=0.05,
    crash_every_ns=30 * NS_PER_S,
    unheard=0.01,
    down_ns_max=10 * NS_PER_S,
    slow_look_up=1,
    slow_look_up_ns_max=3 * NS_PER_S,
)


@pytest.mark.parametrize("seed", [2, 4])
def test_what_a_start_sets_aside_is_what_payments_have_let_go_of(seed: int) -> None:
    assert simulate(seed, hours=4 * HOURS, plan=BLOCKED, marketing=True).wrong == []


@pytest.mark.parametrize("seed", [1, 2])
def test_with_campaigns_no_budget_is_a_fen_over(seed: int) -> None:
    found = f"simulate({seed}, hours={HOURS}, marketing=True)"
    assert simulate(seed, hours=HOURS, marketing=True).wrong == [], found
    assert simulate(seed, hours=HOURS, marketing=True, plan=RESTARTING).wrong == [], found


def test_a_merchants_discount_on_a_plate_is_what_was_shown_whatever_is_lost_late_or_repeated() -> None:
    mix = ((5, change_ones_mind), (2, steer_campaign), (1, refund), (1, retry))
    acts = simulate(1, hours=HOURS, plan=CALM, mix=mix, marketing=True).acts
    assert acts["change_ones_mind: completed, for less"]
    assert acts["change_ones_mind: QUOTED_FOR_ANOTHER_AMOUNT"]
    for seed in (3, 4):
        for plan in (ROUGH, RESTARTING):
            assert simulate(seed, hours=HOURS, plan=plan, mix=mix, marketing=True).wrong == []


def test_new_seeds_are_clean() -> None:
    for marketing in (True, False):
        check(simulate(system_randomness().getrandbits(32), hours=HOURS, marketing=marketing), marketing=marketing)


def test_with_nothing_wrong_marketing_does_everything_there_is() -> None:
    result = simulate(5, hours=8 * HOURS, plan=CALM, marketing=True)
    check(result, marketing=True)
    assert min(result.awards, result.coupons, result.red_packets, result.shares, result.friends) > 0
    for act in ("claim_coupon: done", "pay_with_coupon: completed", "send_packet: OPEN"):
        assert result.acts[act]
    for act in ("coupon_at_till: sent", "coupon_at_till: taken", "coupon_at_till: COUPON_SPENT"):
        assert result.acts[act]
    for act in ("ask_to_hold: asked", "take_of_hold: take: PAID", "take_of_hold: let go"):
        assert result.acts[act]
    for act in ("ask_to_hold: opened", "open_hold: opened", "send_cash: given"):
        assert result.acts[act]
    for act in ("join_programme: joined", "join_programme: left", "pay_meanwhile: completed"):
        assert result.acts[act]
    for act in ("open_packet: PAID", "open_packet: SENDING", "bring_friend: completed", "contest_budget: begun"):
        assert result.acts[act]


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
    mix = OFTEN.get(plant, MARKETING_MIX if plant in MARKETING_PLANTS else MIX)
    assert any(_finds(plant, seed, mix) for seed in range(1, SEEDS_MAX + 1))


def _finds(plant: str, seed: int, mix: Any) -> bool:
    """Whether the audit does; or the software, which refuses to go on where its own books contradict it."""
    try:
        return bool(simulate(seed, hours=HOURS, plant=plant, plan=ROUGH, mix=mix).wrong)
    except AssertionError:
        return True


def test_a_seed_replays_exactly_in_any_process() -> None:
    digests = [simulate(7, hours=0.01, marketing=True).digest for _ in range(2)]
    command = [sys.executable, "-m", "hutong", "simulate", "--seed", "7", "--hours", "0.01", "--json"]
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
