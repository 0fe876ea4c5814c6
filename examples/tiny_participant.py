"""
A participant in one file, written from docs/scheme alone: Python's standard library and PyNaCl.

A wallet and an acquirer at once: consults, payments and returns, on both sides, in CNY and without a merchant fee. What
it says it did is in its SQLite file first (`synchronous=FULL`). README.md beside it says how to run it.
"""

import base64
import http.client
import http.server
import json
import os
import queue
import re
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

Message = dict[str, Any]
PATH, BODY_MAX, SKEW_MS = "/scheme/v1/messages", 1_048_576, 120_000
CONTRACT = json.loads((Path(__file__).parents[1] / "docs" / "scheme" / "messages.json").read_text())
NODE, ID = (CONTRACT["types"][name]["pattern"] for name in ("Node", "Id"))
HEADERS = {"version": "[1-9][0-9]*", "sender": NODE, "recipient": NODE, "key-id": "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"}
HEADERS |= {"timestamp": "[1-9][0-9]*", "nonce": ID, "signature": "[A-Za-z0-9+/]{85}[AQgw]=="}
STATUS = {"ENVELOPE_REPLAYED": 409, "ENVELOPE_STALE": 422, "ENVELOPE_FROM_THE_FUTURE": 422, "BODY_TOO_LARGE": 413}
STATUS |= dict.fromkeys(("SENDER_UNKNOWN", "SIGNATURE_KEY_UNKNOWN", "SIGNATURE_WRONG"), 401)
AGAIN = {0, 408, 422, 429, 502, 503, 504}
SCHEMA = """
PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, balance INTEGER);
CREATE TABLE IF NOT EXISTS code (id TEXT PRIMARY KEY, text TEXT UNIQUE, payee TEXT, amount INTEGER, claimed TEXT);
CREATE TABLE IF NOT EXISTS deal (id TEXT, originator TEXT, role TEXT, state TEXT, account TEXT, of TEXT, message TEXT,
  why TEXT, next_ms INTEGER, wait_ms INTEGER, PRIMARY KEY (id, originator));
CREATE INDEX IF NOT EXISTS deal_of ON deal (of);
CREATE TABLE IF NOT EXISTS secret (seed BLOB);
"""


class No(Exception):
    """A refusal by name: of an envelope, with facts; of a payment, with an ISO code."""

    def __init__(self, reason: str, code: str = "NARR", **facts: Any) -> None:
        super().__init__(reason)
        self.reason, self.code, self.facts = reason, code, facts


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def new_id() -> str:
    return f"{now_ms():012x}{os.urandom(10).hex()}"


def fits(value: Any, type_: Message) -> bool:
    if isinstance(value, str) and "pattern" in type_:
        return re.fullmatch(type_["pattern"], value) is not None
    if isinstance(value, str):
        return len(value) <= type_.get("length_max", -1) and "\0" not in value
    if type(value) is int:
        return type_.get("min", 1) <= value <= type_.get("max", 0)
    return {type(None): "null" in type_, bool: type_.get("json") == "boolean"}.get(type(value), "json" in type_)


def check_message(index: int, m: Any) -> None:
    fields = CONTRACT["messages"].get(m.get("MsgTp")) if isinstance(m, dict) else None
    if fields is None:
        raise No("MESSAGE_MALFORMED", message=index, field="MsgTp")
    for name, field in fields.items():
        if field["must"] if name not in m else not fits(m[name], CONTRACT["types"][field["type"]]):
            raise No("MESSAGE_MALFORMED", message=index, field=name)


def signed_bytes(h: dict[str, str], body: bytes) -> bytes:
    agents = f"{h['sender']} {h['recipient']}"
    lines = ["hutong-envelope", h["version"], "POST", PATH, agents, h["key-id"], h["timestamp"], h["nonce"]]
    return "".join(line + "\n" for line in lines).encode() + body


def parts(m: Message) -> list[int]:
    """What crosses to the other agent, i and s: of a payment, or a return's shares of them."""
    settled = "RtrdIntrBkSttlmAmt" if m["MsgTp"] == "pacs.004" else "IntrBkSttlmAmt"
    return [m.get(name, 0) for name in (settled, "IntrchgAmt", "SwtchChrgAmt")]


class Wire:
    """Envelopes from and to the switch; one is under way at a time, what comes meanwhile goes with the next."""

    def __init__(self, node: str, seed: bytes, switch: str, url: str, keys: dict[str, bytes]) -> None:
        self.node, self.key, self.switch, self.url, self.keys = node, SigningKey(seed), switch, urlsplit(url), keys
        self.started_ms, self.nonces, self.lock = now_ms(), dict[str, int](), threading.Lock()
        self.waiting: queue.Queue[Message] = queue.Queue()

    def open(self, told: Any, body: bytes) -> list[Message]:
        """The messages of a good envelope. Refuses in the order of transport.md, "Receiving"."""
        h = {name: told.get(f"hutong-{name}", "") for name in HEADERS}
        for name, shape in HEADERS.items():
            if re.fullmatch(shape, h[name]) is None:
                raise No("SIGNATURE_MALFORMED", header=f"hutong-{name}")
        at, public_key = int(h["timestamp"]), self.keys.get(h["key-id"])
        for wrong, reason in (
            (h["version"] != "1", "VERSION_NOT_SPOKEN"),
            (h["recipient"] != self.node, "RECIPIENT_NOT_HERE"),
            (h["sender"] != self.switch, "SENDER_UNKNOWN"),
            (public_key is None, "SIGNATURE_KEY_UNKNOWN"),
            (at < max(now_ms() - SKEW_MS, self.started_ms), "ENVELOPE_STALE"),
            (at > now_ms() + SKEW_MS, "ENVELOPE_FROM_THE_FUTURE"),
        ):
            if wrong:
                raise No(reason, spoken=1)
        try:
            VerifyKey(public_key or b"").verify(signed_bytes(h, body), base64.b64decode(h["signature"]))
        except BadSignatureError:
            raise No("SIGNATURE_WRONG") from None
        with self.lock:
            self.nonces = {nonce: of for nonce, of in self.nonces.items() if of >= now_ms() - SKEW_MS}
            if h["nonce"] in self.nonces:
                raise No("ENVELOPE_REPLAYED")
            self.nonces[h["nonce"]] = at
        try:
            told = json.loads(body.decode())
            version, agents, messages = told["Vrsn"], (told["InstgAgt"], told["InstdAgt"]), list(told["Msgs"])
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise No("ENVELOPE_MALFORMED", problem=str(error)) from None
        if version != 1:
            raise No("VERSION_NOT_SPOKEN", spoken=1)
        if agents != (self.switch, self.node) or not 1 <= len(messages) <= 500:
            raise No("ENVELOPE_MALFORMED", problem="InstgAgt, InstdAgt or Msgs")
        for index, message in enumerate(messages):
            check_message(index, message)
        return messages

    def send_for_ever(self) -> None:
        while True:
            batch = [self.waiting.get()]
            while len(batch) < 500 and not self.waiting.empty():  # So many of our messages stay below 1 MiB.
                batch.append(self.waiting.get())
            tries = 0
            while batch and tries < 5:  # Our books ask again, whatever becomes of it.
                status, said = self.send(batch)
                if b'"MESSAGE_MALFORMED"' in said:
                    del batch[json.loads(said)["facts"]["message"]]
                elif status not in AGAIN:
                    break
                else:
                    time.sleep(0.05 * 2**tries * (0.5 + os.urandom(1)[0] / 512))
                    tries += 1

    def send(self, batch: list[Message]) -> tuple[int, bytes]:
        """One try, in a new envelope. Status 0: no answer."""
        body = json.dumps({"Vrsn": 1, "InstgAgt": self.node, "InstdAgt": self.switch, "Msgs": batch}).encode()
        h = {"version": "1", "sender": self.node, "recipient": self.switch, "key-id": f"{self.node}-1"}
        h |= {"timestamp": str(now_ms()), "nonce": os.urandom(16).hex()}
        h["signature"] = base64.b64encode(self.key.sign(signed_bytes(h, body)).signature).decode()
        line = http.client.HTTPConnection(self.url.netloc, timeout=10)
        try:
            line.request("POST", PATH, body, {f"hutong-{name}": value for name, value in h.items()})
            answer = line.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            line.close()


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
