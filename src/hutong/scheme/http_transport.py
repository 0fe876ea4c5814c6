"""
Messages between processes: signed envelopes over HTTP, as `docs/scheme/transport.md` has it.

To each peer there is one link, and on it one envelope at a time; what comes meanwhile goes together in the next. So
batches grow with the load by themselves, and so does what one signature is worth.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import structlog

from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import Randomness
from hutong.runtime.http import HotHandler, HotRequest, Problem
from hutong.runtime.http_client import HttpAnswer, HttpConnection, HttpFailure
from hutong.runtime.rate_limit import Rate, TokenBuckets
from hutong.scheme.envelope import BODY_MAX, PATH, SchemeReason, decode_envelope, encode_envelope
from hutong.scheme.messages import MESSAGES_MAX, AnyMessage
from hutong.scheme.peer import Peer, PeerBook
from hutong.scheme.signature import NoKeyValid, Signer, Verifier
from hutong.scheme.transport import Receive

log = structlog.get_logger()

TRIES_MAX = 5  # Of the messages of one envelope; then they are dropped, and whoever is undecided asks again.
WAITING_MAX = 100_000  # Messages for one peer; beyond it the oldest are dropped.
BACKOFF_FIRST_MS = 50
BACKOFF_MAX_MS = 5_000
ANSWER_TIMEOUT_S = 10
ENVELOPES = Rate(burst=4000, per_s=1000)  # Of one sender: a link has one envelope under way at a time.
FORGERIES = Rate(burst=50, per_s=5)  # On one connection.
_TRY_AGAIN = frozenset({408, 422, 429, 502, 503, 504})  # 422: too old or too new, as after a restart of the peer.


@dataclass(slots=True)
class LinkFigures:
    """What happened on a link since the node started, in messages unless it says otherwise."""

    envelopes: int = 0  # Received by the peer.
    messages: int = 0  # In them.
    failures: int = 0  # Envelopes that got no answer, or one that says "later".
    refused: int = 0  # By the peer.
    dropped: int = 0  # After the last try, or because too many waited.


class Link:
    """What a node sends to one peer."""

    def __init__(
        self,
        node_id: str,
        peer: Peer,
        signer: Signer,
        randomness: Randomness,
        *,
        tls: ssl.SSLContext | None = None,
        backoff_first_ms: int = BACKOFF_FIRST_MS,
    ) -> None:
        self.peer = peer
        self.figures = LinkFigures()
        self._node_id = node_id
        self._signer = signer
        self._randomness = randomness
        self._backoff_first_ms = backoff_first_ms
        self._connection = HttpConnection(peer.url, timeout_s=ANSWER_TIMEOUT_S, tls=tls)
        self._waiting: deque[AnyMessage] = deque()
        self._batch: list[AnyMessage] = []  # Under way, or about to be tried again.
        self._tries = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """Messages not yet received by the peer."""
        return len(self._waiting) + len(self._batch)

    def post(self, messages: list[AnyMessage]) -> None:
        """Send these messages: at once, or with the next envelope if one is under way."""
        self._waiting.extend(messages)
        excess = len(self._waiting) - WAITING_MAX
        if excess > 0:
            for _ in range(excess):
                self._waiting.popleft()
            self.figures.dropped += excess
        if not self._batch:
            self._send_next()

    def close(self) -> None:
        """Stop; what was not received is lost, as messages may be."""
        if self._timer is not None:
            self._timer.cancel()
        self._waiting.clear()
        self._batch = []
        self._connection.close()

    def _send_next(self) -> None:
        if not self._waiting:
            return
        count = min(len(self._waiting), MESSAGES_MAX)
        self._batch = [self._waiting.popleft() for _ in range(count)]
        self._tries = 0
        self._send()

    def _send(self) -> None:
        """Each try is a new envelope: a fresh nonce and timestamp around the same messages."""
        self._timer = None
        self._tries += 1
        body = encode_envelope(self._node_id, self.peer.node_id, self._batch)
        while len(body) > BODY_MAX:
            half = len(self._batch) // 2
            if not half:
                self._give_up_too_large()
                return
            self._waiting.extendleft(reversed(self._batch[half:]))
            self._batch = self._batch[:half]
            body = encode_envelope(self._node_id, self.peer.node_id, self._batch)
        try:
            headers = self._signer.sign(self.peer.node_id, "POST", PATH, body)
        except NoKeyValid as error:
            self._try_again(str(error))
            return
        lines = b"".join(b"%b: %b\r\n" % pair for pair in headers.items())
        self._connection.send(
            b"POST", PATH.encode(), body, self._answered, lines + b"content-type: application/json\r\n"
        )

    def _give_up_too_large(self) -> None:
        """Our own bug, and no reason to say nothing more to this peer."""
        self.figures.dropped += 1
        log.error("message too large", peer=self.peer.node_id, type=type(self._batch[0]).__name__)
        self._batch = []
        self._send_next()

    def _answered(self, answer: HttpAnswer | HttpFailure) -> None:
        if not self._batch:
            return  # Closed meanwhile.
        if isinstance(answer, HttpFailure):
            self._try_again(str(answer))
        elif answer.status in _TRY_AGAIN:
            self._try_again(f"{answer.status} {answer.body[:200]!r}")
        elif answer.status == 202:
            self.figures.envelopes += 1
            self.figures.messages += len(self._batch)
            self._batch = []
            self._send_next()
        else:
            self._refused(answer)

    def _refused(self, answer: HttpAnswer) -> None:
        """Give up what the peer refuses: the one message it names, or else the batch. The others must not suffer for it."""
        index = _malformed_message(answer)
        spoilt = self._batch if index is None else self._batch[index : index + 1]
        kept = [] if index is None else self._batch[:index] + self._batch[index + 1 :]
        self.figures.refused += len(spoilt)
        log.error(
            "refused by peer", peer=self.peer.node_id, status=answer.status, body=answer.body[:500], count=len(spoilt)
        )
        self._batch = kept
        if kept:
            self._tries = 0
            self._send()
        else:
            self._send_next()

    def _try_again(self, why: str) -> None:
        self.figures.failures += 1
        if self._tries < TRIES_MAX:
            self._timer = asyncio.get_running_loop().call_later(self._backoff_ms() / 1000, self._send)
            return
        self.figures.dropped += len(self._batch)
        log.warning("messages dropped", peer=self.peer.node_id, count=len(self._batch), last=why)
        self._batch = []
        self._send_next()

    def _backoff_ms(self) -> int:
        """Between half and all of a time that doubles: peers that lost a node must not all come back at once."""
        longest_ms = min(self._backoff_first_ms << (self._tries - 1), BACKOFF_MAX_MS)
        return longest_ms // 2 + self._randomness.getrandbits(32) % (longest_ms // 2 + 1)


def _too_many(wait_ns: int) -> Refusal:
    return Refusal(SchemeReason.TOO_MANY_ENVELOPES, seconds=-(-wait_ns // NS_PER_S))


def _malformed_message(answer: HttpAnswer) -> int | None:
    """Which message of the envelope the peer cannot read, if that is why it refused it."""
    try:
        said = msgspec.json.decode(answer.body, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    index = said.facts.get("message")
    named = said.reason == SchemeReason.MESSAGE_MALFORMED.name and type(index) is int and 0 <= index < MESSAGES_MAX
    return index if named else None


class HttpTransport:
    """One node's side of the network: a link to each peer it posts to, and the endpoint it receives at."""

    def __init__(
        self,
        node_id: str,
        book: PeerBook,
        signer: Signer,
        verifier: Verifier,
        randomness: Randomness,
        receive: Receive,
        *,
        tls: ssl.SSLContext | None = None,
        backoff_first_ms: int = BACKOFF_FIRST_MS,
    ) -> None:
        self._node_id = node_id
        self._book = book
        self._verifier = verifier
        self._receive = receive
        self._envelopes = TokenBuckets(ENVELOPES)
        self._forgeries = TokenBuckets(FORGERIES)
        self._new_link: Callable[[Peer], Link] = lambda peer: Link(
            node_id, peer, signer, randomness, tls=tls, backoff_first_ms=backoff_first_ms
        )
        self.links: dict[str, Link] = {}
        self.refused: dict[str, int] = {}  # Envelopes we refused, by the name of the reason.
        self.strangers = 0  # Messages for peers not in the book.

    def hot(self) -> dict[tuple[str, str], HotHandler]:
        """The endpoint, for the node's server."""
        return {("POST", PATH): self.take}

    def post(self, peer: str, messages: list[AnyMessage]) -> None:
        """Send messages to a peer; what the node's journal posts with."""
        link = self.links.get(peer)
        known = self._book.find(peer)
        if known is None:
            self.strangers += len(messages)
            log.error("no such peer", peer=peer, count=len(messages))
            return
        if link is None or link.peer.url != known.url:
            if link is not None:
                link.close()
            link = self.links[peer] = self._new_link(known)
        link.post(messages)

    def take(self, request: HotRequest) -> None:
        """
        Receive an envelope: 202 and no body once its messages are being decided on.

        It says nothing about outcomes: those come as messages. A refusal says why, and that nothing was acted on.
        """
        try:
            sender = self._verified(request)
            messages = decode_envelope(request.body, sender=sender, recipient=self._node_id)
        except Refusal as refusal:
            name = refusal.reason.name
            self.refused[name] = self.refused.get(name, 0) + 1
            log.warning("envelope refused", client=request.client, reason=name, **refusal.facts)
            request.refuse(refusal)
            return
        self._receive(sender, messages)
        request.respond(202, b"")

    def _verified(self, request: HotRequest) -> str:
        """
        The sender of an envelope, within its rate.

        On a connection where wrong signatures came, nothing is verified for a while: a verification costs far more than
        refusing. Other connections, of the sender that was named among them, are not touched by that.
        Refuses:  TOO_MANY_ENVELOPES on this connection; as `Verifier.verify`; TOO_MANY_ENVELOPES of the sender.
        """
        now_ns = self._verifier.clock.now_ns()
        if wait_ns := self._forgeries.wait_ns(request.client, now_ns):
            raise _too_many(wait_ns)
        try:
            sender = self._verifier.verify(request.headers, request.method, request.path, request.body)
        except Refusal as refusal:
            if refusal.reason is SchemeReason.SIGNATURE_WRONG:
                self._forgeries.take(request.client, now_ns)
            raise
        if wait_ns := self._envelopes.take(sender, now_ns):
            raise _too_many(wait_ns)
        return sender

    def close(self) -> None:
        """Drop every link."""
        for link in self.links.values():
            link.close()
