"""
The envelope: many messages from one node to another, encoded once, and why one is refused.

An envelope is taken whole or not at all. It was signed by its sender, so one bad message in it is the sender's
bug: it is told which message and which field, and nothing of the envelope is acted on.
"""

import re

import msgspec

from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.text import has_nul
from hutong.scheme.messages import VERSION, AnyMessage, Envelope

PATH = "/scheme/v1/messages"
BODY_MAX = 1 << 20


class SchemeReason(Reason):
    """Why an envelope was refused. Nothing of it was acted on, and nothing is said about any payment."""

    ENVELOPE_TOO_LARGE = Kind.INVALID, "NARR"
    ENVELOPE_TRUNCATED = Kind.INVALID, "NARR"
    ENVELOPE_MALFORMED = Kind.INVALID, "NARR"
    MESSAGE_MALFORMED = Kind.INVALID, "NARR"
    VERSION_NOT_SPOKEN = Kind.INVALID, "NARR"
    SIGNATURE_MALFORMED = Kind.INVALID, "NARR"
    RECIPIENT_NOT_HERE = Kind.INVALID, "NARR"
    SENDER_UNKNOWN = Kind.NOT_ALLOWED, "NARR"
    SIGNATURE_KEY_UNKNOWN = Kind.NOT_ALLOWED, "NARR"
    SIGNATURE_KEY_NOT_VALID = Kind.NOT_ALLOWED, "NARR"
    SIGNATURE_WRONG = Kind.NOT_ALLOWED, "NARR"
    ENVELOPE_STALE = Kind.REFUSED, "NARR"
    ENVELOPE_FROM_THE_FUTURE = Kind.REFUSED, "NARR"
    ENVELOPE_REPLAYED = Kind.CONFLICT, "DUPL"
    TOO_MANY_ENVELOPES = Kind.LIMITED, "NARR"


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Envelope).decode
_MESSAGE_PATH = re.compile(r"^\$\.Msgs\[(\d+)\](?:\.(.+))?$")
_NUL_ESCAPE = b"\\u0000"


def encode_envelope(sender: str, recipient: str, messages: list[AnyMessage]) -> bytes:
    """The body that carries these messages."""
    return _encode(Envelope(version=VERSION, instructing_agent=sender, instructed_agent=recipient, messages=messages))


def decode_envelope(body: bytes, *, sender: str, recipient: str) -> list[AnyMessage]:
    """
    The messages in a body whose signature was good.

    Refuses:  ENVELOPE_TOO_LARGE, ENVELOPE_TRUNCATED, ENVELOPE_MALFORMED with the field or the byte,
              VERSION_NOT_SPOKEN, MESSAGE_MALFORMED with the message's index and its field.
    """
    if len(body) > BODY_MAX:
        raise Refusal(SchemeReason.ENVELOPE_TOO_LARGE, bytes_max=BODY_MAX)
    try:
        envelope = _decode(body)
    except msgspec.ValidationError as error:
        _check_version(body)
        raise _invalid(str(error)) from None
    except msgspec.DecodeError as error:
        reason = SchemeReason.ENVELOPE_MALFORMED
        if "truncated" in str(error):
            reason = SchemeReason.ENVELOPE_TRUNCATED
        raise Refusal(reason, problem=str(error)) from None
    except (UnicodeDecodeError, RecursionError):
        raise Refusal(SchemeReason.ENVELOPE_MALFORMED, problem="not JSON in UTF-8") from None
    if envelope.version != VERSION:
        raise Refusal(SchemeReason.VERSION_NOT_SPOKEN, version=envelope.version, spoken=VERSION)
    if envelope.instructing_agent != sender:
        raise Refusal(SchemeReason.ENVELOPE_MALFORMED, field="InstgAgt", problem="not who signed")
    if envelope.instructed_agent != recipient:
        raise Refusal(SchemeReason.ENVELOPE_MALFORMED, field="InstdAgt", problem="not who it was sent to")
    # No text may hold U+0000: databases do not keep it. JSON can only spell it this way, so most bodies need no walk.
    if _NUL_ESCAPE in body:
        _check_no_nul(envelope.messages)
    return envelope.messages


class _Versioned(msgspec.Struct):
    version: int = msgspec.field(name="Vrsn")


def _check_version(body: bytes) -> None:
    """A later version may look different: then the version is what to say, not the field that differs."""
    try:
        version = msgspec.json.decode(body, type=_Versioned).version
    except msgspec.DecodeError:
        return
    if version != VERSION:
        raise Refusal(SchemeReason.VERSION_NOT_SPOKEN, version=version, spoken=VERSION)


def _invalid(text: str) -> Refusal:
    problem, _, path = text.partition(" - at `")
    path = path.rstrip("`")
    found = _MESSAGE_PATH.match(path)
    if found is None:
        return Refusal(SchemeReason.ENVELOPE_MALFORMED, field=path.removeprefix("$.") or "$", problem=problem)
    return Refusal(
        SchemeReason.MESSAGE_MALFORMED, message=int(found[1]), field=found[2] or _missing(problem), problem=problem
    )


def _missing(problem: str) -> str:
    """The field's name in "Object missing required field `TxId`"."""
    return problem.split("`")[1] if "`" in problem else "MsgTp"


def _check_no_nul(messages: list[AnyMessage]) -> None:
    for index, message in enumerate(messages):
        for field, value in msgspec.to_builtins(message).items():
            if has_nul(value):
                raise Refusal(SchemeReason.MESSAGE_MALFORMED, message=index, field=field, problem="U+0000 in a text")
