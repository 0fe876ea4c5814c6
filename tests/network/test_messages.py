"""What a node of a process of its own does with messages nobody should have sent: a no with a name, and nothing moves."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from hutong.app.network import DEMO_NETWORK, Network
from hutong.app.processes import running_processes
from hutong.kernel.clock import Clock, SystemClock
from hutong.kernel.ids import system_randomness
from hutong.runtime.address import Address
from hutong.scheme.envelope import encode_envelope
from hutong.scheme.messages import AnyMessage, Channel, CreditTransfer, PaymentStatus, StatusRequest, TransactionStatus
from hutong.scheme.signature import SecretKey, Signer
from tests.network.audit import Audit, audit_when_quiet
from tests.network.conftest import new_database, reserves_are_known, this_checkout
from tests.network.street import NO_TLS, TIMEOUT_S, Door, Street, refusal

RESERVE = DEMO_NETWORK.node("jing").reserve_minor
NETWORK = Network(nodes=tuple(DEMO_NETWORK.node(node) for node in ("switch", "jing", "wei")))
PATH = "/scheme/v1/messages"


@dataclass
class Sender:
    """Somebody who has the keys of jing and a wire to the switch."""

    street: Street
    keys: list[SecretKey]

    def sign(
        self,
        body: bytes,
        *,
        sender: str = "jing",
        recipient: str = "switch",
        keys: list[SecretKey] | None = None,
        clock: Clock | None = None,
    ) -> dict[bytes, bytes]:
        randomness = system_randomness()
        signer = Signer(sender, keys or self.keys, clock or SystemClock(), randomness)
        return signer.sign(recipient, "POST", PATH, body)

    def send(self, body: bytes, headers: dict[bytes, bytes] | None = None) -> httpx.Response:
        url = self.street.doors["switch"].url + PATH
        signed = self.sign(body) if headers is None else headers
        headers_text = {name.decode(): value.decode() for name, value in signed.items()}
        return httpx.post(url, content=body, headers=headers_text, timeout=TIMEOUT_S, trust_env=False, verify=NO_TLS)

    def tell(self, *messages: AnyMessage) -> None:
        """As jing itself would; the switch takes it."""
        assert self.send(encode_envelope("jing", "switch", list(messages))).status_code == 202

    def audit(self) -> Audit:
        """Jing's books know nothing of what was said in its name; else there is nothing to find."""
        found = audit_when_quiet(self.street.database_url, ignoring="comes from jing, which knows nothing of it")
        assert found.wrong == []
        return found

    def decision(self, payment_id: str, originator: str = "jing") -> dict[str, Any]:
        operator = self.street.operator("switch")
        return dict(operator.get(f"/v1/payments/{originator}/{payment_id}"))


@pytest.fixture(scope="module")
def sender(postgres: Address, run_directory: Path) -> Iterator[Sender]:
    directory = run_directory / f"messages-{os.getpid()}"
    directory.mkdir()
    address = new_database(postgres)
    with this_checkout(), running_processes(directory, NETWORK, address) as nodes:
        doors = {name: Door(node.url, node.operator_token) for name, node in nodes.items()}
        street = Street(doors, address.url)
        reserves_are_known(street, [name for name in doors if name != "switch"])
        yield Sender(street, [key.secret() for key in nodes["jing"].secrets.signing_keys])
        street.close()


@pytest.fixture(autouse=True)
def nothing_moves(sender: Sender) -> Iterator[None]:
    yield
    found = sender.audit()
    moved = {key: balance for key, balance in found.figures.items() if key[0] != "switch"}
    assert set(moved.values()) <= {
        (0, RESERVE, 0, 0),
        (0, 0, 0, RESERVE),
    }  # What each node prefunded, and nothing else.
    assert sender.street.operator("switch").get("/v1/positions")["balanced"]
    assert all(position["net"] == 0 for position in sender.street.operator("switch").get("/v1/positions")["positions"])


def transfer(*, expires_at_ms: int = 60_000, **changed: Any) -> CreditTransfer:
    """A sound one; `expires_at_ms` counts from now."""
    now_ms = SystemClock().now_ns() // 1_000_000
    return msgspec.structs.replace(
        CreditTransfer(
            payment_id=f"{now_ms << 80 | system_randomness().getrandbits(70) << 8:032x}",
            request_id="0" * 31 + "1",
            amount=100,
            currency="CNY",
            settlement=100,
            fee_version="1",
            channel=Channel.STATIC_CODE,
            mcc="5812",
            debtor_agent="jing",
            creditor_agent="wei",
            accepted_at_ms=now_ms,
            expires_at_ms=now_ms + expires_at_ms,
        ),
        **changed,
    )


def envelope(**changed: Any) -> bytes:
    """A sound one, with another value in some of its fields, or in its message's."""
    described = json.loads(encode_envelope("jing", "switch", [transfer()]))
    for field, value in changed.items():
        (described if field in described else described["Msgs"][0])[field] = value
    return json.dumps(described).encode()


@dataclass
class Shifted:
    """A clock that is wrong by so much."""

    seconds: int

    def now_ns(self) -> int:
        return SystemClock().now_ns() + self.seconds * 1_000_000_000


def _bodies() -> dict[str, tuple[bytes, str]]:
    good = envelope()
    return {
        "nothing": (b"", "ENVELOPE_TRUNCATED"),
        "truncated": (good[: len(good) // 2], "ENVELOPE_TRUNCATED"),
        "not json": (b"MsgTp=pacs.008", "ENVELOPE_MALFORMED"),
        "not utf-8": (good.replace(b"5812", b"\xff\xfe12"), "ENVELOPE_MALFORMED"),
        "nested too deeply": (b"[" * 100_000, "ENVELOPE_MALFORMED"),
        "no messages": (envelope(Msgs=[]), "ENVELOPE_MALFORMED"),
        "too many messages": (envelope(Msgs=json.loads(good)["Msgs"] * 501), "ENVELOPE_MALFORMED"),
        "another version": (envelope(Vrsn=2), "VERSION_NOT_SPOKEN"),
        "for another node": (envelope(InstdAgt="wei"), "ENVELOPE_MALFORMED"),
        "from another node": (envelope(InstgAgt="wei"), "ENVELOPE_MALFORMED"),
        "unknown message": (envelope(MsgTp="pacs.999"), "MESSAGE_MALFORMED"),
        "amount zero": (envelope(InstdAmt=0), "MESSAGE_MALFORMED"),
        "amount negative": (envelope(InstdAmt=-100), "MESSAGE_MALFORMED"),
        "amount fractional": (envelope(InstdAmt=100.5), "MESSAGE_MALFORMED"),
        "amount as text": (envelope(InstdAmt="100"), "MESSAGE_MALFORMED"),
        "amount beyond 63 bits": (envelope(InstdAmt=2**63), "MESSAGE_MALFORMED"),
        "beyond all time": (envelope(XpryDtTm=2**53), "MESSAGE_MALFORMED"),
        "no currency": (envelope(Ccy="yuan"), "MESSAGE_MALFORMED"),
        "no id": (envelope(TxId="12"), "MESSAGE_MALFORMED"),
        "a text with U+0000": (envelope(RmtInf="a\0b"), "MESSAGE_MALFORMED"),
    }


@pytest.mark.parametrize("what", _bodies())
def test_a_body_that_is_no_envelope_is_refused(sender: Sender, what: str) -> None:
    body, reason = _bodies()[what]
    assert refusal(sender.send(body))["reason"] == reason


def test_an_envelope_too_large_is_refused(sender: Sender) -> None:
    assert refusal(sender.send(envelope(RmtInf="x" * (1 << 20))))["reason"] == "BODY_TOO_LARGE"


_STRANGERS_KEY = SecretKey("jing-1", b"\7" * 32, 0, 2**62)
_SIGNED: dict[str, tuple[Callable[[Sender, bytes], dict[bytes, bytes]], str]] = {
    "wrongly": (lambda s, body: s.sign(body + b" "), "SIGNATURE_WRONG"),
    "with a strangers key": (lambda s, body: s.sign(body, keys=[_STRANGERS_KEY]), "SIGNATURE_WRONG"),
    "with an unknown key": (
        lambda s, body: s.sign(body, keys=[SecretKey("jing-9", b"\7" * 32, 0, 2**62)]),
        "SIGNATURE_KEY_UNKNOWN",
    ),
    "by nobody known": (lambda s, body: s.sign(body, sender="nobody"), "SENDER_UNKNOWN"),
    "as somebody else": (lambda s, body: s.sign(body, sender="wei"), "SIGNATURE_KEY_UNKNOWN"),
    "for another": (lambda s, body: s.sign(body, recipient="wei"), "RECIPIENT_NOT_HERE"),
    "long ago": (lambda s, body: s.sign(body, clock=Shifted(-200)), "ENVELOPE_STALE"),
    "in the future": (lambda s, body: s.sign(body, clock=Shifted(200)), "ENVELOPE_FROM_THE_FUTURE"),
    "not at all": (lambda _s, _body: {}, "SIGNATURE_MALFORMED"),
    "with half a signature": (
        lambda s, body: s.sign(body) | {b"hutong-signature": b"AAAA"},
        "SIGNATURE_MALFORMED",
    ),
    "in another version": (lambda s, body: s.sign(body) | {b"hutong-version": b"2"}, "VERSION_NOT_SPOKEN"),
}


@pytest.mark.parametrize("how", _SIGNED)
def test_an_envelope_signed_otherwise_is_refused(sender: Sender, how: str) -> None:
    sign, reason = _SIGNED[how]
    body = envelope()
    assert refusal(sender.send(body, sign(sender, body)))["reason"] == reason


def test_an_envelope_is_taken_once(sender: Sender) -> None:
    body = encode_envelope("jing", "switch", [StatusRequest(payment_id="0" * 29 + "100", originator="wei")])
    headers = sender.sign(body)
    assert sender.send(body, headers).status_code == 202
    assert refusal(sender.send(body, headers))["reason"] == "ENVELOPE_REPLAYED"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"settlement": 101}, "AMOUNTS_DO_NOT_ADD_UP"),
        ({"settlement": 90, "interchange": 10}, "FEES_DIFFER"),
        ({"currency": "USD"}, "CURRENCY_NOT_CLEARED_HERE"),
        ({"creditor_agent": "nobody"}, "PARTICIPANT_UNKNOWN"),
        ({"creditor_agent": "jing"}, "AGENTS_ARE_THE_SAME"),
        ({"expires_at_ms": -1}, "DEADLINE_PASSED"),
        ({"expires_at_ms": 100 * 3_600_000}, "DEADLINE_TOO_FAR"),
        ({"amount": 2**62, "settlement": 2**62}, "NET_DEBIT_CAP_EXCEEDED"),
    ],
)
def test_a_payment_the_switch_does_not_admit_is_rejected_for_good(
    sender: Sender, changed: dict[str, Any], reason: str
) -> None:
    message = transfer(**changed)
    sender.tell(message)
    decision = sender.decision(message.payment_id)
    assert (decision["status"], decision["reason"]) == ("RJCT", reason)
    sender.tell(transfer(payment_id=message.payment_id))
    assert sender.decision(message.payment_id) == decision


def test_a_payment_in_anothers_name_is_not_heard(sender: Sender) -> None:
    message = transfer(debtor_agent="wei", creditor_agent="jing")
    sender.tell(message)
    problem = sender.street.operator("switch").refused(f"/v1/payments/wei/{message.payment_id}", method="GET")
    assert problem["reason"] == "PAYMENT_UNKNOWN"


def test_nobody_accepts_or_decides_what_is_not_theirs(sender: Sender) -> None:
    """The debtor agent itself says that the creditor agent accepted, and that the payment is completed."""
    message = transfer()
    statuses = [
        PaymentStatus(payment_id=message.payment_id, originator="jing", status=status)
        for status in (TransactionStatus.ACCEPTED, TransactionStatus.COMPLETED)
    ]
    sender.tell(message, *statuses)
    sender.tell(*statuses)
    # wei knows no such code and says no; what jing says counts for nothing.
    sender.audit()
    assert sender.decision(message.payment_id)["status"] == "RJCT"


def test_what_was_never_seen_is_rejected_before_it_is_told(sender: Sender) -> None:
    message = transfer()
    sender.tell(StatusRequest(payment_id=message.payment_id, originator="jing"))
    sender.tell(message)
    decision = sender.decision(message.payment_id)
    assert (decision["status"], decision["reason"]) == ("RJCT", "NEVER_SEEN")
