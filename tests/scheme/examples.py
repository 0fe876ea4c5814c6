"""
The examples of `docs/scheme/examples`: written by the code, so that they cannot differ from it.

`python -m tests.scheme.examples` writes them again (with `src` on the path). They change only when the contract does.
"""

import base64
from pathlib import Path
from typing import Any

import msgspec
from nacl.signing import SigningKey

from hutong.kernel.clock import NS_PER_MS, ManualClock
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import seeded_randomness
from hutong.scheme.envelope import PATH, decode_envelope, encode_envelope
from hutong.scheme.messages import (
    AccountStatement,
    AnyMessage,
    Channel,
    CodeConsult,
    CodeResolve,
    ConsultStatus,
    CreditTransfer,
    EntryKind,
    MerchantFacts,
    PaymentReturn,
    PaymentStatus,
    RecallAnswer,
    RecallReason,
    RecallRequest,
    RecallStatus,
    RequestStatus,
    RequestToPay,
    StatementRequest,
    StatusRequest,
    TraceAnswer,
    TraceHop,
    TraceKind,
    TraceRequest,
    TransactionStatus,
)
from hutong.scheme.signature import FOR_EVER_NS, KeyRing, ReplayGuard, SecretKey, Signer, Verifier, signed_bytes
from tests.scheme.complaint_examples import COMPLAINT_REFUSED, COMPLAINTS
from tests.scheme.hold_examples import HOLD_ASKED, HOLD_REFUSED, HOLD_RELEASE, HOLD_TOLD

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "scheme" / "examples"

NOW_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z.
JING_SEED = bytes(range(32))  # 000102...1f: of nobody's, and for examples alone.
# What its institution says of a merchant.
NOODLES = MerchantFacts(
    merchant="mer_01K01D5G00W3M9SK0YT7S1DJ9A",
    shop="shp_01K01D5G00F4N2QZ8C6B3V5X7W",
    city="北京",
    small=True,
    words=("old-town",),
)
PAYMENT = "019b76da-a800-7b1c-9d2e-3f4a5b6c7d00".replace("-", "")
RETURN = "019b76e7-1234-70aa-bbcc-ddeeff001100".replace("-", "")
REQUEST = "019b76da-9c40-7111-2222-333344445500".replace("-", "")
RECALL = "019b7748-85a0-7ccc-8111-222333444500".replace("-", "")
ACT = "019b7748-8a10-7bbb-8222-333444555600".replace("-", "")
TRACE = "019b7748-9000-7ddd-8111-222333444500".replace("-", "")
ONWARD = "019b76db-9260-7eee-8111-222333444500".replace("-", "")
CONSULT = "019b76da-9000-7aaa-8bbb-9ccc0ddd0e00".replace("-", "")
CONSULT_AGAIN = "019b76da-9bb8-7aaa-8bbb-9ccc0ddd0e00".replace("-", "")

STATEMENT = "019b7735-6400-7abc-8def-001122334400".replace("-", "")

MESSAGES: list[AnyMessage] = [
    AccountStatement(
        statement_id=STATEMENT,
        number=42,
        kind=EntryKind.WINDOW,
        currency="CNY",
        amount=125_000,
        is_credit=False,
        opening=1_000_000,
        closing=875_000,
        booked_at_ms=NOW_MS + 10_801_000,
        window="2026-01-01/1",
        settles_on="2026-01-01",
        credits=300_000,
        debits=425_000,
    ),
    StatementRequest(currency="CNY", number=43),
    CodeConsult(
        consult_id=CONSULT,
        code="https://wei.example/q/7YWQK3",
        debtor_agent="jing",
        form="url:https://wei.example/q/",
    ),
    CodeResolve(
        consult_id=CONSULT,
        debtor_agent="jing",
        status=ConsultStatus.FOUND,
        creditor_agent="wei",
        creditor_name="老王面馆",
        shop_name="老王面馆（南锣鼓巷店）",
        mcc="5812",
        channel=Channel.DYNAMIC_CODE,
        request_id=REQUEST,
        amount=3800,
        currency="CNY",
        creditor_discount=100,
        remittance="牛肉面",
        expires_at_ms=NOW_MS + 300_000,
        interchange_bps=20,
        switch_fee_bps=2,
        fee_version="2026-1",
        merchant=NOODLES,
    ),
    CreditTransfer(
        payment_id=PAYMENT,
        request_id=REQUEST,
        amount=3800,
        currency="CNY",
        settlement=3692,
        creditor_discount=100,
        interchange=7,
        switch_fee=1,
        fee_version="2026-1",
        channel=Channel.DYNAMIC_CODE,
        mcc="5812",
        debtor_agent="jing",
        creditor_agent="wei",
        debtor_name="*小明",
        debtor_ref="p7Q2mXb9",
        accepted_at_ms=NOW_MS,
        expires_at_ms=NOW_MS + 30_000,
        remittance="牛肉面",
    ),
    PaymentStatus(
        payment_id=PAYMENT,
        originator="jing",
        status=TransactionStatus.COMPLETED,
        settles_on="2026-01-01",
        window="2026-01-01/1",
    ),
    StatusRequest(payment_id=PAYMENT, originator="jing"),
    PaymentReturn(
        return_id=RETURN,
        payment_id=PAYMENT,
        amount=1900,
        currency="CNY",
        settlement=1847,
        creditor_discount=50,
        interchange=3,
        switch_fee=0,
        debtor_agent="jing",
        creditor_agent="wei",
        reason="CUST",
        remittance="少了一碗",
        accepted_at_ms=NOW_MS + 3_600_000,
        expires_at_ms=NOW_MS + 3_630_000,
    ),
    RequestToPay(
        request_id=REQUEST,
        code="281234567890123456",
        amount=3800,
        currency="CNY",
        channel=Channel.PAYMENT_CODE,
        mcc="5812",
        creditor_agent="wei",
        creditor_name="老王面馆",
        remittance="牛肉面",
        expires_at_ms=NOW_MS + 60_000,
        interchange_bps=20,
        switch_fee_bps=2,
        fee_version="2026-1",
        merchant=NOODLES,
    ),
    RequestStatus(
        request_id=REQUEST,
        creditor_agent="wei",
        status=TransactionStatus.REJECTED,
        reason="AM04",
        reason_name="BALANCE_INSUFFICIENT",
    ),
    RecallRequest(
        recall_id=RECALL,
        asker="jing",
        payment_id=PAYMENT,
        debtor_agent="jing",
        creditor_agent="wei",
        amount=3800,
        currency="CNY",
        reason=RecallReason.FRAUD,
        remark="付款人称被冒充客服者诱导",
        asked_at_ms=NOW_MS + 7_200_000,
        answer_by_ms=NOW_MS + 7_200_000 + 72 * 3_600_000,
    ),
    RecallAnswer(recall_id=RECALL, asker="jing", status=RecallStatus.PARTIAL, amount=1900, return_id=RETURN),
    *COMPLAINTS,
    HOLD_ASKED,
    HOLD_TOLD,
    TraceRequest(trace_id=TRACE, payment_id=PAYMENT, originator="jing", amount=3800, depth_max=4),
    TraceAnswer(
        trace_id=TRACE,
        holder="wei:3f9ac2d17b04e586",
        is_whole=True,
        hops=[
            TraceHop(
                source="wei:3f9ac2d17b04e586",
                kind=TraceKind.PAYMENT,
                amount=2000,
                payment_id=ONWARD,
                originator="wei",
                agent="zhi",
                at_ms=NOW_MS + 60_000,
            ),
            TraceHop(source="wei:3f9ac2d17b04e586", kind=TraceKind.KEPT, amount=1800),
        ],
    ),
]
RECALL_REJECTED = RecallAnswer(
    recall_id=RECALL, asker="jing", status=RecallStatus.REJECTED, reason="NOAS", reason_name="PAYEE_DID_NOT_ANSWER"
)
REJECTED = PaymentStatus(
    payment_id=PAYMENT,
    originator="jing",
    status=TransactionStatus.REJECTED,
    reason="AM23",
    reason_name="NET_DEBIT_CAP_EXCEEDED",
)

# A plate, once the payer has typed what to pay: the consult that names it, and what its owner takes off of that.
CONSULT_AMOUNT = CodeConsult(
    consult_id=CONSULT_AGAIN,
    code="https://wei.example/q/7YWQK3",
    debtor_agent="jing",
    amount=3800,
    currency="CNY",
    form="url:https://wei.example/q/",
)
RESOLVE_AMOUNT = CodeResolve(
    consult_id=CONSULT_AGAIN,
    debtor_agent="jing",
    status=ConsultStatus.FOUND,
    creditor_agent="wei",
    creditor_name="老王面馆",
    shop_name="老王面馆（南锣鼓巷店）",
    mcc="5812",
    channel=Channel.STATIC_CODE,
    request_id=REQUEST,
    is_static=True,
    currency="CNY",
    creditor_discount=300,
    asks_amount=True,
    interchange_bps=20,
    switch_fee_bps=2,
    fee_version="2026-1",
    merchant=NOODLES,
)

KEY = SecretKey("jing-2026-1", JING_SEED, NOW_MS * NS_PER_MS - 1, FOR_EVER_NS)
RETIRED = SecretKey("jing-2025-1", bytes(32), 0, NOW_MS * NS_PER_MS)


def _pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _text(headers: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in headers.items()}


def signed() -> tuple[dict[bytes, bytes], bytes]:
    """An envelope of one enquiry from jing to the switch: its headers and its body."""
    clock = ManualClock(NOW_MS * NS_PER_MS)
    body = encode_envelope("jing", "switch", [StatusRequest(payment_id=PAYMENT, originator="jing")])
    return Signer("jing", [KEY], clock, seeded_randomness(2026)).sign("switch", "POST", PATH, body), body


def signed_envelope() -> dict[str, Any]:
    """The worked example of `transport.md`."""
    headers, body = signed()
    return {
        "seed_hex": JING_SEED.hex(),
        "public_key_hex": KEY.public().public_key.hex(),
        "method": "POST",
        "path": PATH,
        "headers": _text(headers),
        "body": body.decode(),
        "signed_bytes": signed_bytes(headers, b"POST", PATH.encode(), body).decode(),
    }


def _resigned(body: bytes, **changes: str) -> dict[bytes, bytes]:
    """Headers changed by who holds the key: everything about them is wrong but the signature."""
    headers, _ = signed()
    headers |= {f"hutong-{name.replace('_', '-')}".encode(): value.encode() for name, value in changes.items()}
    key = SigningKey(RETIRED.seed if changes.get("key_id") == RETIRED.key_id else JING_SEED)
    signature = key.sign(signed_bytes(headers, b"POST", PATH.encode(), body)).signature
    return headers | {b"hutong-signature": base64.b64encode(signature)}


SAID_OTHERWISE = [
    ("a body of another version", '"Vrsn":1', '"Vrsn":2'),
    ("a body of another sender", '"InstgAgt":"jing"', '"InstgAgt":"wei"'),
    ("a body for another node", '"InstdAgt":"switch"', '"InstdAgt":"wei"'),
    ("a message of no known type", "pacs.028", "pacs.999"),
    ("a message whose id is too short", PAYMENT, "019b"),
    ("a field nobody knows yet", '"MsgTp"', '"NewFld":1,"MsgTp"'),
]


def _said_otherwise(what: str, said: str, otherwise: str) -> tuple[str, dict[bytes, bytes], bytes]:
    _, body = signed()
    changed = body.replace(said.encode(), otherwise.encode())
    assert changed != body
    return what, _resigned(changed), changed


def envelopes() -> list[tuple[str, dict[bytes, bytes], bytes]]:
    """Envelopes to verify, by what is special about each; all are for the switch, at `NOW_MS`."""
    headers, body = signed()
    skew_ms = 120_000
    asked = encode_envelope("jing", "switch", [msgspec.structs.replace(CONSULT_AMOUNT, form="")])
    negative = asked.replace(b'"InstdAmt":3800', b'"InstdAmt":-3800')
    return [
        ("good", headers, body),
        ("good, sent 120 s ago", _resigned(body, timestamp=str(NOW_MS - skew_ms)), body),
        ("sent 120.001 s ago", _resigned(body, timestamp=str(NOW_MS - skew_ms - 1)), body),
        ("good, from 120 s ahead", _resigned(body, timestamp=str(NOW_MS + skew_ms)), body),
        ("from 120.001 s ahead", _resigned(body, timestamp=str(NOW_MS + skew_ms + 1)), body),
        ("one byte of the body changed", headers, body.replace(b"pacs.028", b"pacs.029")),
        ("the body cut short", headers, body[:-1]),
        ("the signature of another body", _resigned(body + b" "), body),
        ("a header missing", {name: headers[name] for name in headers if name != b"hutong-nonce"}, body),
        ("a timestamp with a sign", _resigned(body, timestamp=f"+{NOW_MS}"), body),
        ("another version", _resigned(body, version="2"), body),
        ("for another node", _resigned(body, recipient="wei"), body),
        ("from nobody we know", _resigned(body, sender="nobody"), body),
        ("a key nobody has", _resigned(body, key_id="jing-2031-1"), body),
        ("a key that has ended", _resigned(body, key_id=RETIRED.key_id), body),
        ("a body that is not JSON", _resigned(b"MsgTp=pacs.028"), b"MsgTp=pacs.028"),
        ("a body that ends early", _resigned(body[:-2]), body[:-2]),
        *(_said_otherwise(*said) for said in SAID_OTHERWISE),
        ("good, a consult that names an amount", _resigned(asked), asked),
        ("a consult that names less than nothing", _resigned(negative), negative),
    ]


def verdict(headers: dict[bytes, bytes], body: bytes) -> str:
    """What a switch that has just started says to this envelope: OK, or the name of the reason."""
    clock = ManualClock(NOW_MS * NS_PER_MS)
    rings = {"jing": KeyRing([KEY.public(), RETIRED.public()])}
    verifier = Verifier("switch", rings.get, clock, ReplayGuard(0))
    try:
        sender = verifier.verify(headers, "POST", PATH, body)
        decode_envelope(body, sender=sender, recipient="switch")
    except Refusal as refusal:
        return refusal.reason.name
    return "OK"


def verification() -> dict[str, Any]:
    """Envelopes and what a node must say to them."""
    keys = [KEY.public(), RETIRED.public()]
    return {
        "node": "switch",
        "now_ms": NOW_MS,
        "clock_skew_max_ms": 120_000,
        "keys_of_jing": [
            {
                "key_id": key.key_id,
                "public_key_hex": key.public_key.hex(),
                "valid_from_ns": key.valid_from_ns,
                "valid_until_ns": key.valid_until_ns,
            }
            for key in keys
        ],
        "envelopes": [
            {"what": what, "headers": _text(headers), "body": body.decode(), "answer": verdict(headers, body)}
            for what, headers, body in envelopes()
        ],
    }


def files() -> dict[str, bytes]:
    """Every example, by its file's name."""
    named = {f"{msgspec.to_builtins(message)['MsgTp']}.json": _pretty(message) for message in MESSAGES}
    named["hutong.consult-amount.json"] = _pretty(CONSULT_AMOUNT)
    named["hutong.resolve-amount.json"] = _pretty(RESOLVE_AMOUNT)
    named["pacs.002-rejected.json"] = _pretty(REJECTED)
    named["camt.029-rejected.json"] = _pretty(RECALL_REJECTED)
    named["hutong.complained-refused.json"] = _pretty(COMPLAINT_REFUSED)
    named["hutong.hold-release.json"] = _pretty(HOLD_RELEASE)
    named["hutong.held-refused.json"] = _pretty(HOLD_REFUSED)
    named["signed-envelope.json"] = _pretty(signed_envelope())
    named["verification.json"] = _pretty(verification())
    return named


if __name__ == "__main__":
    for name, content in files().items():
        (EXAMPLES / name).write_bytes(content)
