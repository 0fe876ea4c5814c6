"""
The kit's place in the network: it listens for every node it plays, checks all that comes, and spoils deliveries on demand.

One listener serves all played nodes; an envelope says itself whom it is for. What comes is held to the pages whatever
case is running: whatever is wrong with it is kept as a violation, and refused as the pages say.
"""

import http.client
import json
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from hutong.conformance.messages import problems_of
from hutong.conformance.wire import (
    BODY_MAX,
    MESSAGES_MAX,
    PATH,
    VERSION,
    Envelope,
    Key,
    Message,
    Peer,
    body_of,
    refusal_of,
    seal,
)

ANSWER_S = 15
_STATUS = {"SENDER_UNKNOWN": 401, "SIGNATURE_KEY_UNKNOWN": 401, "SIGNATURE_WRONG": 401, "ENVELOPE_REPLAYED": 409}
_STATUS |= {"ENVELOPE_STALE": 422, "ENVELOPE_FROM_THE_FUTURE": 422}


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP request of ours got; status 0 is no answer at all."""

    status: int
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """A refusal's body, or nothing."""
        try:
            said = json.loads(self.body)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}

    @property
    def reason(self) -> str:
        return str(self.problem.get("reason", ""))

    def __str__(self) -> str:
        return f"{self.status or 'no answer'} {self.body[:200].decode(errors='replace')}".strip()


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that came: in which envelope, when, and whether we took it or a fault spoilt its delivery."""

    message: Message
    at_s: float
    nonce: str
    taken: bool


CUT = "cut"  # The connection ends without an answer, and nothing was taken.
ANSWER_LOST = "answer lost"  # The same, but all was taken.


@dataclass(slots=True)
class Fault:
    """What is done to the next envelopes that carry such a message."""

    matches: Callable[[Message], bool]
    does: str | Answer
    times: int
    done: int = 0


def request(
    method: str, url: str, path: str, body: bytes, headers: dict[str, str], timeout_s: float = ANSWER_S
) -> Answer:
    """One request on a connection of its own."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=timeout_s)
    try:
        # The peer may answer before it has read all of a large body, and close.
        try:
            connection.request(method, parts.path.rstrip("/") + path, body, headers)
        except (BrokenPipeError, ConnectionResetError):
            if connection.sock is None:
                raise
        response = connection.getresponse()
        return Answer(response.status, response.read())
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, f"{type(error).__name__}: {error}".encode())
    finally:
        connection.close()


class Seat:
    """One node the kit plays."""

    def __init__(self, node: str, keys: list[Key], peer: Peer, pool: ThreadPoolExecutor) -> None:
        self.node = node
        self.keys = keys
        self.key = keys[0]  # Signs.
        self.peer = peer
        self.violations: list[str] = []
        self.envelopes = 0
        self.sizes: list[int] = []  # Messages of each envelope that came.
        self.responders: list[Callable[[Message], list[Message]]] = []
        self._pool = pool
        self._heard: dict[str, list[Heard]] = defaultdict(list)
        self._faults: list[Fault] = []
        self._nonces: set[str] = set()
        self._under_way = 0
        self._news = threading.Condition()

    # Sending.

    def seal(self, messages: list[Message], **changed: Any) -> Envelope:
        """These messages, signed; `changed` puts other values into the envelope's own fields."""
        return seal(self.node, self.peer.node, self.key, body_of(self.node, self.peer.node, messages, **changed))

    def post(self, envelope: Envelope) -> Answer:
        return request(
            "POST", self.peer.url, PATH, envelope.body, {**envelope.headers, "content-type": "application/json"}
        )

    # Hearing.

    def heard(self, about: str, check: Callable[[Message], bool], *, taken: bool = True) -> list[Heard]:
        """What came with this text in one of its fields."""
        with self._news:
            return self._matching(about, check, taken=taken)

    def wait(
        self, about: str, check: Callable[[Message], bool], *, count: int, within_s: float, taken: bool = True
    ) -> list[Heard]:
        """As `heard`, once there are so many, or when the time is over."""
        with self._news:
            self._news.wait_for(lambda: len(self._matching(about, check, taken=taken)) >= count, within_s)
            return self._matching(about, check, taken=taken)

    @contextmanager
    def spoiling(self, matches: Callable[[Message], bool], does: str | Answer, times: int = 1) -> Iterator[Fault]:
        """Spoil the delivery of the next envelopes that carry such a message."""
        fault = Fault(matches, does, times)
        with self._news:
            self._faults.append(fault)
        try:
            yield fault
        finally:
            with self._news:
                self._faults.remove(fault)

    def take(self, headers: dict[str, str], body: bytes) -> Answer | None:
        """Answer an envelope that came; None cuts the connection."""
        with self._news:
            self._under_way += 1
            if self._under_way > 1:
                self.violations.append("two envelopes under way at a time")
        try:
            return self._take(headers, body)
        finally:
            with self._news:
                self._under_way -= 1

    def _take(self, headers: dict[str, str], body: bytes) -> Answer | None:
        reason = refusal_of(headers, body, self.node, self.peer)
        nonce = headers.get("hutong-nonce", "")
        with self._news:
            if not reason and nonce in self._nonces:
                reason = "ENVELOPE_REPLAYED"
            self._nonces.add(nonce)
        if not reason and len(body) > BODY_MAX:
            reason = "ENVELOPE_TOO_LARGE"
        if reason:
            return self._refuse(reason, {})
        messages, refused = self._parse(body)
        if refused is not None:
            return refused
        with self._news:
            fault = next(
                (each for each in self._faults if each.done < each.times and any(map(each.matches, messages))), None
            )
            taken = fault is None or fault.does == ANSWER_LOST
            if fault is not None:
                fault.done += 1
            for message in messages:
                heard = Heard(message, time.monotonic(), nonce, taken)
                for value in {value for value in message.values() if isinstance(value, str)}:
                    self._heard[value].append(heard)
            self.envelopes += 1
            self.sizes.append(len(messages))
            self._news.notify_all()
        if taken:
            self._pool.submit(self._respond, messages)
        if fault is not None:
            return fault.does if isinstance(fault.does, Answer) else None
        return Answer(202, b"")

    def _parse(self, body: bytes) -> tuple[list[Message], Answer | None]:
        try:
            envelope = json.loads(body.decode())
            messages = envelope["Msgs"]
            told = (envelope["Vrsn"], envelope["InstgAgt"], envelope["InstdAgt"])
        except (ValueError, TypeError, KeyError) as error:
            return [], self._refuse("ENVELOPE_MALFORMED", {"problem": str(error)})
        if told != (VERSION, self.peer.node, self.node) or not 1 <= len(messages) <= MESSAGES_MAX:
            return [], self._refuse("ENVELOPE_MALFORMED", {"problem": "its own fields"})
        for index, message in enumerate(messages):
            problems = problems_of(message)
            if problems:
                return [], self._refuse("MESSAGE_MALFORMED", {"message": index, "problem": problems[0]})
        return messages, None

    def _refuse(self, reason: str, facts: dict[str, Any]) -> Answer:
        self.violations.append(f"{reason} {facts or ''}".strip())
        said = {"reason": reason, "kind": "INVALID", "code": "NARR", "message": reason, "facts": facts}
        return Answer(_STATUS.get(reason, 400), json.dumps(said).encode())

    def _respond(self, messages: list[Message]) -> None:
        for responder in self.responders:
            answers = [answer for message in messages for answer in responder(message)]
            for first in range(0, len(answers), MESSAGES_MAX):
                self.post(self.seal(answers[first : first + MESSAGES_MAX]))

    def _matching(self, about: str, check: Callable[[Message], bool], *, taken: bool) -> list[Heard]:
        return [each for each in self._heard.get(about, ()) if (each.taken or not taken) and check(each.message)]


@dataclass(slots=True)
class Station:
    """The listener, and the nodes that are played behind it."""

    host: str
    port: int
    seats: dict[str, Seat] = field(default_factory=dict)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(16, "kit"))
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def seat(self, node: str, keys: list[Key], peer: Peer) -> Seat:
        """Play one more node."""
        seat = self.seats[node] = Seat(node, keys, peer, self.pool)
        return seat

    def open(self) -> None:
        """Listen; port 0 becomes a free one."""
        server = self._server = _Server((self.host, self.port), _handler(self))
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True, name="kit listens").start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self.pool.shutdown(wait=False, cancel_futures=True)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that went away is no news."""


def _handler(station: Station) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60
        disable_nagle_algorithm = True

        def do_POST(self) -> None:  # The name http.server calls.
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            seat = station.seats.get(headers.get("hutong-recipient", ""))
            if seat is None or self.path != PATH:
                answer: Answer | None = Answer(404, b"{}")
            else:
                answer = seat.take(headers, body)
            if answer is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(answer.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # As http.server names it.
            """Say nothing."""

    return Handler
