"""
People who all want the same money, as a process of its own: one budget's discounts, coupons of one template, shares of one packet.

A payment that was promised a fen off which somebody else got first is asked for again and again, and shops give payments back
meanwhile: so there is always somebody at the budget's last fen.

Reads a plan from standard input; says on standard output how many claims have their answer, and writes what it was told of each
into a diary. Whoever hears nothing asks the same again under the same id, as a careful client does; of what was answered some
is asked again, at once and in the end, and must be answered the same.
"""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import uvloop

from hutong.kernel.clock import SystemClock
from hutong.kernel.ids import IdMint, id_text, seeded_randomness, system_randomness
from hutong.runtime.http_client import HttpAnswer, HttpConnection, HttpFailure

_ANSWER_S = 30
_AGAIN_S, _AGAIN_MAX_S = 0.1, 1.6  # Twice as long each time: a node that starts must not be kept from it.
_AGAIN_OF = 20  # One in so many answers is asked for again.
_PRICE = 3  # Two fen off at most: one of the campaign's, one of a coupon.
_INSISTS = 0.75  # Who was promised a fen that is gone asks for it again, and does not look what there is now.
_TWICE_OF = 8  # One in so many refunds is asked for under a second id as well.
_TOLD_EVERY = 50


class Person(msgspec.Struct, frozen=True):
    """Somebody at an institution; who is not at the campaigns' own institution only opens packets."""

    url: str
    token: str
    user_id: str
    is_here: bool = True


class Shop(msgspec.Struct, frozen=True):
    """Where all of them pay: its plate, and its owner's key, to give payments back."""

    url: str
    token: str
    plate: str


class Plan(msgspec.Struct, frozen=True):
    """What one process does for each person; the same people are in other processes, too."""

    people: list[Person]
    coupons: int
    payments: int
    refunds: int
    template_id: str
    shops: list[Shop]  # Each time one of them; who is there twice is paid twice as often.
    packets: list[list[str]]  # By person: the links to open, in order.
    connections: int
    seed: int
    diary: str


class Told(msgspec.Struct, frozen=True):
    """One claim: what was asked, and what came of it."""

    kind: str  # "coupon", "packet", "payment" or "refund".
    id: str  # The packet's link.
    user_id: str  # Of a refund: the payment.
    answer: str  # "GOOD", or the reason of a no.
    amount: int = 0  # Of a share; what is off a payment.
    unheard: int = 0  # How often nothing came back.
    contradicted: str = ""  # Another answer to the same, later.


@dataclass(frozen=True)
class _Errand:
    """One claim to be made; `at` says when, between 0 and 1."""

    at: float
    kind: str
    person: Person
    link: str = ""


class _Answer(msgspec.Struct):
    """The parts of any answer that matter here."""

    reason: str = ""
    state: str = ""
    amount: int = 0
    discount: int = 0
    coupon_id: str = ""
    template_id: str = ""
    quote_id: str = ""


_decode = msgspec.json.Decoder(_Answer).decode
_Caller = Person | Shop


class _Claimants:
    """Some people, on one connection to each of their institutions: one request at a time."""

    def __init__(self, plan: Plan, errands: list[_Errand], random: Random, crowd: "_Crowd") -> None:
        self._plan = plan
        self._errands = errands
        self._random = random
        self._crowd = crowd
        self._mint = IdMint(SystemClock(), system_randomness())
        self._connections: dict[str, HttpConnection] = {}
        self._quotes: dict[str, tuple[str, int, Shop]] = {}  # By person: the quote, what it takes off, and where.
        self._paid: list[tuple[str, Shop]] = []  # What was cheaper, and was not given back.
        self._good: list[tuple[_Caller, str, str, dict[str, Any], Told]] = []

    async def run(self) -> None:
        for errand in self._errands:
            match errand.kind:
                case "coupon":
                    await self._coupon(errand.person)
                case "packet":
                    await self._packet(errand.person, errand.link)
                case "refund":
                    await self._refund()
                case _:
                    await self._payment(errand.person)
            self._crowd.one_more()
        for caller, kind, path, body, told in self._good:
            if not self._random.randrange(_AGAIN_OF):
                await self._ask_again(caller, kind, path, body, told)
        for connection in self._connections.values():
            connection.close()

    async def _coupon(self, person: Person) -> None:
        id_ = id_text("cpn", self._mint.mint())
        body = {"coupon_id": id_, "template_id": self._plan.template_id}
        await self._claim(person, "coupon", id_, person.user_id, "/v1/me/coupons", body)

    async def _packet(self, person: Person, link: str) -> None:
        await self._claim(person, "packet", link, person.user_id, "/v1/me/red-packets/claims", {"link": link})

    async def _payment(self, person: Person) -> None:
        """
        Pay with what is offered, and in full where nothing is: each is one claim of the budget.

        Quotes do not outlive their node, so the same may take several payments.
        """
        while True:
            quote = self._quotes.get(person.user_id)
            if quote is None:
                shop = self._random.choice(self._plan.shops)
                answer, _ = await self._answered(person, "/v1/codes/consult", {"code": shop.plate, "amount": _PRICE})
                if answer.reason:
                    self._crowd.note(Told("offer", "", person.user_id, answer.reason))
                    return
                quote = self._quotes[person.user_id] = answer.quote_id, answer.discount, shop
            quote_id, off, shop = quote
            id_ = id_text("pay", self._mint.mint())
            body = {"payment_id": id_, "quote_id": quote_id, "amount": _PRICE}
            told = await self._claim(person, "payment", id_, person.user_id, "/v1/payments", body)
            if told.answer == "GOOD":
                if off:
                    self._paid.append((id_, shop))
                else:
                    del self._quotes[person.user_id]  # There may be something now.
                return
            if off != 1 or told.answer != "DISCOUNT_GONE" or self._random.random() > _INSISTS:
                del self._quotes[person.user_id]  # What it offers is gone, or the node that made it.
            if told.answer != "QUOTE_UNKNOWN":
                return

    async def _refund(self) -> None:
        """A shop gives a payment back, and the budget has its fen again; at times twice, of which one is refused."""
        if not self._paid:
            return
        payment_id, shop = self._paid.pop(self._random.randrange(len(self._paid)))
        for _ in range(1 if self._random.randrange(_TWICE_OF) else 2):
            id_ = id_text("rfd", self._mint.mint())
            body = {"refund_id": id_, "payment_id": payment_id, "amount": _PRICE}
            await self._claim(shop, "refund", id_, payment_id, "/v1/refunds", body)

    async def _claim(self, caller: _Caller, kind: str, id_: str, whose: str, path: str, body: dict[str, Any]) -> Told:
        answer, unheard = await self._answered(caller, path, body)
        told = Told(kind, id_, whose, answer.reason or "GOOD", _worth(kind, answer), unheard)
        if not self._random.randrange(_AGAIN_OF) or unheard:
            await self._ask_again(caller, kind, path, body, told)
        self._crowd.note(told)
        if not answer.reason:
            self._good.append((caller, kind, path, body, told))
        return told

    async def _ask_again(self, caller: _Caller, kind: str, path: str, body: dict[str, Any], told: Told) -> None:
        if kind in {"payment", "refund"} and told.answer != "GOOD":
            return  # What was refused may be had later.
        answer, _ = await self._answered(caller, path, body)
        self._crowd.repeats += 1
        again = answer.reason or "GOOD"
        if (again, _worth(kind, answer)) != (told.answer, told.amount) or (
            kind == "coupon" and again == "GOOD" and answer.coupon_id != told.id
        ):
            self._crowd.note(msgspec.structs.replace(told, contradicted=f"{again} {_worth(kind, answer)}"))

    async def _answered(self, caller: _Caller, path: str, body: dict[str, Any]) -> tuple[_Answer, int]:
        """The answer, however often it must be asked for, and how often nothing came."""
        connection = self._connections.get(caller.url)
        if connection is None:
            connection = self._connections[caller.url] = HttpConnection(caller.url, timeout_s=_ANSWER_S)
        headers = f"authorization: Bearer {caller.token}\r\ncontent-type: application/json\r\n".encode()
        content, unheard = msgspec.json.encode(body), 0
        while True:
            try:
                answer = await connection.fetch("POST", path, content, headers)
            except HttpFailure:
                unheard += 1
                await self._later(unheard)
                continue
            if answer.status in {429, 502, 503, 504}:
                unheard += 1
                await self._later(unheard)
                continue
            if answer.status != 202:  # A payment or a refund that is still under way.
                return _read(answer), unheard
            await asyncio.sleep(_AGAIN_S)

    async def _later(self, times: int) -> None:
        await asyncio.sleep(min(_AGAIN_S * 2 ** (times - 1), _AGAIN_MAX_S) * (0.5 + self._random.random()))


class _Crowd:
    """All of a process, and what it says."""

    def __init__(self, diary: Path) -> None:
        self._diary = diary.open("wb")
        self._done = 0
        self.repeats = 0

    def note(self, told: Told) -> None:
        self._diary.write(msgspec.json.encode(told) + b"\n")

    def one_more(self) -> None:
        self._done += 1
        if self._done % _TOLD_EVERY == 0:
            self.tell()

    def tell(self) -> None:
        sys.stdout.write(f"{self._done} {self.repeats}\n")
        sys.stdout.flush()

    def close(self) -> None:
        self._diary.close()
        self.tell()


def _read(answer: HttpAnswer) -> _Answer:
    if answer.status >= 500:
        return _Answer(reason=f"{answer.status} {answer.body[:200]!r}")
    return _decode(answer.body)


def _worth(kind: str, answer: _Answer) -> int:
    match kind:
        case "packet":
            return answer.amount
        case "payment":
            return answer.discount
    return 0


def _errands(plan: Plan, random: Random) -> Iterator[list[_Errand]]:
    """By connection: what its people want, spread over the whole time; packets are opened one after the other, by all at once."""
    by_connection: list[list[_Errand]] = [[] for _ in range(plan.connections)]
    for number, (person, links) in enumerate(zip(plan.people, plan.packets, strict=True)):
        wanted = by_connection[number % plan.connections]
        if person.is_here:
            wanted += [_Errand(random.random(), "coupon", person) for _ in range(plan.coupons)]
            wanted += [_Errand(random.random(), "payment", person) for _ in range(plan.payments)]
            wanted += [_Errand(random.random(), "refund", person) for _ in range(plan.refunds)]
        wanted += [
            _Errand((at + random.random() / 4) / len(links), "packet", person, link) for at, link in enumerate(links)
        ]
    for wanted in by_connection:
        wanted.sort(key=lambda errand: errand.at)
        yield wanted


async def _run(plan: Plan) -> None:
    random = seeded_randomness(plan.seed)
    crowd = _Crowd(Path(plan.diary))
    try:
        await asyncio.gather(*(_Claimants(plan, errands, random, crowd).run() for errands in _errands(plan, random)))
    finally:
        crowd.close()


if __name__ == "__main__":
    uvloop.run(_run(msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)))
