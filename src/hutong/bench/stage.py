"""The stage for payments: merchants with plates, users with money, quotes, all made through the nodes' own APIs."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from urllib.parse import quote

from hutong.app.node_client import NodeClient
from hutong.bench.load import Payer
from hutong.kernel.clock import NS_PER_MS, SystemClock
from hutong.kernel.ids import IdMint, id_text, system_randomness

# An amount in fen of which each of the three fees is at least one.
WITH_FEES = 300
_FEES = [{"mcc_prefix": "", "interchange_bps": 25, "switch_fee_bps": 20}]
_FEES_BEGIN_MS = 1000
PAID_IN = 90_000  # Below what a payer of the lowest tier may spend in a year.
_AT_ONCE = 16
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the network under load, wherever it runs."""

    url: str
    operator_token: str


@dataclass(frozen=True, slots=True)
class Stage:
    """Payers of one institution, and a plate of its own and one of another's."""

    payer_url: str
    tokens: list[str]
    user_ids: list[str]
    plate_here: str
    plate_there: str

    async def payers(self, plate: str, count: int, amount: int = 0) -> list[Payer]:
        """So many payers, each with a fresh quote for the plate; with an amount, for so much of it."""

        async def quoted(token: str) -> Payer:
            async with NodeClient(self.payer_url, token) as client:
                answer = await client.post("/v1/codes/consult", {"code": plate, "amount": amount})
            return Payer(self.payer_url, token, answer["quote_id"])

        return await few_at_once([lambda token=token: quoted(token) for token in self.tokens[:count]])  # type: ignore[misc]


async def set_stage(payers_at: Place, payees_at: Place, count: int, *, first: int = 0) -> Stage:
    """Register `count` users from the `first` number on, and fund them; take one merchant on at each of the two nodes."""
    mint = IdMint(SystemClock(), system_randomness())
    here = await _plate(payers_at)
    there = await _plate(payees_at)
    async with NodeClient(payers_at.url) as anybody, NodeClient(payers_at.url, payers_at.operator_token) as operator:

        async def user(number: int) -> tuple[str, str]:
            phone = f"+86138{number:08d}"
            await anybody.post("/v1/users/codes", {"phone": phone})
            code = await operator.get(f"/v1/operator/one-time-codes/{quote(phone, safe='')}")
            device_id = id_text("dev", mint.mint())
            body = {"phone": phone, "name": "王小明", "code": code["code"], "registration_id": device_id}
            signed = await anybody.post("/v1/users", body | {"device_id": device_id, "device_name": "bench"})
            pay_in = {"pay_in_id": id_text("pin", mint.mint()), "user_id": signed["user"]["id"], "amount": PAID_IN}
            await operator.post("/v1/operator/pay-ins", pay_in)
            return str(signed["token"]), str(signed["user"]["id"])

        users = await few_at_once([partial(user, number) for number in range(first, first + count)])
    return Stage(payers_at.url, [token for token, _ in users], [id_ for _, id_ in users], here, there)


async def begin_fees(switch: Place) -> None:
    """Have the scheme charge interchange and a fee of its own from a moment from now on; returns when it does."""
    begins_at_ms = SystemClock().now_ns() // NS_PER_MS + _FEES_BEGIN_MS
    async with NodeClient(switch.url, switch.operator_token) as operator:
        await operator.put("/v1/fees/bench-1", {"starts_at_ms": begins_at_ms, "rules": _FEES})
    await asyncio.sleep(2 * _FEES_BEGIN_MS / 1000)


async def _plate(place: Place) -> str:
    async with NodeClient(place.url, place.operator_token) as operator:
        profile = {"legal_name": "Hutong Noodles Ltd", "name": "胡同面馆", "latin_name": "Hutong Noodles"}
        where = {"reference": "bench", "city": "北京", "latin_city": "Beijing", "mcc": "5812", "fee_bps": 100}
        merchant = await operator.post("/v1/operator/merchants", profile | where)
        issued = await operator.post(f"/v1/operator/merchants/{merchant['merchant_id']}/keys", {"name": "owner"})
    async with NodeClient(place.url, issued["token"]) as owner:
        plate = await owner.post("/v1/plates", {"reference": "counter"})
    return str(plate["text"])


async def few_at_once(errands: list[Callable[[], Awaitable[T]]]) -> list[T]:
    """Their results, in order."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def run(errand: Callable[[], Awaitable[T]]) -> T:
        async with gate:
            return await errand()

    return list(await asyncio.gather(*(run(errand) for errand in errands)))
