"""
Envelopes in one file, written from docs/scheme/transport.md and messages.json: signing, verifying, sending again.

What tiny_participant.py stands on; a participant in another language begins here, too.
"""

import base64
import http.client
import json
import os
import queue
import re
import threading
import time
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
