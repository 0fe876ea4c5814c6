"""
A participant in one file, written from docs/scheme alone: Python's standard library and PyNaCl.

A wallet and an acquirer at once: consults, payments and returns, on both sides, in CNY and without a merchant fee. What
it says it did is in its SQLite file first (`synchronous=FULL`). README.md beside it says how to run it.
"""

import http.server
import json
import os
import queue
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny_envelope import BODY_MAX, STATUS, Message, No, Wire, new_id, now_ms

SCHEMA = """
PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, balance INTEGER);
CREATE TABLE IF NOT EXISTS code (id TEXT PRIMARY KEY, text TEXT UNIQUE, payee TEXT, amount INTEGER, claimed TEXT);
CREATE TABLE IF NOT EXISTS deal (id TEXT, originator TEXT, role TEXT, state TEXT, account TEXT, of TEXT, message TEXT,
  why TEXT, next_ms INTEGER, wait_ms INTEGER, PRIMARY KEY (id, originator));
CREATE INDEX IF NOT EXISTS deal_of ON deal (of);
CREATE TABLE IF NOT EXISTS secret (seed BLOB);
"""


def parts(m: Message) -> list[int]:
    """What crosses to the other agent, i and s: of a payment, or a return's shares of them."""
    settled = "RtrdIntrBkSttlmAmt" if m["MsgTp"] == "pacs.004" else "IntrBkSttlmAmt"
    return [m.get(name, 0) for name in (settled, "IntrchgAmt", "SwtchChrgAmt")]


class Participant:
    """The books, and what is decided on them; a `durably` is one transaction, and its words leave behind the commit."""

    def __init__(self, node: str, database: str, base: str) -> None:
        self.node, self.base, self.lock, self.said = node, base, threading.RLock(), list[Message]()
        self.consults: dict[str, queue.Queue[Message]] = {}
        self.db = sqlite3.connect(database, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.db.executescript(SCHEMA)
        self.db.execute("INSERT INTO secret SELECT ? WHERE NOT EXISTS (SELECT 1 FROM secret)", (os.urandom(32),))
        self.db.execute("UPDATE deal SET next_ms = 0, wait_ms = 1000")  # Whoever was undecided asks after a restart.
        self.db.commit()
        self.seed: bytes = self.one("SELECT seed FROM secret")["seed"]
        self.wire: Wire

    def one(self, sql: str, *values: Any) -> Any:
        return self.db.execute(sql, values).fetchone()

    def durably(self, decide: Callable[..., None], *facts: Any) -> None:
        """One transaction; what it has to say leaves behind the commit, which survives a power cut."""
        with self.lock:
            self.said = []
            with self.db:
                decide(*facts)
            for message in self.said:
                self.wire.waiting.put(message)

    def move(self, debit: str, credit: str, amount: int) -> None:
        for name, change in ((debit, -amount), (credit, amount)):
            self.db.execute("INSERT INTO account VALUES (?, 0) ON CONFLICT DO NOTHING", (name,))
            self.db.execute("UPDATE account SET balance = balance + ? WHERE name = ?", (change, name))

    def deal(self, id_: str, originator: str) -> Any:
        return self.one("SELECT * FROM deal WHERE id = ? AND originator = ?", id_, originator)

    def write(self, m: Message, role: str, state: str, account: str = "", of: str = "", why: str = "") -> Any:
        key = (m["RtrId"], m["CdtrAgt"]) if m["MsgTp"] == "pacs.004" else (m["TxId"], m["DbtrAgt"])
        row = (*key, role, state, account, of, json.dumps(m), why, now_ms() + 2_000, 2_000)
        self.db.execute("INSERT INTO deal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return self.deal(*key)

    def say(self, deal: Any) -> None:
        """How others' instruction stands with us; of a completed one there is nothing to say."""
        said = {"HELD": {"TxSts": "ACSP"}, "REJECTED": {"TxSts": "RJCT", "StsRsnCd": deal["why"]}}.get(deal["state"])
        if said is not None:
            about = {"MsgTp": "pacs.002", "OrgnlTxId": deal["id"], "OrgnlInstgAgt": deal["originator"]}
            self.said.append(about | said)

    def heard(self, messages: list[Message]) -> None:
        verbs = {"hutong.consult": self.consulted, "pacs.008": self.offered, "pacs.004": self.offered}
        verbs |= {"pacs.002": self.told, "hutong.resolve": self.resolved}
        for message in messages:
            verbs.get(message["MsgTp"], lambda _: None)(message)

    def resolved(self, m: Message) -> None:
        if m["CnsltId"] in self.consults:
            self.consults[m["CnsltId"]].put(m)

    def consulted(self, m: Message) -> None:
        code = self.one("SELECT * FROM code WHERE text = ?", m["Cd"])
        answer = {"MsgTp": "hutong.resolve", "CnsltId": m["CnsltId"], "DbtrAgt": m["DbtrAgt"]}
        answer |= {"CnsltSts": "REFUSED", "StsRsnCd": "NARR", "StsRsnPrtry": "CODE_UNKNOWN"}
        if code is not None:
            answer |= {"CnsltSts": "FOUND", "StsRsnCd": "", "StsRsnPrtry": "", "CdtrNm": "Tiny Noodles"}
            answer |= {"PmtInfId": code["id"], "InstdAmt": code["amount"], "MrchntCtgyCd": "5812"}
            answer |= {"SttcInd": not code["amount"], "LclInstrm": "DYNAMIC" if code["amount"] else "STATIC"}
        self.said.append(answer)

    def offered(self, m: Message) -> None:
        """Others pay a payee of ours (pacs.008), or give back to a payer (pacs.004): accept or refuse, once for all."""
        back = m["MsgTp"] == "pacs.004"
        deal = self.deal(m["RtrId"], m["CdtrAgt"]) if back else self.deal(m["TxId"], m["DbtrAgt"])
        try:
            if deal is None:
                deal = self.write(m, "in", "HELD", *(self.check_return(m) if back else self.check_payment(m)))
        except No as no:
            deal = self.write(m, "in", "REJECTED", why=no.code)
        self.say(deal)

    def check_payment(self, m: Message) -> tuple[str, str]:
        code = self.one("SELECT * FROM code WHERE id = ?", m["EndToEndId"])
        if code is None or (m["MrchntCtgyCd"], m["Ccy"], m.get("CdtrDscntAmt", 0)) != ("5812", "CNY", 0):
            raise No("CODE_UNKNOWN")
        if code["amount"] not in {0, m["InstdAmt"]} or sum(parts(m)) != m["InstdAmt"]:
            raise No("AMOUNT_DIFFERS", "AM09")
        if code["amount"] and code["claimed"]:
            raise No("ALREADY_BEING_PAID", "DUPL")
        self.db.execute("UPDATE code SET claimed = ? WHERE id = ?", (m["TxId"], code["id"]))
        return code["payee"], code["id"]

    def left(self, payment: Message) -> list[int]:
        """What is left of a payment's parts; returns that are held count."""
        returns = "SELECT message FROM deal WHERE of = ? AND state != 'REJECTED'"
        given = [parts(json.loads(row["message"])) for row in self.db.execute(returns, (payment["TxId"],))]
        return [part - sum(gone) for part, *gone in zip(parts(payment), *given, strict=True)]

    def check_return(self, m: Message) -> tuple[str, str]:
        paid = self.deal(m["OrgnlTxId"], self.node)
        payment = json.loads(paid["message"]) if paid else {}
        if not paid or (payment["CdtrAgt"], payment["Ccy"], paid["state"]) != (m["CdtrAgt"], m["Ccy"], "COMPLETED"):
            raise No("ORIGINAL_PAYMENT_UNKNOWN", "NOOR")
        over = any(part > most for part, most in zip(parts(m), self.left(payment), strict=True))
        if over or sum(parts(m)) + m.get("CdtrDscntAmt", 0) != m["RtrdInstdAmt"]:
            raise No("AMOUNTS_DO_NOT_ADD_UP", "AM09")
        return paid["account"], m["OrgnlTxId"]

    def told(self, m: Message) -> None:
        """The switch's decision. A RJCT of what was never seen leaves a tombstone."""
        deal, done = self.deal(m["OrgnlTxId"], m["OrgnlInstgAgt"]), m["TxSts"] == "ACSC"
        if deal is None and m["TxSts"] == "RJCT":
            buried = {"MsgTp": "pacs.008", "TxId": m["OrgnlTxId"], "DbtrAgt": m["OrgnlInstgAgt"]}
            self.write(buried, "in", "REJECTED", why="NARR")
        if deal is None or deal["state"] != "HELD" or m["TxSts"] not in {"ACSC", "RJCT"}:
            return
        update = "UPDATE deal SET state = ?, why = ? WHERE id = ? AND originator = ?"
        why = m.get("StsRsnCd") or "MS03"
        self.db.execute(update, ("COMPLETED" if done else "REJECTED", why, deal["id"], deal["originator"]))
        sent = json.loads(deal["message"])
        amount = sent.get("RtrdInstdAmt") or sent["InstdAmt"]
        if deal["role"] == "out":
            self.move("held", "clearing" if done else deal["account"], amount - sent.get("CdtrDscntAmt", 0))
        elif done:
            self.move("clearing", deal["account"], amount - sent.get("CdtrDscntAmt", 0))
        else:
            self.db.execute("UPDATE code SET claimed = '' WHERE claimed = ?", (deal["id"],))

    def start(self, m: Message, account: str, of: str = "") -> None:
        """Hold the money and send: from here on only the switch decides."""
        amount = (m.get("RtrdInstdAmt") or m["InstdAmt"]) - m.get("CdtrDscntAmt", 0)
        if self.one("SELECT coalesce(sum(balance), 0) AS has FROM account WHERE name = ?", account)["has"] < amount:
            raise No("BALANCE_INSUFFICIENT", "AM04")
        m |= {"AccptncDtTm": now_ms(), "XpryDtTm": now_ms() + 30_000}
        self.move(account, "held", amount)
        self.write(m, "out", "HELD", account, of)
        self.said.append(m)

    def pay(self, id_: str, payer: str, code: str, amount: int) -> None:
        """A payer confirms: consult, then pay. Refuses by the owner's reason, and BALANCE_INSUFFICIENT."""
        asked = {"MsgTp": "hutong.consult", "CnsltId": new_id(), "Cd": code, "DbtrAgt": self.node}
        answer = self.consults[asked["CnsltId"]] = queue.Queue()
        self.wire.waiting.put(asked)
        try:
            terms = answer.get(timeout=5)
        except queue.Empty:
            raise No("NETWORK_SILENT") from None
        if terms["CnsltSts"] != "FOUND" or terms.get("InstdAmt", 0) not in {0, amount}:
            raise No(terms.get("StsRsnPrtry") or "AMOUNT_DIFFERS")
        e = terms.get("CdtrDscntAmt", 0)
        i, s = (((amount - e) * terms.get(name, 0) + 5_000) // 10_000 for name in ("IntrchgBps", "SwtchChrgBps"))
        m = {"MsgTp": "pacs.008", "TxId": id_, "EndToEndId": terms["PmtInfId"], "InstdAmt": amount, "CdtrDscntAmt": e}
        m |= {"IntrBkSttlmAmt": amount - e - i - s, "IntrchgAmt": i, "SwtchChrgAmt": s, "FeeVrsn": terms["FeeVrsn"]}
        m |= {"LclInstrm": terms.get("LclInstrm", "STATIC"), "MrchntCtgyCd": terms.get("MrchntCtgyCd", "0000")}
        m |= {"Ccy": terms.get("Ccy", "CNY"), "DbtrAgt": self.node, "CdtrAgt": terms["CdtrAgt"]}
        self.durably(self.start, m, payer)

    def refund(self, id_: str, payment_id: str, debtor_agent: str, amount: int) -> None:
        """A payee gives back: each part's share of what is left, by largest remainder."""
        deal = self.deal(payment_id, debtor_agent)
        payment = json.loads(deal["message"])
        left = self.left(payment)
        if deal["state"] != "COMPLETED" or amount > sum(left):
            raise No("REFUND_EXCEEDS_REMAINDER", "AM14")
        shares = [part * amount // sum(left) for part in left]
        for index in sorted(range(3), key=lambda n: -(left[n] * amount % sum(left)))[: amount - sum(shares)]:
            shares[index] += 1
        m = {"MsgTp": "pacs.004", "RtrId": id_, "OrgnlTxId": payment_id, "RtrdInstdAmt": amount}
        m |= dict(zip(("RtrdIntrBkSttlmAmt", "IntrchgAmt", "SwtchChrgAmt"), shares, strict=True))
        self.start(m | {name: payment[name] for name in ("Ccy", "DbtrAgt", "CdtrAgt")}, deal["account"], payment_id)

    def ask_again(self) -> None:
        """Who is undecided asks: after 2 s, then after twice as long each time, up to 300 s, for ever."""
        due = self.db.execute("SELECT * FROM deal WHERE state = 'HELD' AND next_ms <= ?", (now_ms(),)).fetchall()
        for deal in due:
            message, wait_ms = json.loads(deal["message"]), min(2 * deal["wait_ms"], 300_000)
            if deal["role"] == "in":
                self.say(deal)
            elif message["XpryDtTm"] > now_ms():
                self.said.append(message)
            else:
                about = {"OrgnlTxId": deal["id"], "OrgnlInstgAgt": deal["originator"]}
                self.said.append({"MsgTp": "pacs.028"} | about)
            next_ms = now_ms() + wait_ms - os.urandom(1)[0] * wait_ms // 2_000
            update = "UPDATE deal SET next_ms = ?, wait_ms = ? WHERE id = ? AND originator = ?"
            self.db.execute(update, (next_ms, wait_ms, deal["id"], deal["originator"]))


class Door(http.server.BaseHTTPRequestHandler):
    """Where the switch delivers."""

    protocol_version = "HTTP/1.1"
    participant: Participant

    def do_POST(self) -> None:
        answer = b""
        try:
            if int(self.headers["content-length"]) > BODY_MAX:
                self.close_connection = True
                raise No("BODY_TOO_LARGE")
            body = self.rfile.read(int(self.headers["content-length"]))
            self.participant.durably(self.participant.heard, self.participant.wire.open(self.headers, body))
            status = 202
        except No as no:
            said = {"reason": no.reason, "kind": "INVALID", "code": no.code, "message": no.reason, "facts": no.facts}
            status, answer = STATUS.get(no.reason, 400), json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Say nothing of each request."""


def run(settings: Message, door: type[Door] = Door) -> None:
    """Serve for ever. `settings` as in README.md."""
    switch, host, port = settings["switch"], *settings["listen"].split(":")
    keys = {key_id: bytes.fromhex(public) for key_id, _, public in (key.partition(":") for key in switch["keys"])}
    door.participant = us = Participant(settings["node"], settings["database"], settings["base"])
    us.wire = Wire(us.node, us.seed, switch["node"], switch["url"], keys)
    print(f"{us.node} signs with {us.node}-1:{us.wire.key.verify_key.encode().hex()}", flush=True)
    server = http.server.ThreadingHTTPServer((host, int(port)), door)
    threading.Thread(target=us.wire.send_for_ever, daemon=True).start()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while True:
        time.sleep(0.25)
        us.durably(us.ask_again)


if __name__ == "__main__":
    run(json.loads(Path(sys.argv[1]).read_text()))
