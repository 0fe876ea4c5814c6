"""What goes wrong in one run, and how badly: drawn from the seed, each kind on or off, so that runs differ in kind."""

from enum import StrEnum

import msgspec

from hutong.kernel.clock import NS_PER_MS, NS_PER_S
from hutong.kernel.ids import SeededRandomness


class Fault(StrEnum):
    """Every kind of fault, as it is counted."""

    LOSS = "messages lost"
    REPEAT = "messages repeated"
    DELAY = "messages late by seconds"
    REORDER = "batches torn and reordered"
    PARTITION = "partitions, both directions"
    PARTITION_ONE_WAY = "partitions, one direction"
    CLIENT_LOSS = "client requests or answers lost"
    CRASH = "crashes, nothing under way"
    CRASH_LOSING = "crashes, unflushed journal lost"
    CRASH_LANDED = "crashes, commit under way landed"
    CRASH_UNHEARD = "crashes, durable but not acknowledged"
    SKEW = "clocks off"
    JUMP = "clock jumps"
    SLOW_DISK = "slow commits"
    SLOW_LOOK_UP = "slow look-ups"
    SMALL_MEMORY = "nodes that keep little in memory"


CRASHES = frozenset({Fault.CRASH, Fault.CRASH_LOSING, Fault.CRASH_LANDED, Fault.CRASH_UNHEARD})


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The faults of one run. Chances are of one; intervals are nanoseconds, 0 for never."""

    loss: float = 0
    repeat: float = 0
    late: float = 0
    late_ns_max: int = 0
    tear: float = 0
    client_loss: float = 0
    partition_every_ns: int = 0
    partition_ns_max: int = 0
    crash_every_ns: int = 0
    unheard: float = 0  # Of commits, that their node dies before it hears of them.
    down_ns_max: int = 1
    skew_ns_max: int = 0
    jump_every_ns: int = 0
    slow_commit: float = 0
    slow_commit_ns_max: int = 0
    slow_look_up: float = 0
    slow_look_up_ns_max: int = 0
    memory_rows_max: int = 200_000

    @staticmethod
    def drawn(chance: SeededRandomness) -> "Plan":
        """Each kind is in half of all runs, from barely to badly."""

        def one_of(*values: float) -> float:
            return chance.choice(values) if chance.random() < 0.5 else 0

        def ns_of(*seconds: float) -> int:
            return int(one_of(*seconds) * NS_PER_S)

        return Plan(
            loss=one_of(0.01, 0.05, 0.2),
            repeat=one_of(0.01, 0.1, 0.3),
            late=one_of(0.01, 0.05, 0.2),
            late_ns_max=int(chance.choice((3, 20, 100)) * NS_PER_S),
            tear=one_of(0.1, 0.5),
            client_loss=one_of(0.01, 0.1),
            partition_every_ns=ns_of(30, 120),
            partition_ns_max=int(chance.choice((5, 30, 120)) * NS_PER_S),
            crash_every_ns=ns_of(10, 30, 120),
            unheard=one_of(0.001, 0.01),
            down_ns_max=int(chance.choice((0.1, 3, 20)) * NS_PER_S),
            skew_ns_max=ns_of(0.05, 2, 20),
            jump_every_ns=ns_of(20, 100),
            slow_commit=one_of(0.01, 0.1, 1),
            slow_commit_ns_max=int(chance.choice((0.05, 0.5, 5)) * NS_PER_S),
            slow_look_up=one_of(0.1, 1),
            slow_look_up_ns_max=int(chance.choice((0.01, 0.2, 3)) * NS_PER_S),
            memory_rows_max=int(one_of(50, 1000)) or 200_000,
        )


CALM = Plan()
COMMIT_NS = (NS_PER_MS // 2, 3 * NS_PER_MS)  # From, to: when nothing is wrong.
ANSWER_NS = (NS_PER_MS // 10, NS_PER_MS)
WIRE_NS = (NS_PER_MS, 20 * NS_PER_MS)
