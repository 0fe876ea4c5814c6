"""
Rounds of real faults in one network: under load, one kind of trouble at a random moment, healing, and the books.

    python -m tests.network.rounds --rounds 50 --seed 1 --json rounds.json

Every round has a seed of its own, printed with what it found. Nothing is started anew between rounds but what the fault
took down, so what one round left behind the next one would trip over.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
import zlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx

from hutong.kernel.ids import seeded_randomness
from tests.network.audit import audit_when_quiet
from tests.network.history import check, read_history, read_ledgers
from tests.network.load import Load
from tests.network.proxy import Trouble
from tests.network.town import NODES, Town, town_of

BEFORE_S, BETWEEN_S, AFTER_S = 0.4, 0.8, 0.8
_RECOVERS_S = 60
_LINKS = ("jing>switch", "wei>switch", "switch>jing", "switch>wei")


@dataclass
class Round:
    """One round: what was done, and what came of it."""

    number: int
    fault: str
    seed: int
    about: str = ""
    asked: int = 0
    completed: int = 0
    unknown_healed: int = 0  # Heard "unknown" or "pending" at least once, and have their answer now.
    recovery_s: float = 0  # From when the cause is gone to the next payment between institutions that completes.
    wrong: list[str] = field(default_factory=list)


# A fault blocks for as long as it lasts; it returns what it did, and when its cause was gone.
Fault = Callable[[Town, Random], tuple[str, float]]


def _now() -> float:
    return time.monotonic()


def killed(*names: str) -> Fault:
    """Power cuts: nodes end in the middle of whatever they do, and are started again."""

    def fault(town: Town, random: Random) -> tuple[str, float]:
        some = names or (random.choice(NODES),)
        for name in some:
            town.nodes[name].kill()
        time.sleep(random.random() * 0.5)
        gone_at = _now()
        for name in some:
            town.nodes[name].start()
        town.all_ready()
        return " ".join(some), gone_at

    return fault


def drained(town: Town, random: Random) -> tuple[str, float]:
    """SIGTERM: it answers what is under way, and ends in order."""
    name = random.choice(NODES)
    node = town.nodes[name]
    node.stop()
    assert node.process is not None
    assert node.process.returncode == 0, node.log.read_text()[-2000:]
    gone_at = _now()
    node.start()
    node.until_ready()
    return name, gone_at


def database(how: signal.Signals) -> Fault:
    def fault(town: Town, _: Random) -> tuple[str, float]:
        gone_at = _now()
        town.restart_database(how)
        return how.name, gone_at

    return fault


def wire(trouble: Trouble) -> Fault:
    """One way between two nodes is in trouble for a while, or for a reset both ways of one institution."""

    def fault(town: Town, random: Random) -> tuple[str, float]:
        assert town.wires is not None
        links = [random.choice(_LINKS)]
        if random.random() < 0.4:
            near, _, far = links[0].partition(">")
            links.append(f"{far}>{near}")
        for link in links:
            town.wires[link].turn(trouble)
        time.sleep(0.5 + 2.5 * random.random())
        gone_at = _now()
        town.wires.heal()
        return ", ".join(links), gone_at

    return fault


def clients_cut_off(town: Town, random: Random) -> tuple[str, float]:
    """Phones and tills lose their node in the middle of an answer."""
    assert town.wires is not None
    name = random.choice(("jing", "wei"))
    for _ in range(5):
        town.wires[f">{name}"].turn(random.choice((Trouble.RESET, Trouble.CUT)))
        time.sleep(0.1)
        town.wires[f">{name}"].turn(Trouble.NONE)
        time.sleep(0.2 * random.random())
    return name, _now()


def disk_full(town: Town, random: Random) -> tuple[str, float]:
    town.fill_disk()
    time.sleep(2 + 2 * random.random())
    gone_at = _now()
    town.free_disk()
    return "database", gone_at


def taken_over(*names: str) -> Fault:
    """A node is paused, a second process takes over, and the first goes on: it writes nothing more, and ends."""

    def fault(town: Town, random: Random) -> tuple[str, float]:
        name = random.choice(names)
        old = town.take_over(name)
        gone_at = _now()
        time.sleep(random.random())
        ended = town.wake(old)
        assert ended == 0, (ended, old.log.read_text()[-2000:])
        return name, gone_at

    return fault


def paused(town: Town, random: Random) -> tuple[str, float]:
    """A process stands still for a while (a pause of its machine), and goes on where it was."""
    name = random.choice(NODES)
    process = town.nodes[name].process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.5 + 2 * random.random())
    gone_at = _now()
    process.send_signal(signal.SIGCONT)
    return name, gone_at


FAULTS: dict[str, Fault] = {
    "kill node": killed(),
    "kill all nodes": killed(*NODES),
    "drain node": drained,
    "kill database": database(signal.SIGKILL),
    "database stops at once": database(signal.SIGQUIT),
    "database restarts": database(signal.SIGINT),
    "cut": wire(Trouble.CUT),
    "answers lost": wire(Trouble.ANSWERS_LOST),
    "half open": wire(Trouble.HALF_OPEN),
    "slow": wire(Trouble.SLOW),
    "thin": wire(Trouble.THIN),
    "reset in the middle": wire(Trouble.RESET),
    "clients cut off": clients_cut_off,
    "disk full": disk_full,
    "take-over": taken_over(*NODES),
    "pause": paused,
}


def close_window(town: Town) -> None:
    """Close the open settlement window before its time, if the switch can hear it."""
    try:
        switch = town.street.operator("switch")
        open_ = [each["window"] for each in switch.get("/v1/windows") if each["state"] == "OPEN"]
        if open_:
            switch.ask("POST", f"/v1/windows/{open_[0].replace('/', '.')}/close")
    except (AssertionError, httpx.HTTPError):
        pass  # It is down; the next round closes it.


async def run_round(town: Town, number: int, name: str, seed: int) -> Round:
    """Load, one fault, a window that closes during it, healing; then everything that is wrong."""
    found, random = Round(number, name, seed), seeded_randomness(seed)
    load = Load(town.payers, town.tills, seed, town.diary)
    load.start()
    await asyncio.sleep(BEFORE_S + random.random() * BETWEEN_S)
    closing = asyncio.create_task(_closing(town, random.random()))
    try:
        found.about, gone_at = await asyncio.to_thread(FAULTS[name], town, random)
        ends_at = _now() + _RECOVERS_S
        while load.crossed_at < gone_at and _now() < ends_at:
            await asyncio.sleep(0.02)
        if load.crossed_at < gone_at:
            found.wrong.append(f"no payment for {_RECOVERS_S} s")
        found.recovery_s = round(_now() - gone_at, 2)
        await asyncio.sleep(AFTER_S)
    except AssertionError as error:
        found.wrong.append(str(error))
    await closing
    await load.stop()
    await asyncio.to_thread(town.all_ready)
    await load.settle()
    found.wrong += await asyncio.to_thread(_books, town, load)
    found.asked, found.completed = len(load.log), load.completed
    found.unknown_healed = sum(
        {"unknown", "PENDING"} & set(entry.answers) != set() for entry in load.log if entry.final
    )
    return found


async def _closing(town: Town, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await asyncio.to_thread(close_window, town)


def _books(town: Town, load: Load) -> list[str]:
    """The auditor's findings, the history's, and what the nodes said themselves."""
    audited = audit_when_quiet(town.street.database_url)
    load.read_all()
    ledgers = asyncio.run(read_ledgers(town.street.database_url, ("jing", "wei"), "switch"))
    history = check(read_history(town.diary.path), ledgers)
    return [*load.compare(audited), *audited.wrong, *history, *town.complaints(), *town.still_up()]


def kinds(town: Town) -> list[str]:
    """What can be done here: a disk can only be filled where one could be mounted."""
    return [name for name in FAULTS if name != "disk full" or town.disk is not None]


def chosen(names: list[str], rounds: int, seed: int) -> list[str]:
    """Kinds in a random order, each before any comes again."""
    random, found = seeded_randomness(seed), list[str]()
    while len(found) < rounds:
        found += random.sample(names, len(names))
    return found[:rounds]


def run(town: Town, names: list[str], seed: int, tell: Callable[[Round], None]) -> list[Round]:
    """The rounds, one after the other; each is told as it ends."""
    found = []
    for number, name in enumerate(names, 1):
        found.append(asyncio.run(run_round(town, number, name, zlib.crc32(f"{seed}/{name}/{number}".encode()))))
        tell(found[-1])
    return found


def table(rounds: list[Round]) -> list[str]:
    """By kind of fault: rounds, payments, what was unknown and healed, recovery (median and longest), what was wrong."""
    by_kind: dict[str, list[Round]] = defaultdict(list)
    for each in rounds:
        by_kind[each.fault].append(each)
    lines = ["| fault | rounds | payments and refunds | unknown, healed | recovery s, median | longest | wrong |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, some in [*sorted(by_kind.items()), ("all", rounds)]:
        times = sorted(each.recovery_s for each in some)
        facts: list[Any] = [
            name,
            len(some),
            sum(each.asked for each in some),
            sum(each.unknown_healed for each in some),
        ]
        facts += [f"{times[len(times) // 2]:.1f}", f"{times[-1]:.1f}", sum(bool(each.wrong) for each in some)]
        lines.append("| " + " | ".join(str(fact) for fact in facts) + " |")
    return lines


def _tell(each: Round) -> None:
    print(  # noqa: T201  # A command.
        f"{each.number:3}  {each.fault:24} {each.about:28} {each.asked:5} asked {each.unknown_healed:4} unknown"
        f"  {each.recovery_s:6.2f} s  {'; '.join(each.wrong)[:3000] or 'sound'}  (seed {each.seed})",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default="", help="commas between them; all that can be done here")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="hutong-faults-", dir="/tmp"))
    directory.chmod(0o711)
    with town_of(directory / "town", wired=True) as town:
        names = asked.kinds.split(",") if asked.kinds else kinds(town)
        if "disk full" not in names:
            print("The disk is never full: no file system of its own can be mounted here.")  # noqa: T201
        rounds = run(town, chosen(names, asked.rounds, asked.seed), asked.seed, _tell)
        town.keeps_logs = any(each.wrong for each in rounds)
    directory.rmdir()
    print("\n".join(["", *table(rounds)]))  # noqa: T201
    if asked.json is not None:
        told = {"seed": asked.seed, "rounds": [asdict(each) for each in rounds]}
        asked.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return int(any(each.wrong for each in rounds))


if __name__ == "__main__":
    sys.exit(main())
