"""
What marketing costs payments: the same load without a campaign and with one that gives a fen, in turn; and one decision among
two hundred campaigns.

On us the discount's leg is of the payment's own chain, across it is held at the payer's institution: one transfer and one
row of award more, and another version of it when it is decided.
"""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from statistics import median
from typing import Any

from hutong.app.network import DEMO_NETWORK, Network
from hutong.app.node_client import NodeClient
from hutong.app.up import RunningNetwork, running_network, schema_of
from hutong.bench.figures import Figures, Progress
from hutong.bench.load import Plan
from hutong.bench.payments import observed
from hutong.bench.scratch import Scratch
from hutong.bench.stage import Place, Stage, few_at_once, set_stage
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.cashier import Cashier, Occasion
from hutong.kernel.clock import NS_PER_MS, NS_PER_S, SystemClock
from hutong.kernel.ids import IdMint, id_text, parse_id, system_randomness
from hutong.runtime.database import Database
from hutong.runtime.settings import Settings
from hutong.runtime.shelf import warmed
from hutong.scheme.messages import Channel

CAMPAIGNS = 200
_AMOUNT = 2  # A fen off leaves one, and no payer reaches a limit of the day.
_WARM_S = 0.5
_DEPOSIT = 10**12
_DAY_MS = 86_400_000
_DECISIONS = 4_000
_DEBTOR, _CREDITOR = "jing", "wei"
_NODES = Network(nodes=tuple(spec for spec in DEMO_NETWORK.nodes if spec.node in {"switch", _DEBTOR, _CREDITOR}))


async def measure(
    scratch: Scratch, figures: Figures, *, clients: int, seconds: float, rounds: int, progress: Progress
) -> None:
    """On us and across, with a discount and without; then what one decision takes."""
    steps = 2 * rounds + 2  # The network, the rounds of each way, and the decisions.
    progress("marketing: bringing up a network", 0, steps)
    settings = Settings(data_directory=scratch.directory / "marketing", ports={})
    async with running_network(settings, _NODES, scratch.address) as network:
        payers_at, payees_at = (Place(network[name].url, network[name].operator_token) for name in (_DEBTOR, _CREDITOR))
        stage = await set_stage(payers_at, payees_at, clients)
        async with _operator(network) as operator:
            sponsor = await _sponsor(operator)
            campaign = await _draft(operator, sponsor, 0, [{"off": 1}])
            for at, (way, plate) in enumerate((("onus", stage.plate_here), ("interop", stage.plate_there))):
                progress(
                    f"marketing: {way}, {clients} clients, {rounds} rounds with and without a discount",
                    1 + at * rounds,
                    steps,
                )

                def told(number: int, done: int = 1 + at * rounds) -> None:
                    progress("", done + number, steps)

                await _in_turn(
                    operator,
                    campaign,
                    stage,
                    plate,
                    scratch,
                    figures,
                    f"marketing_{way}",
                    clients,
                    seconds,
                    rounds,
                    told,
                )
            progress(f"marketing: deciding among {CAMPAIGNS} campaigns", steps - 1, steps)
            # All at once, as quickly as the API takes them: what is measured is the decision.
            await few_at_once([partial(_begun, operator, sponsor, number) for number in range(1, CAMPAIGNS + 1)])
            await _decisions(network, stage, figures)
            progress("", steps, steps)
    for spec in _NODES.nodes:
        await Database(scratch.address, schema_of(spec.node)).drop()


@asynccontextmanager
async def _operator(network: RunningNetwork) -> AsyncIterator[NodeClient]:
    node = network[_DEBTOR]
    async with NodeClient(node.url, node.operator_token) as client:
        yield client


async def _sponsor(operator: NodeClient) -> str:
    """Somebody with money for all of it."""
    asked = {"reference": "bench", "kind": "INSTITUTION", "name": "胡同支付"}
    sponsor_id = str((await operator.post("/v1/operator/sponsors", asked))["sponsor_id"])
    deposit = {"deposit_id": _new_id("dep"), "amount": _DEPOSIT}
    await operator.post(f"/v1/operator/sponsors/{sponsor_id}/deposits", deposit)
    return sponsor_id


async def _begun(operator: NodeClient, sponsor: str, number: int) -> None:
    campaign = await _draft(operator, sponsor, number, _rows(number))
    await operator.post(f"/v1/operator/campaigns/{campaign}/start", {})


async def _draft(operator: NodeClient, sponsor: str, number: int, rows: list[dict[str, Any]]) -> str:
    asked = {
        "campaign_id": _new_id("cmp"),
        "name": f"立减 {number}",
        "sponsors": [{"sponsor_id": sponsor}],
        "budget": _DEPOSIT // (2 * CAMPAIGNS),
        "terms": {"rules": {"rows": rows}, "holdout_bps": 0},
        "ends_at_ms": SystemClock().now_ns() // NS_PER_MS + _DAY_MS,
    }
    return str((await operator.post("/v1/operator/campaigns", asked))["campaign_id"])


def _rows(number: int) -> list[dict[str, Any]]:
    """Five rows of a campaign, which differ from those of the others: what is bought, where, how much, when and by whom."""
    floor = 100 * (1 + number % 20)
    return [
        {"when": {"mcc": f"'{5_000 + number}'", "amount": f">= {floor}"}, "off": number},
        {"when": {"hour": f"[{number % 12}..{number % 12 + 8})", "amount": f">= {floor}"}, "off": 1 + number % 7},
        {"when": {"weekday": "6, 7", "new": "true"}, "bps": 100, "max": 500},
        {"when": {"channel": "'STATIC', 'DYNAMIC'", "amount": f">= {2 * floor}"}, "off": 1 + number % 5},
        {"when": {"tier": ">= 2", "creditor_agent": "'wei', 'zhi'"}, "bps": 10, "max": 100},
    ]


async def _in_turn(
    operator: NodeClient,
    campaign: str,
    stage: Stage,
    plate: str,
    scratch: Scratch,
    figures: Figures,
    name: str,
    clients: int,
    seconds: float,
    rounds: int,
    told: Callable[[int], None],
) -> None:
    """
    The medians of some rounds of each; of the processor's time, too, by part. `with_to_without` is the median of what each round
    says by itself: a machine that slows down meanwhile slows both, and each comes first in every second round.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for number in range(1, rounds + 1):
        for how in ("without", "with") if number % 2 else ("with", "without"):
            if how == "with":
                await operator.post(f"/v1/operator/campaigns/{campaign}/start", {})
            payers = await stage.payers(plate, clients, _AMOUNT)
            outcome, cpu_us = await observed(scratch, Plan(payers, seconds, _WARM_S, amount=_AMOUNT), f"{name}_{how}")
            if how == "with":
                await operator.post(f"/v1/operator/campaigns/{campaign}/pause", {})
            found[f"{how}_per_s"].append(outcome.per_s)
            found[f"{how}_p99_ms"].append(outcome.p99_ms)
            found[f"{how}_others"].append(sum(outcome.others.values()))
            for part, us in cpu_us.items():
                found[f"{how}_{part}_cpu_us"].append(us)
        found["with_to_without"].append(found["with_per_s"][-1] / max(found["without_per_s"][-1], 1))
        told(number)
    for each, values in found.items():
        figures.note(f"{name}_{each}", median(values))


async def _decisions(network: RunningNetwork, stage: Stage, figures: Figures) -> None:
    """
    Processor time of one offer, each of another amount and second of the day: the rows that fit are remembered by what they can
    tell apart, of a whole offer there is no memory. Of `new` occasions nobody has asked before, `known` are the same once more.
    """
    node = network[_DEBTOR].site.node
    assert isinstance(node, InstitutionNode)
    async with NodeClient(stage.payer_url, stage.tokens[0]) as client:
        payer_id = parse_id("usr", (await client.get("/v1/users/me"))["id"])
    now_ns, cashier = SystemClock().now_ns(), node.payments.cashier
    occasions = [_occasion(payer_id, 100 + 7 * n, now_ns + n * NS_PER_S) for n in range(_DECISIONS)]
    began_s = time.process_time()
    await warmed(node.node.journal, lambda: cashier.payer_offer(occasions[0]))
    figures.note("marketing_decision_first_ms", 1e3 * (time.process_time() - began_s))
    for name in ("new", "known"):
        began_s = time.process_time()
        given = _ask(cashier, occasions)
        figures.note(f"marketing_decision_{name}_us", 1e6 * (time.process_time() - began_s) / _DECISIONS)
    figures.note("marketing_decisions_given", given)


def _ask(cashier: Cashier, occasions: list[Occasion]) -> int:
    return sum(cashier.payer_offer(occasion) is not None for occasion in occasions)


def _occasion(payer_id: int, amount: int, now_ns: int) -> Occasion:
    return Occasion(
        payer_id=payer_id,
        debtor_agent=_DEBTOR,
        creditor_agent=_CREDITOR,
        request_id=1 << 80,
        mcc=str(5_000 + amount % 250),
        channel=Channel.STATIC_CODE,
        amount=amount,
        currency="CNY",
        now_ns=now_ns,
    )


def _new_id(prefix: str) -> str:
    return id_text(prefix, IdMint(SystemClock(), system_randomness()).mint())
