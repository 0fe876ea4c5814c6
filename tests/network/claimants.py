"""
People who all want the same money, as a process of its own: coupons of one template, shares of one packet, one budget's discounts.

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
_TOLD_EVERY = 50


class Person(msgspec.Struct, frozen=True):
    """Somebody at an institution; who is not at the campaigns' own institution only opens packets."""

    url: str
    token: str
    user_id: str
    is_here: bool = True


class Plan(msgspec.Struct, frozen=True):
    """What one process does for each person; the same people are in other processes, too."""

    people: list[Person]
    coupons: int
    payments: int
    template_id: str
    plates: list[str]
    packets: list[list[str]]  # By person: the links to open, in order.
    connections: int
    seed: int
    diary: str


class Told(msgspec.Struct, frozen=True):
    """One claim: what was asked, and what came of it."""

    kind: str  # "coupon", "packet" or "payment".
    id: str  # The packet's link.
    user_id: str
    answer: str  # "GOOD", or the reason of a no.
    amount: int = 0
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


class _Claimants:
    """Some people, on one connection to each of their institutions: one request at a time."""

    def __init__(self, plan: Plan, errands: list[_Errand], random: Random, crowd: "_Crowd") -> None:
        self._plan = plan
        self._errands = errands
        self._random = random
        self._crowd = crowd
        self._mint = IdMint(SystemClock(), system_randomness())
        self._connections: dict[str, HttpConnection] = {}
        self._quotes: dict[str, tuple[str, int]] = {}  # By person: the quote, and what it takes off.
        self._good: list[tuple[Person, str, str, dict[str, Any], Told]] = []

    async def run(self) -> None:
        for errand in self._errands:
            match errand.kind:
                case "coupon":
                    await self._coupon(errand.person)
                case "packet":
                    await self._packet(errand.person, errand.link)
                case _:
                    await self._payment(errand.person)
            self._crowd.one_more()
        for person, kind, path, body, told in self._good:
            if not self._random.randrange(_AGAIN_OF):
                await self._ask_again(person, kind, path, body, told)
        for connection in self._connections.values():
            connection.close()

    async def _coupon(self, person: Person) -> None:
        id_ = id_text("cpn", self._mint.mint())
        await self._claim(
            person, "coupon", id_, "/v1/me/coupons", {"coupon_id": id_, "template_id": self._plan.template_id}
        )

    async def _packet(self, person: Person, link: str) -> None:
        await self._claim(person, "packet", link, "/v1/me/red-packets/claims", {"link": link})

    async def _payment(self, person: Person) -> None:
        """Pay with what is offered. Quotes do not outlive their node, so the same may take several payments."""
        while True:
            quote = self._quotes.get(person.user_id)
            if quote is None:
                code = self._random.choice(self._plan.plates)
                answer, unheard = await self._answered(person, "/v1/codes/consult", {"code": code, "amount": _PRICE})
                if answer.reason or not answer.discount:
                    self._crowd.note(
                        Told("offer", "", person.user_id, answer.reason or "NOTHING_OFFERED", unheard=unheard)
                    )
                    return
                quote = self._quotes[person.user_id] = answer.quote_id, answer.discount
            id_ = id_text("pay", self._mint.mint())
            body = {"payment_id": id_, "quote_id": quote[0], "amount": _PRICE}
            told = await self._claim(person, "payment", id_, "/v1/payments", body)
            if told.answer == "GOOD":
                return
            del self._quotes[person.user_id]  # What it offers is gone, or the node that made it.
            if told.answer != "QUOTE_UNKNOWN":
                return

    async def _claim(self, person: Person, kind: str, id_: str, path: str, body: dict[str, Any]) -> Told:
        answer, unheard = await self._answered(person, path, body)
        told = Told(kind, id_, person.user_id, answer.reason or "GOOD", _worth(kind, answer), unheard)
        if not self._random.randrange(_AGAIN_OF) or unheard:
            await self._ask_again(person, kind, path, body, told)
        self._crowd.note(told)
        if not answer.reason:
            self._good.append((person, kind, path, body, told))
        return told

    async def _ask_again(self, person: Person, kind: str, path: str, body: dict[str, Any], told: Told) -> None:
        if kind == "payment" and told.answer != "GOOD":
            return  # A payment that was refused may be made when there is something to be had again.
        answer, _ = await self._answered(person, path, body)
        self._crowd.repeats += 1
        again = answer.reason or "GOOD"
        if (again, _worth(kind, answer)) != (told.answer, told.amount) or (
            kind == "coupon" and again == "GOOD" and answer.coupon_id != told.id
        ):
            self._crowd.note(msgspec.structs.replace(told, contradicted=f"{again} {_worth(kind, answer)}"))

    async def _answered(self, person: Person, path: str, body: dict[str, Any]) -> tuple[_Answer, int]:
        """The answer, however often it must be asked for, and how often nothing came."""
        connection = self._connections.get(person.url)
        if connection is None:
            connection = self._connections[person.url] = HttpConnection(person.url, timeout_s=_ANSWER_S)
        headers = f"authorization: Bearer {person.token}\r\ncontent-type: application/json\r\n".encode()
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
            if answer.status != 202:  # A payment that is still under way.
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
