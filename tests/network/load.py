"""
A closed loop of payers and tills that keep a log of every id and every answer.

Whatever goes wrong on the way, they do what a careful client does: the same again under the same id, until there is an
answer. The log is then held against the auditor's findings.
"""

import asyncio
import base64
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx

from hutong.codes.payment_code import PaymentCodeGenerator
from hutong.kernel.ids import seeded_randomness
from tests.network.audit import Audit
from tests.network.street import NO_TLS, Payer, Till, new_id

ANSWER_S = 30  # Who waits longer for any answer at all has been left hanging, however busy the machine is.
_AGAIN_S = 0.15
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Diary:
    """What clients asked and were told, a line each, written as it happens: for `tests.network.history`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def note(self, what: str, **facts: Any) -> None:
        self._file.write(json.dumps({"what": what, **facts}) + "\n")

    def opened(self, payer: Payer, funds: int) -> None:
        self.note("opened", who=payer.user_id, node=payer.node, funds=funds)

    def close(self) -> None:
        self._file.close()


@dataclass
class Entry:
    """One payment or refund: what was asked, and every answer in order."""

    kind: str
    node: str
    id: str
    token: str
    path: str
    body: dict[str, Any]
    payer: Payer
    crosses: bool = False  # From one institution to another.
    answers: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        number = 0
        for letter in self.id.rpartition("_")[2]:
            number = number * 32 + _LETTERS.index(letter)
        return number

    @property
    def final(self) -> str:
        """COMPLETED, REJECTED, REFUSED (before anything was written), or nothing: unknown."""
        return next((answer for answer in self.answers if answer in {"COMPLETED", "REJECTED", "REFUSED"}), "")


@dataclass
class Load:
    """Payers of some nodes, each paying each till, and tills that give some of it back."""

    payers: Sequence[Payer]
    tills: Sequence[Till]
    seed: int
    diary: Diary | None = None
    log: list[Entry] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    running: bool = False
    crossed_at: float = 0  # When a payment from one institution to another last completed.
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def start(self) -> None:
        self.running = True
        self._tasks = [
            asyncio.create_task(self._pay(payer, seeded_randomness(self.seed << 8 | n)))
            for n, payer in enumerate(self.payers)
        ]

    async def stop(self) -> None:
        """Begin nothing more; what is under way may stay unknown."""
        self.running = False
        await asyncio.gather(*self._tasks)

    async def settle(self, within_s: float = 30) -> None:
        """Everything is healed: whatever is unknown gets its answer now."""
        ends_at = time.monotonic() + within_s
        async with httpx.AsyncClient(timeout=ANSWER_S, trust_env=False, verify=NO_TLS) as http:
            for entry in self.log:
                while not entry.final and time.monotonic() < ends_at:
                    await self._ask(http, entry)
                    if not entry.final:
                        await asyncio.sleep(_AGAIN_S)
                if not entry.final:
                    self.wrong.append(f"{entry.kind} {entry.id} has no answer: {entry.answers[-5:]}")

    @property
    def completed(self) -> int:
        return sum(entry.final == "COMPLETED" for entry in self.log)

    async def _pay(self, payer: Payer, random: Random) -> None:
        async with httpx.AsyncClient(timeout=ANSWER_S, trust_env=False, verify=NO_TLS) as http:
            await self._charge(http, payer, random.choice(self.tills))
            while self.running:
                till = random.choice(self.tills)
                quote = await self._quote(http, payer, till)
                for _ in range(random.randint(1, 10)):
                    if quote is None or not self.running:
                        break
                    paid, id_ = random.randint(1, 9), new_id("pay")
                    body = {"payment_id": id_, "quote_id": quote, "amount": paid}
                    entry = Entry("payment", payer.node, id_, payer.token, f"{payer.url}/v1/payments", body, payer)
                    entry.crosses = payer.node != till.node
                    await self._until_answered(http, entry)
                    if entry.final == "REFUSED":
                        break  # Quotes do not outlive their node.
                    if entry.final == "COMPLETED" and random.random() < 0.2:
                        back_id, amount = new_id("rfd"), random.randint(1, paid)
                        back = {"refund_id": back_id, "payment_id": id_, "amount": amount}
                        refund = Entry("refund", till.node, back_id, till.token, f"{till.url}/v1/refunds", back, payer)
                        await self._until_answered(http, refund)
                if random.random() < 0.5:
                    await self._look(http, payer)

    async def _charge(self, http: httpx.AsyncClient, payer: Payer, till: Till) -> None:
        """A till scans the payer's payment code; a phone shows a new one every quarter of a minute, so once is enough."""
        try:
            response = await http.get(f"{payer.url}/v1/payment-codes/keys", headers=_token(payer.token))
        except httpx.TransportError as error:
            await self._unheard("keys", error)
            return
        self._note("keys", response)
        if not response.is_success:
            return
        said = response.json()
        phone = PaymentCodeGenerator(said["head_today"], base64.b64decode(said["seed"]))
        reference, code = new_id("r"), phone.generate(time.time_ns())
        body = {"reference": reference, "amount": 7, "way": "PAYMENT_CODE", "payer_code": code}
        entry = Entry("charge", till.node, reference, till.token, f"{till.url}/v1/charges", body, payer)
        await self._until_answered(http, entry)

    async def _quote(self, http: httpx.AsyncClient, payer: Payer, till: Till) -> str | None:
        try:
            response = await http.post(
                f"{payer.url}/v1/codes/consult", json={"code": till.plate, "amount": 0}, headers=_token(payer.token)
            )
        except httpx.TransportError as error:
            await self._unheard("consult", error)
            return None
        self._note("consult", response)
        if response.is_success:
            return str(response.json()["quote_id"])
        await asyncio.sleep(_AGAIN_S)
        return None

    async def _until_answered(self, http: httpx.AsyncClient, entry: Entry) -> None:
        self.log.append(entry)
        if self.diary is not None:
            amount, who = entry.body["amount"], entry.payer.user_id
            asked = {"id": entry.id, "kind": entry.kind, "node": entry.node, "who": who, "amount": amount}
            self.diary.note("asked", **asked, at=time.monotonic_ns())
        while True:
            await self._ask(http, entry)
            if entry.final or not self.running:
                return
            await asyncio.sleep(_AGAIN_S)

    async def _ask(self, http: httpx.AsyncClient, entry: Entry) -> None:
        try:
            response = await http.post(entry.path, json=entry.body, headers=_token(entry.token))
        except httpx.TransportError as error:
            self._take(entry, "unknown")
            await self._unheard(f"{entry.kind} {entry.id}", error)
            return
        self._note(entry.kind, response)
        said = response.json()
        if response.status_code == 202 or (entry.kind == "charge" and response.is_success):
            answer = {"PAID": "COMPLETED", "REJECTED": "REJECTED"}.get(said["state"], "PENDING")
        elif response.is_success:
            answer = str(said["state"])
        elif response.status_code in {429, 503, 504}:
            answer = "unknown"
        else:
            answer = str(said["facts"].get("state", "REFUSED"))
        self._take(entry, answer, str(said.get("request_id", "")))

    def _take(self, entry: Entry, answer: str, request: str = "") -> None:
        if entry.final and answer != entry.final:
            self.wrong.append(f"{entry.kind} {entry.id} was {entry.final}, and then {answer}")
        entry.answers.append(answer)
        if self.diary is not None:
            self.diary.note("answered", id=entry.id, answer=answer, request=request, at=time.monotonic_ns())
        if answer == "COMPLETED" and entry.crosses:
            self.crossed_at = time.monotonic()

    async def _look(self, http: httpx.AsyncClient, payer: Payer) -> None:
        """A payer reads their balance, which must fit what they have been told."""
        if self.diary is None:
            return
        asked = time.monotonic_ns()
        try:
            response = await http.get(f"{payer.url}/v1/balance", headers=_token(payer.token))
        except httpx.TransportError as error:
            await self._unheard("balance", error)
            return
        self._note("balance", response)
        if response.is_success:
            facts = {"who": payer.user_id, "asked": asked, "balance": response.json()["balance"]}
            self.diary.note("balance", **facts, at=time.monotonic_ns())

    def read_all(self) -> None:
        """All is quiet: everybody reads what they have, for the history."""
        assert self.diary is not None
        for payer in self.payers:
            now = time.monotonic_ns()
            self.diary.note("balance", who=payer.user_id, asked=now, at=now, balance=payer.balance, last=True)
        for till in self.tills:
            self.diary.note("takings", who=till.merchant_id, balance=till.balance)

    def _note(self, what: str, response: httpx.Response) -> None:
        if response.status_code >= 500 and response.status_code not in {503, 504}:
            self.wrong.append(f"{what}: {response.status_code} {response.text[:200]}")
        if not response.is_success:
            self.reasons[response.json()["reason"]] += 1

    async def _unheard(self, what: str, error: httpx.TransportError) -> None:
        self.reasons[type(error).__name__] += 1
        if isinstance(error, httpx.TimeoutException):
            self.wrong.append(f"{what} was left hanging for {ANSWER_S} s")
        await asyncio.sleep(_AGAIN_S)

    def compare(self, audit: Audit) -> list[str]:
        """What the log has and the ledgers have not, or the reverse."""
        wrong = list(self.wrong)
        for entry in self.log:
            if entry.kind != "payment":
                continue  # The auditor counts refunds against their payments.
            where = [
                name
                for name, ids in (
                    ("COMPLETED", audit.completed[entry.node]),
                    ("REJECTED", audit.rejected[entry.node]),
                )
                if entry.number in ids
            ]
            expected = [] if entry.final == "REFUSED" else [entry.final]
            if where != expected:
                wrong.append(f"payment {entry.id} was answered {entry.answers}, and the ledgers say {where}")
        return wrong


def _token(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
