"""
The tiny participant with the test hook of docs/scheme/conformance.md: users and payees, for the conformance kit.

Never in life: whoever reaches the hook moves its users' money.
"""

import json
import sys
import uuid
from pathlib import Path
from typing import Any

from tiny_participant import Door, Message, No, Participant, run
from tiny_wallet import Wallet

FUNDS = 50_000


def new_id() -> str:
    return uuid.uuid4().hex


class Hook:
    """The verbs, by their names: those of an acquirer."""

    verbs: tuple[str, ...] = ("payee", "balance", "code")

    def __init__(self, participant: Participant) -> None:
        self.us = participant

    def offers(self) -> Message:
        return {"verbs": self.verbs}

    def payee(self) -> Message:
        return {"payee": f"payee {new_id()}"}

    def balance(self, of: str) -> Message:
        return {"balance": self.us.get("account", of) or 0}

    def code(self, payee: str, amount: int) -> Message:
        id_ = new_id()
        code = {"id": id_, "payee": payee, "amount": amount, "claimed": None}
        self.us.durably(self.us.put, "code", id_, code)
        return {"code": f"{self.us.base}/q/{id_.upper()}"}


class WalletHook(Hook):
    """And those of a wallet, with refunds."""

    verbs = (*Hook.verbs, "payer", "pay", "payment", "refund", "return")
    us: Wallet

    def payer(self) -> Message:
        name = f"payer {new_id()}"
        self.us.durably(self.us.move, "cash", name, FUNDS)
        return {"payer": name}

    def pay(self, id: str, payer: str, code: str, amount: int) -> Message:
        self.us.pay(id, payer, code, amount)
        return self.payment(id)

    def payment(self, id: str) -> Message:
        states = {"HELD": "PENDING", "ACSC": "COMPLETED", "RJCT": "REJECTED"}
        return {"state": states[self.us.deal(id, self.us.node)["state"]]}

    def refund(self, id: str, payee: str, payment: str, debtor_agent: str, amount: int) -> Message:
        self.us.durably(self.us.refund, id, payment, debtor_agent, amount)
        return self.payment(id)

    def return_(self, id: str) -> Message:
        return self.payment(id)


class HookDoor(Door):
    """The scheme's endpoint, and below `/hook/` the verbs."""

    def do_POST(self) -> None:
        if not self.path.startswith("/hook/"):
            super().do_POST()
            return
        facts = json.loads(self.rfile.read(int(self.headers["content-length"])))
        verb = self.path.removeprefix("/hook/")
        answer: Any
        try:
            hook = (WalletHook if isinstance(self.participant, Wallet) else Hook)(self.participant)
            if verb not in {"offers", *hook.verbs}:
                status, answer = 404, {}
            else:
                status, answer = 200, getattr(hook, "return_" if verb == "return" else verb)(**facts)
        except No as no:
            status, answer = 422, {"reason": no.args[0]["reason"]}
        self.answer(status, json.dumps(answer).encode())


if __name__ == "__main__":
    settings = json.loads(Path(sys.argv[1]).read_text())
    run((Wallet if settings.get("wallet", True) else Participant)(settings), settings["listen"], HookDoor)
