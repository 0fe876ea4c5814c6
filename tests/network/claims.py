"""
Proof that nothing is given twice: very many claims of the same money, from several processes, while nodes are killed.

    python -m tests.network.claims --claims 100000 --kills 24 --seed 1

A network with a process per node; processes of claimants who all want a fen off their payments, of one campaign's budget that
has one for every tenth. It is empty early, and from then on has what shops give back, a fen at a time: so all along many ask
for the last one. Beside it they want coupons of one template and shares of one red packet after the other. At instants that
the seed draws nodes and the database are killed and started again, and a second process takes a node over. In the end what
claimants were told is held against the rows (`tests.network.promises`), and all of it against the product's auditor.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from signal import SIGKILL, SIGTERM, default_int_handler, signal

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hutong.bench.stage import PAID_IN, Place, set_stage
from hutong.kernel.ids import seeded_randomness
from tests.network.audit import audit_when_quiet
from tests.network.claimants import Person, Plan, Shop
from tests.network.history import number
from tests.network.promises import Diaries, Rows, Terms, check, read_diaries, read_rows
from tests.network.rounds import Fault, database, killed, taken_over
from tests.network.street import Client, Payer, new_id
from tests.network.town import NODES, Town, town_of

HERE, THERE = "jing", "wei"
_PEOPLE_A_LIFE = 280  # A node sends no more one-time codes at once.
_PRICE = 3
_DAY_MS = 86_400_000
_QUIET_S = 60
# As often as each stands here: the institution's process is where all the money is decided.
KILLED, TAKEN_OVER = ("institution killed", killed(HERE)), ("institution taken over", taken_over(HERE))
FAULTS: tuple[tuple[str, Fault], ...] = (
    *[KILLED] * 5,
    ("all nodes killed", killed(*NODES)),
    ("database killed", database(SIGKILL)),
    TAKEN_OVER,
)


@dataclass(frozen=True)
class Extent:
    """How much: payments that want the one budget's money, in all, and what comes with them."""

    claims: int = 100_000
    people: int = 1_100
    strangers: int = 100  # At the other institution: they open packets.
    coupons: int = 8  # That each person asks for.
    packets: int = 10
    processes: int = 4
    connections: int = 40  # Of each process.
    kills: int = 24
    faults: tuple[tuple[str, Fault], ...] = FAULTS

    @property
    def payments(self) -> int:
        """How many each person makes, in all processes."""
        return self.claims // self.people

    @property
    def refunds(self) -> int:
        """How many payments are given back for each person, in all processes."""
        return self.payments // self.processes // 5 * self.processes

    @property
    def budget(self) -> int:
        return self.claims // 10

    @property
    def times(self) -> int:
        """So often each person gets something off: few come so far, as there is something for three in ten payments."""
        return self.payments * 2 // 5

    @property
    def stock(self) -> int:
        return self.people * self.coupons * 3 // 4

    @property
    def per_person(self) -> int:
        """A little more than there is for each, so that some meet their own limit and then all meet the stock."""
        return self.coupons * 7 // 8


@dataclass
class Found:
    """What came of it."""

    told: Diaries
    rows: Rows
    terms: Terms
    took_s: float
    repeats: int
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def budget_claims(self) -> int:
        """Payments that asked the one budget, each once: cheaper, in full, refused as what was promised is gone, or failed behind it."""
        said = (
            (each.removeprefix("payment "), n) for each, n in self.told.answers.items() if each.startswith("payment ")
        )
        return sum(n for answer, n in said if answer.isupper() and answer != "QUOTE_UNKNOWN")

    @property
    def given(self) -> list[int]:
        """What the one budget had given, behind each of its awards' rows."""
        return self.rows.given_by(next(iter(self.terms.budgets)))

    def figures(self) -> dict[str, int | float]:
        answers = self.told.answers
        asked = {
            kind: sum(n for said, n in answers.items() if said.startswith(kind) and "QUOTE" not in said)
            for kind in ("coupon", "packet", "refund")
        }
        asked["payment"] = self.budget_claims
        budget, given = next(iter(self.terms.budgets.values())), self.given
        awards = [now for before, now in zip([0, *given], given, strict=False) if now > before]
        return {
            "claims": sum(asked.values()),
            "claims_per_s": round(sum(asked.values()) / self.took_s),
            "seconds": round(self.took_s, 1),
            **{f"{kind}_claims": n for kind, n in asked.items()},
            "budget": budget,
            "budget_most_given_at_a_moment": max(given),
            "budget_given_in_the_end": given[-1],
            "budget_awards": len(awards),
            "budget_awards_until_first_empty": awards.index(budget) + 1 if budget in awards else len(awards),
            "budget_last_fen_given_times": awards.count(budget),
            "coupons_given": len(self.rows.claims),
            "shares_given": len(self.rows.shares),
            **{said.lower().replace(" ", "_"): n for said, n in sorted(answers.items()) if not said.endswith("GOOD")},
            "answers_lost_and_asked_again": self.told.unheard,
            "asked_again_and_the_same": self.repeats - sum("and then" in each for each in self.told.wrong),
            **{fault.replace(" ", "_"): n for fault, n in sorted(self.faults.items())},
            "wrong": len(self.wrong),
        }


class _Processes:
    """The claimants, and how far they are."""

    def __init__(self, plans: list[Plan]) -> None:
        self._done = [0] * len(plans)
        self._repeats = [0] * len(plans)
        self.running = []
        self._readers = []
        for at, plan in enumerate(plans):
            command = [sys.executable, "-m", "tests.network.claimants"]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert process.stdin is not None
            process.stdin.write(msgspec.json.encode(plan))
            process.stdin.close()
            self.running.append(process)
            self._readers.append(threading.Thread(target=self._read, args=(at, process), daemon=True))
            self._readers[-1].start()

    @property
    def done(self) -> int:
        return sum(self._done)

    @property
    def repeats(self) -> int:
        return sum(self._repeats)

    @property
    def ended(self) -> bool:
        return all(process.poll() is not None for process in self.running)

    def end(self) -> list[str]:
        """Those that did not end well."""
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()
        for reader in self._readers:
            reader.join()
        for process in self.running:
            assert process.stdout is not None
            process.stdout.close()
        return [f"claimants ended with {process.returncode}" for process in self.running if process.returncode]

    def _read(self, at: int, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._done[at], self._repeats[at] = (int(word) for word in line.split())


def run(town: Town, extent: Extent, seed: int, tell: Callable[[int, int, str], None]) -> Found:
    """All of it: `tell` hears how far it is, of how much, and what was done to the nodes."""
    random = seeded_randomness(seed)
    people = _people(town, extent)
    terms, plans = _offers(town, extent, people, random)
    total = sum(_errands(plan) for plan in plans)
    points = sorted(random.randrange(total // 50, total * 19 // 20) for _ in range(extent.kills))
    kinds = [each for _ in points for each in random.sample(extent.faults, len(extent.faults))][: len(points)]
    began_s, faults = time.monotonic(), Counter[str]()
    processes = _Processes(plans)
    try:
        while not processes.ended:
            if points and processes.done >= points[0]:
                points.pop(0)
                name, fault = kinds.pop(0)
                at, began_at_s = processes.done, time.monotonic()
                about, _ = fault(town, random)
                faults[name] += 1
                tell(processes.done, total, f"{name} at {at:,} ({about}), {time.monotonic() - began_at_s:.1f} s")
            tell(processes.done, total, "")
            time.sleep(0.05)
        took_s = time.monotonic() - began_s
    finally:
        wrong = processes.end()
    town.all_ready()
    told = read_diaries(Path(plan.diary) for plan in plans)
    rows = _books(town, told, terms)
    found = Found(told, rows, terms, took_s, processes.repeats, faults)
    found.wrong = [*wrong, *check(told, rows, terms), *audit_when_quiet(town.street.database_url).wrong]
    found.wrong += town.complaints()
    found.wrong += town.still_up()
    if found.budget_claims < extent.claims:
        found.wrong.append(f"{found.budget_claims} payments asked the one budget, of {extent.claims}")
    if points:
        found.wrong.append(f"{len(points)} kills did not come to pass")
    town.keeps_logs = bool(found.wrong)
    return found


def _books(town: Town, told: Diaries, terms: Terms) -> Rows:
    """The rows, once shares and refunds that were under way between institutions have arrived."""
    ends_at = time.monotonic() + _QUIET_S
    while True:
        rows = asyncio.run(read_rows(town.street.database_url, (HERE, THERE), HERE, terms))
        if not check(told, rows, terms) or time.monotonic() > ends_at:
            return rows
        time.sleep(0.5)


def _people(town: Town, extent: Extent) -> list[Person]:
    """New people of both institutions. Between some hundreds the node is started anew: it sends so many codes in one life."""
    found = []
    for node, count in ((HERE, extent.people), (THERE, extent.strangers)):
        other = THERE if node == HERE else HERE
        for first in range(0, count, _PEOPLE_A_LIFE):
            if first:
                town.nodes[node].stop()
                town.nodes[node].start()
                town.all_ready()
            places = [
                Place(town.street.doors[name].url, town.street.doors[name].operator_token) for name in (node, other)
            ]
            stage = asyncio.run(set_stage(places[0], places[1], min(_PEOPLE_A_LIFE, count - first), first=first))
            found += [
                Person(stage.payer_url, token, user_id, is_here=node == HERE)
                for token, user_id in zip(stage.tokens, stage.user_ids, strict=True)
            ]
    return found


def _offers(town: Town, extent: Extent, people: list[Person], random: Random) -> tuple[Terms, list[Plan]]:
    """A budget that all want, coupons with one of their own, packets: each has less than will be asked for."""
    desk = town.street.operator(HERE)
    sponsor = desk.post("/v1/operator/sponsors", {"reference": "claims", "kind": "INSTITUTION", "name": "互通"})[
        "sponsor_id"
    ]
    budgets = {"DISCOUNT": extent.budget, "COUPON": extent.claims // 50}
    deposit = {"deposit_id": new_id("dep"), "amount": sum(budgets.values())}
    desk.post(f"/v1/operator/sponsors/{sponsor}/deposits", deposit)
    caps = {"DISCOUNT": {"caps": {"times": extent.times}, "rules": {"rows": [{"off": 1}]}}, "COUPON": {}}
    campaigns = {kind: _campaign(desk, sponsor, kind, budget, caps[kind]) for kind, budget in budgets.items()}
    template = new_id("ctp")
    limits = {"per_person": extent.per_person, "per_device": 0}
    coupon = {"kind": "AMOUNT_OFF", "amount_off": 1, "validity": {"days": 7}, "limits": limits, "on_refund": "BUDGET"}
    body = {
        "template_id": template,
        "campaign_id": campaigns["COUPON"],
        "name": "减一分",
        "terms": coupon,
        "stock": extent.stock,
    }
    desk.post("/v1/operator/coupon-templates", body)
    links, packets = _packets(town.street.payer(HERE, 1_000_000, tier="III"), extent, len(people))
    terms = Terms(
        template=number(template),
        stock=extent.stock,
        per_person=extent.per_person,
        budgets={number(campaigns[kind]): budget for kind, budget in budgets.items()},
        times={number(campaigns["DISCOUNT"]): extent.times},
        packets=packets,
        price=_PRICE,
        funds={person.user_id: PAID_IN for person in people},
    )
    assert not extent.coupons % extent.processes, "each process asks for as many"
    ours, *theirs = [Shop(till.url, till.token, till.plate) for till in town.tills]
    plans = [
        Plan(
            people=people,
            coupons=extent.coupons // extent.processes,
            payments=extent.payments // extent.processes,
            refunds=extent.refunds // extent.processes,
            template_id=template,
            shops=[*[ours] * 6, *theirs],
            packets=[_opened(links, at, process, extent.processes) for at in range(len(people))],
            connections=extent.connections,
            seed=random.getrandbits(63),
            diary=str(town.directory / f"claimants-{process}.jsonl"),
        )
        for process in range(extent.processes)
    ]
    return terms, plans


def _campaign(desk: Client, sponsor: str, kind: str, budget: int, terms: dict[str, object]) -> str:
    body = {
        "campaign_id": new_id("cmp"),
        "name": "立减一分",
        "kind": kind,
        "sponsors": [{"sponsor_id": sponsor}],
        "budget": budget,
        "terms": {"holdout_bps": 0, **terms},
        "ends_at_ms": time.time_ns() // 1_000_000 + _DAY_MS,
    }
    made = str(desk.post("/v1/operator/campaigns", body)["campaign_id"])
    desk.post(f"/v1/operator/campaigns/{made}/start", {})
    return made


def _packets(sender: Payer, extent: Extent, people: int) -> tuple[list[str], dict[str, int]]:
    """Their links, and the amount in each: there is no share for the last of the people."""
    links, amounts = [], {}
    count = people * 9 // 10
    for _ in range(extent.packets):
        packet_id, amount = new_id("rpk"), 4 * count
        body = {"packet_id": packet_id, "kind": "LUCKY", "amount": amount, "count": count}
        links.append(str(sender.post("/v1/me/red-packets", body)["link"]))
        amounts[number(packet_id)] = amount
    return links, amounts


def _opened(links: list[str], person: int, process: int, processes: int) -> list[str]:
    """Each person opens a packet in one process, and every eighth time in another at the same time."""
    return [
        link
        for at, link in enumerate(links)
        if (person + at) % processes == process or (not (person + at) % 8 and (person + at + 1) % processes == process)
    ]


def _errands(plan: Plan) -> int:
    here = sum(person.is_here for person in plan.people)
    return here * (plan.coupons + plan.payments + plan.refunds) + sum(len(links) for links in plan.packets)


def bounded(claims: int, extent: Extent) -> Extent:
    """The extent of at least so many claims of the budget: each person has as many, an equal part in each process."""
    each = -(-claims // (extent.people * extent.processes)) * extent.processes
    return replace(extent, claims=each * extent.people)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--claims", type=int, default=Extent.claims, help="of one budget; refunds, coupons and packets come with them"
    )
    parser.add_argument("--people", type=int, default=Extent.people)
    parser.add_argument("--kills", type=int, default=Extent.kills)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    signal(SIGTERM, default_int_handler)  # Who ends it early finds nothing left running, and the logs.
    extent = bounded(asked.claims, replace(Extent(), people=asked.people, kills=asked.kills))
    directory = Path(tempfile.mkdtemp(prefix="hutong-claims-", dir="/tmp"))
    directory.chmod(0o711)
    console = Console()
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("people move in", total=None)

        def tell(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description="claims")
            if what:
                bar.console.print(what, highlight=False)

        with town_of(directory / "town", wired=True, payers=0) as town:
            found = run(town, extent, asked.seed, tell)
    directory.rmdir()
    for name, figure in found.figures().items():
        console.print(f"{name:>40}  {figure:,}", highlight=False)
    console.print(*(found.wrong[:50] or ["nothing given twice, nothing lost, to the fen"]), sep="\n", highlight=False)
    if asked.json is not None:
        asked.json.write_text(json.dumps({"seed": asked.seed, **found.figures()}, indent=1) + "\n", encoding="utf-8")
    return int(bool(found.wrong))


if __name__ == "__main__":
    sys.exit(main())
