import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.kernel.errors import Refusal
from hutong.scheme.envelope import BODY_MAX, SchemeReason, decode_envelope, encode_envelope
from hutong.scheme.messages import AnyMessage, Channel, RequestToPay, StatusRequest

ASKED = StatusRequest(payment_id="0" * 31 + "1", originator="jing")


def body(**changes: Any) -> bytes:
    envelope = json.loads(encode_envelope("jing", "switch", [ASKED, ASKED]))
    return json.dumps(envelope | changes).encode()


def decode(data: bytes) -> list[AnyMessage]:
    return decode_envelope(data, sender="jing", recipient="switch")


def message(**changes: Any) -> bytes:
    changed = msgspec.to_builtins(ASKED) | changes
    return body(
        Msgs=[msgspec.to_builtins(ASKED), {name: value for name, value in changed.items() if value is not None}]
    )


def test_messages_travel_in_an_envelope() -> None:
    assert decode(encode_envelope("jing", "switch", [ASKED, ASKED])) == [ASKED, ASKED]


def test_a_field_of_a_later_version_is_ignored() -> None:
    assert decode(message(NewFld=1)) == [ASKED, ASKED]


@pytest.mark.parametrize(
    ("data", "reason", "facts"),
    [
        (b"", SchemeReason.ENVELOPE_TRUNCATED, {}),
        (body()[:-1], SchemeReason.ENVELOPE_TRUNCATED, {}),
        (body()[:40], SchemeReason.ENVELOPE_TRUNCATED, {}),
        (b"\xff" + body(), SchemeReason.ENVELOPE_MALFORMED, {}),
        (body().replace(b"jing", b"ji\xffg"), SchemeReason.ENVELOPE_MALFORMED, {}),
        (body() + b"x", SchemeReason.ENVELOPE_MALFORMED, {}),
        (b"[" * 100_000, SchemeReason.ENVELOPE_MALFORMED, {}),
        (b" " * (BODY_MAX + 1), SchemeReason.ENVELOPE_TOO_LARGE, {"bytes_max": BODY_MAX}),
        (b"null", SchemeReason.ENVELOPE_MALFORMED, {"field": "$"}),
        (body(Vrsn=2), SchemeReason.VERSION_NOT_SPOKEN, {"version": 2, "spoken": 1}),
        (body(Vrsn=2, Msgs="other"), SchemeReason.VERSION_NOT_SPOKEN, {"version": 2, "spoken": 1}),
        (body(Vrsn="1"), SchemeReason.ENVELOPE_MALFORMED, {"field": "Vrsn"}),
        (body(InstgAgt="wei"), SchemeReason.ENVELOPE_MALFORMED, {"field": "InstgAgt"}),
        (body(InstdAgt="wei"), SchemeReason.ENVELOPE_MALFORMED, {"field": "InstdAgt"}),
        (body(Msgs=[]), SchemeReason.ENVELOPE_MALFORMED, {"field": "Msgs"}),
        (body(Msgs=[msgspec.to_builtins(ASKED)] * 501), SchemeReason.ENVELOPE_MALFORMED, {"field": "Msgs"}),
        (body(Msgs=[1]), SchemeReason.MESSAGE_MALFORMED, {"message": 0}),
        (message(OrgnlTxId="x"), SchemeReason.MESSAGE_MALFORMED, {"message": 1, "field": "OrgnlTxId"}),
        (message(OrgnlTxId="0" * 31 + "1\n"), SchemeReason.MESSAGE_MALFORMED, {"message": 1, "field": "OrgnlTxId"}),
        (message(OrgnlInstgAgt="jing\n"), SchemeReason.MESSAGE_MALFORMED, {"message": 1, "field": "OrgnlInstgAgt"}),
        (message(OrgnlTxId=None), SchemeReason.MESSAGE_MALFORMED, {"message": 1, "field": "OrgnlTxId"}),
        (message(MsgTp="pacs.999"), SchemeReason.MESSAGE_MALFORMED, {"message": 1, "field": "MsgTp"}),
        (message(MsgTp=None), SchemeReason.MESSAGE_MALFORMED, {"message": 1, "field": "MsgTp"}),
        (
            message(
                MsgTp="pain.013",
                PmtInfId="0" * 32,
                PmtCd="a\0b",
                InstdAmt=1,
                Ccy="CNY",
                LclInstrm="STATIC",
                MrchntCtgyCd="5411",
                CdtrAgt="wei",
                CdtrNm="n",
                XpryDtTm=1,
            ),
            SchemeReason.MESSAGE_MALFORMED,
            {"message": 1, "field": "PmtCd"},
        ),
    ],
)
def test_a_bad_envelope_is_refused_whole_and_the_place_is_named(
    data: bytes, reason: SchemeReason, facts: dict[str, Any]
) -> None:
    with pytest.raises(Refusal) as refused:
        decode(data)
    assert refused.value.reason is reason
    assert facts.items() <= refused.value.facts.items()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_bytes_raise_anything_but_a_named_refusal(data: st.DataObject) -> None:
    good = body()
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, len(good)))
    mangled = good[:start] + data.draw(st.binary(max_size=20)) + good[end:]
    with suppress(Refusal):
        assert len(decode(mangled)) >= 1


def test_an_instant_that_rows_could_not_keep_is_refused() -> None:
    """As nanoseconds it has to fit 63 bits: a row that cannot be written would stop the node that was asked."""

    def asked(expires_at_ms: int) -> bytes:
        request = RequestToPay(
            request_id="0" * 32,
            code="310000000000000000",
            amount=1,
            currency="CNY",
            channel=Channel.PAYMENT_CODE,
            mcc="5812",
            creditor_agent="jing",
            creditor_name="面馆",
            expires_at_ms=expires_at_ms,
        )
        return encode_envelope("jing", "switch", [request])

    latest = (2**63 - 1) // 10**6
    assert len(decode(asked(latest))) == 1
    with pytest.raises(Refusal, match="MESSAGE_MALFORMED"):
        decode(asked(latest + 1))
