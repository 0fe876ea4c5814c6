"""
A participant in one file, written from docs/scheme alone: Python's standard library and PyNaCl.

An acquirer: its payees' codes are consulted and paid, in CNY and without a merchant fee; tiny_wallet.py adds payers. What
it says it did is in its SQLite file first (`synchronous=FULL`). README.md beside it says how to run it.
"""

import base64
import contextlib
import json
import os
import queue
import re
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from http import client, server
from pathlib import Path
from typing import Any

from nacl import exceptions, signing

Message = dict[str, Any]
PATH, BODY_MAX, SKEW_MS, NODE = "/scheme/v1/messages", 1_048_576, 120_000, "[a-z][a-z0-9-]{1,34}"
HEADERS = {"version": "[1-9][0-9]*", "sender": NODE, "recipient": NODE, "key-id": "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"}
HEADERS |= {"timestamp": "[1-9][0-9]*", "nonce": "[0-9a-f]{32}", "signature": "[A-Za-z0-9+/]{85}[AQgw]=="}
STATUS = {"ENVELOPE_REPLAYED": 409, "ENVELOPE_STALE": 422, "ENVELOPE_FROM_THE_FUTURE": 422, "BODY_TOO_LARGE": 413}
STATUS |= dict.fromkeys(("SENDER_UNKNOWN", "SIGNATURE_KEY_UNKNOWN", "SIGNATURE_WRONG"), 401)  # Any other: 400.
TABLES = json.loads((Path(__file__).parents[1] / "docs" / "scheme" / "messages.json").read_text())


class No(Exception):
    """A refusal: as the answer to an envelope says it."""


def require(truth: object, reason: str, code: str = "NARR", **facts: Any) -> None:
    if not truth:
        raise No({"reason": reason, "kind": "INVALID", "code": code, "message": reason, "facts": facts})


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def fits(value: Any, type_: Message) -> bool:
    if isinstance(value, str) and type_.keys() & {"pattern", "length_max"}:
        return re.fullmatch(type_.get("pattern", rf"[^\0]{{0,{type_.get('length_max')}}}"), value) is not None
    if type(value) is int and "min" in type_:
        return bool(type_["min"] <= value <= type_["max"])
    kind = {bool: "boolean", dict: "object", list: "array"}.get(type(value), "none of these")
    return type_.get("json") == kind or (value is None and "null" in type_)


def check_message(index: int, m: Any) -> None:
    fields = TABLES["messages"].get(str(m.get("MsgTp"))) if isinstance(m, dict) else None
    require(fields, "MESSAGE_MALFORMED", message=index, field="MsgTp")
    for name, field in fields.items():
        fine = fits(m[name], TABLES["types"][field["type"]]) if name in m else not field["must"]
        require(fine, "MESSAGE_MALFORMED", message=index, field=name)


def about(m: Message) -> Message:
    """Whose payment or return a message is about."""
    names = {"pacs.008": ("TxId", "DbtrAgt"), "pacs.004": ("RtrId", "CdtrAgt")}
    id_, originator = names.get(m["MsgTp"], ("OrgnlTxId", "OrgnlInstgAgt"))
    return {"OrgnlTxId": m[id_], "OrgnlInstgAgt": m[originator]}


def parts(m: Message) -> list[int]:
    """What crosses to the other agent, i and s: of a payment, or a return's shares of them. Their sum moves."""
    settled = "RtrdIntrBkSttlmAmt" if m["MsgTp"] == "pacs.004" else "IntrBkSttlmAmt"
    return [m.get(name, 0) for name in (settled, "IntrchgAmt", "SwtchChrgAmt")]


class Participant:
    """The books, and what is decided on them; a `durably` is one transaction, and its words leave behind the commit."""

    def __init__(self, told: Message) -> None:
        self.node, self.base, self.lock, self.said = told["node"], told["base"], threading.RLock(), list[Message]()
        self.switch, self.keys = told["switch"]["node"], dict(key.split(":") for key in told["switch"]["keys"])
        self.line = client.HTTPConnection(told["switch"]["url"].partition("//")[2], timeout=10)
        self.started_ms, self.nonces, self.waiting = now_ms(), dict[str, int](), queue.Queue[Message]()
        self.verbs = {"hutong.consult": self.consulted, "pacs.008": self.offered, "pacs.004": self.offered}
        self.verbs |= {"pacs.002": self.told, "camt.053": self.settled, "camt.056": self.recalled}
        self.db = sqlite3.connect(told["database"], check_same_thread=False)
        self.db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE IF NOT EXISTS row (kind, id, content, ask_ms, PRIMARY KEY (kind, id));"
            "CREATE INDEX IF NOT EXISTS row_ask ON row (ask_ms); UPDATE row SET ask_ms = 0 WHERE ask_ms > 0;"
        )
        seed = self.get("secret", "seed") or os.urandom(32).hex()
        self.durably(self.put, "secret", "seed", seed)
        self.key = signing.SigningKey(bytes.fromhex(seed))

    def get(self, kind: str, id_: str) -> Any:
        with self.lock:
            row = self.db.execute("SELECT content FROM row WHERE kind = ? AND id = ?", (kind, id_)).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, kind: str, id_: str, content: Any, ask_ms: int | None = None) -> None:
        self.db.execute("REPLACE INTO row VALUES (?, ?, ?, ?)", (kind, id_, json.dumps(content), ask_ms))

    def durably(self, decide: Callable[..., None], *facts: Any) -> None:
        with self.lock:
            self.said = []
            with self.db:
                decide(*facts)
            for message in self.said:
                self.waiting.put(message)

    def move(self, debit: str, credit: str, amount: int) -> None:
        for name, change in ((debit, -amount), (credit, amount)):
            self.put("account", name, (self.get("account", name) or 0) + change)

    def deal(self, id_: str, originator: str) -> Any:
        return self.get("deal", f"{originator} {id_}")

    def keep(self, deal: Message) -> None:
        """Who is undecided asks: after 2 s, then after twice as long each time, up to 300 s, for ever; and at a restart."""
        ask_ms = now_ms() + deal["wait_ms"] - os.urandom(1)[0] * deal["wait_ms"] // 2_000
        key = "{OrgnlInstgAgt} {OrgnlTxId}".format_map(deal["about"])
        self.put("deal", key, deal, ask_ms if deal["state"] == "HELD" else None)

    def ask_again(self) -> None:
        for (content,) in self.db.execute("SELECT content FROM row WHERE ask_ms <= ?", (now_ms(),)).fetchall():
            deal = json.loads(content)
            late = deal["say"].get("XpryDtTm", now_ms()) < now_ms()
            self.said.append({"MsgTp": "pacs.028"} | deal["about"] if late else deal["say"])
            self.keep(deal | {"wait_ms": min(2 * deal["wait_ms"], 300_000)})

    def heard(self, messages: list[Message]) -> None:
        for m in messages:
            self.verbs.get(m["MsgTp"], lambda _: None)(m)

    def consulted(self, m: Message) -> None:
        code = self.get("code", m["Cd"].removeprefix(f"{self.base}/q/").lower())
        asked = {"MsgTp": "hutong.resolve", "CnsltId": m["CnsltId"], "DbtrAgt": m["DbtrAgt"]}
        answer: Message = {"CnsltSts": "REFUSED", "StsRsnCd": "NARR", "StsRsnPrtry": "CODE_UNKNOWN"}
        if code is not None and m["Cd"].startswith(self.base):
            answer = {"CnsltSts": "FOUND", "CdtrNm": "Tiny Noodles", "MrchntCtgyCd": "5812", "PmtInfId": code["id"]}
            answer |= {"InstdAmt": code["amount"], "LclInstrm": "DYNAMIC" if code["amount"] else "STATIC"}
            answer |= {"SttcInd": not code["amount"], "MrchntFcts": {"MrchntId": code["payee"][-32:], "SmllInd": True}}
        self.said.append(asked | answer)

    def offered(self, m: Message) -> None:
        """Others pay a payee of ours (pacs.008), or give back to a payer (pacs.004): accept or refuse, once for all."""
        deal = self.deal(*about(m).values())
        if deal is None:
            yes = {"MsgTp": "pacs.002"} | about(m) | {"TxSts": "ACSP"}
            deal = {"about": about(m), "m": m, "state": "HELD", "say": yes, "wait_ms": 2_000}
            try:
                deal["moves"] = {"ACSC": ["clearing", self.check(m)]}
            except No as no:
                deal |= {"state": "RJCT", "say": yes | {"TxSts": "RJCT", "StsRsnCd": no.args[0]["code"]}}
            self.keep(deal)
        if deal["state"] != "ACSC":
            self.said.append(deal["say"])

    def check(self, m: Message) -> str:
        """Whom to credit. It sent no payment that could be given back."""
        require(m["MsgTp"] == "pacs.008", "ORIGINAL_PAYMENT_UNKNOWN", "NOOR")
        code = self.get("code", m["EndToEndId"])
        require(code and (m["MrchntCtgyCd"], m["Ccy"], m.get("CdtrDscntAmt", 0)) == ("5812", "CNY", 0), "CODE_UNKNOWN")
        require(code["amount"] in {0, m["InstdAmt"]} and sum(parts(m)) == m["InstdAmt"], "AMOUNT_DIFFERS", "AM09")
        rival = self.deal(*code["claimed"]) if code["amount"] and code["claimed"] else None
        require(rival is None or rival["state"] == "RJCT", "ALREADY_BEING_PAID", "DUPL")
        self.put("code", code["id"], code | {"claimed": list(about(m).values())})
        return str(code["payee"])

    def told(self, m: Message) -> None:
        """The switch's decision. A RJCT of what was never seen leaves a tombstone."""
        deal = self.deal(m["OrgnlTxId"], m["OrgnlInstgAgt"])
        if deal is None and m["TxSts"] == "RJCT":
            deal = {"about": about(m), "m": m, "state": "HELD", "wait_ms": 0, "moves": {}}
        if deal and deal["state"] == "HELD" and m["TxSts"] in {"ACSC", "RJCT"}:
            self.keep(deal | {"state": m["TxSts"], "say": m})
            if m["TxSts"] in deal["moves"]:
                self.move(*deal["moves"][m["TxSts"]], sum(parts(deal["m"])))

    def settled(self, m: Message) -> None:
        """An entry of our settlement account: taken in its order, and acknowledged however often it comes."""
        last = self.get("entries", m["Ccy"]) or 0
        if m["ElctrncSeqNb"] == last + 1:
            self.put("entries", m["Ccy"], last := last + 1)
            self.put("entry", f"{m['Ccy']} {last}", m)
        self.said.append({"MsgTp": "camt.060", "Ccy": m["Ccy"], "ElctrncSeqNb": last + 1})

    def recalled(self, m: Message) -> None:
        """Nobody here decides on recalls: the answer is always no."""
        no = {"Conf": "RJCR", "CxlStsRsnCd": "AGNT", "CxlStsRsnPrtry": "AGENT_DECIDED"}
        self.said.append({"MsgTp": "camt.029", "CxlId": m["CxlId"], "Assgnr": m["Assgnr"]} | no)

    def signed_bytes(self, h: dict[str, str], body: bytes) -> bytes:
        agents = f"{h['sender']} {h['recipient']}"
        lines = ["hutong-envelope", h["version"], "POST", PATH, agents, h["key-id"], h["timestamp"], h["nonce"]]
        return "".join(line + "\n" for line in lines).encode() + body

    def open(self, headers: Any, body: bytes) -> list[Message]:
        """The messages of a good envelope. Refuses in the order of transport.md, "Receiving"."""
        h = {name: headers.get(f"hutong-{name}", "") for name in HEADERS}
        for name, shape in HEADERS.items():
            require(re.fullmatch(shape, h[name]), "SIGNATURE_MALFORMED", header=f"hutong-{name}")
        at, told = int(h["timestamp"]), None
        require(h["version"] == "1", "VERSION_NOT_SPOKEN", spoken=1)
        require(h["recipient"] == self.node, "RECIPIENT_NOT_HERE")
        require(h["sender"] == self.switch, "SENDER_UNKNOWN")
        require(h["key-id"] in self.keys, "SIGNATURE_KEY_UNKNOWN")
        require(at >= max(now_ms() - SKEW_MS, self.started_ms), "ENVELOPE_STALE")
        require(at <= now_ms() + SKEW_MS, "ENVELOPE_FROM_THE_FUTURE")
        try:
            key = bytes.fromhex(self.keys[h["key-id"]])
            signing.VerifyKey(key).verify(self.signed_bytes(h, body), base64.b64decode(h["signature"]))
        except exceptions.BadSignatureError:
            require(None, "SIGNATURE_WRONG")
        with self.lock:
            self.nonces = {nonce: of for nonce, of in self.nonces.items() if of >= now_ms() - SKEW_MS}
            require(h["nonce"] not in self.nonces, "ENVELOPE_REPLAYED")
            self.nonces[h["nonce"]] = at
        with contextlib.suppress(ValueError, RecursionError):
            told = json.loads(body.decode())
        require(isinstance(told, dict), "ENVELOPE_MALFORMED")
        vrsn, *agents, messages = (told.get(name) for name in ("Vrsn", "InstgAgt", "InstdAgt", "Msgs"))
        require(vrsn == 1, "VERSION_NOT_SPOKEN", spoken=1)
        listed = isinstance(messages, list) and 1 <= len(messages) <= 500
        require(listed and agents == [self.switch, self.node], "ENVELOPE_MALFORMED")
        for index, message in enumerate(messages):
            check_message(index, message)
        return messages

    def send_for_ever(self) -> None:
        while True:
            batch, tries = [self.waiting.get()], 0
            while len(batch) < 500 and not self.waiting.empty():  # So many of our messages stay below 1 MiB.
                batch.append(self.waiting.get())
            while batch and tries < 5:  # Our books ask again, whatever becomes of it.
                status, said = self.send(batch)
                if b'"MESSAGE_MALFORMED"' in said:
                    del batch[json.loads(said)["facts"]["message"]]
                elif status not in {0, 408, 422, 429, 502, 503, 504}:
                    break
                time.sleep(0.05 * 2**tries * (0.5 + os.urandom(1)[0] / 512))
                tries += 1

    def send(self, batch: list[Message]) -> tuple[int, bytes]:
        """One try, in a new envelope. Status 0: no answer."""
        body = json.dumps({"Vrsn": 1, "InstgAgt": self.node, "InstdAgt": self.switch, "Msgs": batch}).encode()
        h = {"version": "1", "sender": self.node, "recipient": self.switch, "key-id": f"{self.node}-1"}
        h |= {"timestamp": str(now_ms()), "nonce": os.urandom(16).hex()}
        h["signature"] = base64.b64encode(self.key.sign(self.signed_bytes(h, body)).signature).decode()
        try:
            self.line.request("POST", PATH, body, {f"hutong-{name}": value for name, value in h.items()})
            answer = self.line.getresponse()
            return answer.status, answer.read()
        except (OSError, client.HTTPException):
            self.line.close()
            return 0, b""


class Door(server.BaseHTTPRequestHandler):
    """Where the switch delivers."""

    protocol_version = "HTTP/1.1"
    participant: Participant

    def do_POST(self) -> None:
        try:
            length = int(self.headers["content-length"])
            self.close_connection |= length > BODY_MAX
            require(length <= BODY_MAX, "BODY_TOO_LARGE")
            body = self.rfile.read(length)
            self.participant.durably(self.participant.heard, self.participant.open(self.headers, body))
            self.answer(202)
        except No as no:
            self.answer(STATUS.get(no.args[0]["reason"], 400), json.dumps(no.args[0]).encode())

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


def run(us: Participant, listen: str, door: type[Door] = Door) -> None:
    host, _, port = listen.partition(":")
    door.participant = us
    print(f"{us.node} signs with {us.node}-1:{us.key.verify_key.encode().hex()}", flush=True)
    for job in (us.send_for_ever, server.ThreadingHTTPServer((host, int(port)), door).serve_forever):
        threading.Thread(target=job, daemon=True).start()
    while True:
        time.sleep(0.25)
        us.durably(us.ask_again)


if __name__ == "__main__":
    settings = json.loads(Path(sys.argv[1]).read_text())
    run(Participant(settings), settings["listen"])
