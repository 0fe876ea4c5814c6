"""
What a wallet has on top of tiny_participant.py: payers who pay, refunds that give back, and returns that come back.
"""

import contextlib
import os
import queue

from tiny_participant import Message, Participant, about, now_ms, parts, require


class Wallet(Participant):
    """Who sends money holds it first; from then on only the switch decides."""

    def __init__(self, told: Message) -> None:
        super().__init__(told)
        self.consults: dict[str, queue.Queue[Message]] = {}
        self.verbs["hutong.resolve"] = self.resolved

    def resolved(self, m: Message) -> None:
        if m["CnsltId"] in self.consults:
            self.consults[m["CnsltId"]].put(m)

    def check(self, m: Message) -> str:
        return self.check_return(m) if m["MsgTp"] == "pacs.004" else super().check(m)

    def check_return(self, m: Message) -> str:
        paid = self.deal(m["OrgnlTxId"], self.node)
        named = paid and [paid["m"].get(name) for name in ("DbtrAgt", "CdtrAgt", "Ccy")] + [paid["state"]]
        require(named == [m["DbtrAgt"], m["CdtrAgt"], m["Ccy"], "ACSC"], "ORIGINAL_PAYMENT_UNKNOWN", "NOOR")
        over = any(part > most for part, most in zip(parts(m), self.left(paid), strict=True))
        adds_up = sum(parts(m)) + m.get("CdtrDscntAmt", 0) == m["RtrdInstdAmt"]
        require(adds_up and not over, "AMOUNTS_DO_NOT_ADD_UP", "AM09")
        self.keep(paid | {"returns": [*paid.get("returns", []), m["RtrId"]]})
        return str(paid["moves"]["RJCT"][1])

    def left(self, paid: Message) -> list[int]:
        """What is left of a payment's parts; returns that are held count."""
        returns = [self.deal(id_, paid["m"]["CdtrAgt"]) for id_ in paid.get("returns", [])]
        given = [parts(each["m"]) for each in returns if each["state"] != "RJCT"]
        return [part - sum(gone) for part, *gone in zip(parts(paid["m"]), *given, strict=True)]

    def start(self, m: Message, account: str) -> None:
        """Hold the money and send: from here on only the switch decides."""
        require(0 < sum(parts(m)) <= (self.get("account", account) or 0), "BALANCE_INSUFFICIENT", "AM04")
        m |= {"AccptncDtTm": now_ms(), "XpryDtTm": now_ms() + 30_000}
        self.move(account, "held", sum(parts(m)))
        moves = {"ACSC": ["held", "clearing"], "RJCT": ["held", account]}
        deal = {"about": about(m), "m": m, "state": "HELD", "say": m, "wait_ms": 2_000}
        self.keep(deal | {"moves": moves})
        self.said.append(m)

    def pay(self, id_: str, payer: str, code: str, amount: int) -> None:
        """A payer confirms: consult, then pay. Refuses by the owner's reason, and BALANCE_INSUFFICIENT."""
        asked = {"MsgTp": "hutong.consult", "CnsltId": os.urandom(16).hex(), "Cd": code, "DbtrAgt": self.node}
        answer = self.consults[asked["CnsltId"]] = queue.Queue()
        self.waiting.put(asked)
        terms = {"CnsltSts": "REFUSED", "StsRsnPrtry": "NETWORK_SILENT", "LclInstrm": "STATIC", "MrchntCtgyCd": "0000"}
        terms |= {"Ccy": "CNY", "CdtrDscntAmt": 0}
        with contextlib.suppress(queue.Empty):
            terms |= answer.get(timeout=5)
        require(terms["CnsltSts"] == "FOUND", terms.get("StsRsnPrtry", ""))
        require(terms.get("InstdAmt", 0) in {0, amount}, "AMOUNT_DIFFERS")
        net = amount - terms["CdtrDscntAmt"]
        i, s = ((net * terms.get(name, 0) + 5_000) // 10_000 for name in ("IntrchgBps", "SwtchChrgBps"))
        m = {
            "MsgTp": "pacs.008",
            "TxId": id_,
            "EndToEndId": terms["PmtInfId"],
            "InstdAmt": amount,
            "DbtrAgt": self.node,
        }
        m |= {"IntrBkSttlmAmt": net - i - s, "IntrchgAmt": i, "SwtchChrgAmt": s}
        taken = ("CdtrDscntAmt", "FeeVrsn", "LclInstrm", "MrchntCtgyCd", "Ccy", "CdtrAgt")
        self.durably(self.start, m | {name: terms[name] for name in taken}, payer)

    def refund(self, id_: str, payment_id: str, debtor_agent: str, amount: int) -> None:
        """A payee gives back: each part's share of what is left, by largest remainder."""
        paid = self.deal(payment_id, debtor_agent)
        left = self.left(paid)
        require(paid["state"] == "ACSC" and 0 < amount <= sum(left), "REFUND_EXCEEDS_REMAINDER", "AM14")
        shares = [part * amount // sum(left) for part in left]
        for index in sorted(range(3), key=lambda n: -(left[n] * amount % sum(left)))[: amount - sum(shares)]:
            shares[index] += 1
        m = {"MsgTp": "pacs.004", "RtrId": id_, "OrgnlTxId": payment_id, "RtrdInstdAmt": amount}
        m |= dict(zip(("RtrdIntrBkSttlmAmt", "IntrchgAmt", "SwtchChrgAmt"), shares, strict=True))
        self.start(m | {name: paid["m"][name] for name in ("Ccy", "DbtrAgt", "CdtrAgt")}, paid["moves"]["ACSC"][1])
        self.keep(paid | {"returns": [*paid.get("returns", []), id_]})
