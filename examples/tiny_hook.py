"""
The tiny participant with the test hook of docs/scheme/conformance.md: its users and payees, for the conformance kit.

Never in life: whoever reaches the hook moves its users' money.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tiny_envelope import Message, No, new_id
from tiny_participant import Door, Participant, run

FUNDS = 50_000
VERBS = ("payer", "payee", "balance", "code", "pay", "payment", "refund", "return")


class Hook:
    """The verbs, by their names."""

    def __init__(self, participant: Participant) -> None:
        self.us = participant

    def offers(self) -> Message:
        return {"verbs": VERBS}

    def payer(self) -> Message:
        name = f"payer {new_id()}"
        self.us.durably(self.us.move, "cash", name, FUNDS)
        return {"payer": name}

    def payee(self) -> Message:
        return {"payee": f"payee {new_id()}"}

    def balance(self, of: str) -> Message:
        with self.us.lock:
            found = self.us.one("SELECT balance FROM account WHERE name = ?", of)
        return {"balance": found["balance"] if found else 0}

    def code(self, payee: str, amount: int) -> Message:
        id_ = new_id()
        text = f"{self.us.base}/q/{id_.upper()}"
        insert = "INSERT INTO code VALUES (?, ?, ?, ?, '')"
        self.us.durably(lambda: self.us.db.execute(insert, (id_, text, payee, amount)))
        return {"code": text}

    def pay(self, id: str, payer: str, code: str, amount: int) -> Message:
        self.us.pay(id, payer, code, amount)
        return self.payment(id)

    def payment(self, id: str) -> Message:
        with self.us.lock:
            state = self.us.deal(id, self.us.node)["state"]
        return {"state": "PENDING" if state == "HELD" else state}

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
            if verb not in {"offers", *VERBS}:
                status, answer = 404, {}
            else:
                hook = Hook(self.participant)
                status, answer = 200, getattr(hook, "return_" if verb == "return" else verb)(**facts)
        except No as no:
            status, answer = 422, {"reason": no.reason}
        self.send_response(status)
        body = json.dumps(answer).encode()
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    run(json.loads(Path(sys.argv[1]).read_text()), HookDoor)
