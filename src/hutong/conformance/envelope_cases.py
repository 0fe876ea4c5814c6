"""
Cases about envelopes, the same for a participant and a switch: signatures, keys, clocks, sizes, malformed bodies.

What shows that an envelope was acted on is a consult about a code nobody has: it changes nothing and is answered.
"""

import base64
import json
from collections.abc import Callable
from typing import Any

from hutong.conformance.case import Side, case, require
from hutong.conformance.messages import consult, value_of
from hutong.conformance.play import ParticipantPlay, SwitchPlay, is_a
from hutong.conformance.station import Answer
from hutong.conformance.wire import (
    BODY_MAX,
    MESSAGES_MAX,
    Envelope,
    Key,
    Message,
    body_of,
    digest,
    new_id,
    new_nonce,
    now_ms,
    seal,
)

Play = ParticipantPlay | SwitchPlay
TRANSPORT = "transport.md"
_OTHER_KEY = Key("conformance-strange", digest("a key nobody registered"))


def both(name: str, page: str, proves: str, *, alone: bool = False) -> Callable[[Callable[[Any], None]], None]:
    """A case for either side."""

    def register(run: Callable[[Any], None]) -> None:
        case(f"PE-{name}", Side.PARTICIPANT, page, proves, alone=alone)(run)
        case(f"SE-{name}", Side.SWITCH, page, proves, alone=alone)(run)

    return register


def probe(play: Play) -> Message:
    """A consult about a code nobody has."""
    return consult(f"https://nobody.conformance.example/q/{new_id()}", play.asker)


def sealed(play: Play, messages: list[Message] | None = None, **said: str) -> Envelope:
    """An envelope with a probe in it, its headers changed before they are signed."""
    seat = play.talk.seat
    body = body_of(seat.node, seat.peer.node, messages or [probe(play)])
    return seal(seat.node, seat.peer.node, seat.key, body, **said)


def with_body(play: Play, body: bytes) -> Envelope:
    """Any bytes, with a good signature."""
    seat = play.talk.seat
    return seal(seat.node, seat.peer.node, seat.key, body)


def refused(play: Play, envelope: Envelope, what: str, *reasons: str) -> Answer:
    """It is refused by one of these names, in the shape of every refusal."""
    answer = play.talk.send(envelope, what)
    require(answer.reason in reasons, f"{what} is refused as {' or '.join(reasons)}", answer)
    kinds = {"ENVELOPE_STALE": 422, "ENVELOPE_FROM_THE_FUTURE": 422, "ENVELOPE_REPLAYED": 409, "BODY_TOO_LARGE": 413}
    kinds |= dict.fromkeys(("SENDER_UNKNOWN", "SIGNATURE_WRONG"), 401)
    kinds |= dict.fromkeys(("SIGNATURE_KEY_UNKNOWN", "SIGNATURE_KEY_NOT_VALID"), 401)
    require(answer.status == kinds.get(answer.reason, 400), f"{answer.reason} has its status", answer)
    shape = {"reason": str, "kind": str, "code": str, "message": str, "facts": dict}
    said = answer.problem
    require(all(isinstance(said.get(name), type_) for name, type_ in shape.items()), "a refusal has its fields", said)
    return answer


def answered(play: Play, asked: Message) -> None:
    say = "the consult in a good envelope is answered"
    play.talk.one(asked["CnsltId"], is_a("hutong.resolve"), say)


@both("GOOD", TRANSPORT, "received; being decided on. **Says nothing about any payment**: outcomes come as messages")
def _(play: Play) -> None:
    """A good envelope is answered 202 with an empty body, and acted on."""
    asked = probe(play)
    play.talk.tell(asked)
    answered(play, asked)


@both("NAMES", TRANSPORT, "Header names are case-insensitive, as in all of HTTP.")
def _(play: Play) -> None:
    """The headers' names may be written in any case."""
    good = sealed(play)
    shouted = Envelope({name.upper(): value for name, value in good.headers.items()}, good.body)
    answer = play.talk.send(shouted, "headers named in capitals")
    require(answer.status == 202, "headers named in capitals are taken", answer)


@both("MISSING", TRANSPORT, "All seven are required.")
def _(play: Play) -> None:
    """An envelope without any one of the seven headers is refused as SIGNATURE_MALFORMED, naming it."""
    good = sealed(play)
    for missing in good.headers:
        headers = {name: value for name, value in good.headers.items() if name != missing}
        answer = refused(play, Envelope(headers, good.body), f"an envelope without {missing}", "SIGNATURE_MALFORMED")
        named = str(answer.problem["facts"].get("header", "")).lower()
        require(named == missing, "the refusal names the header", answer)


@both("SPELLING", TRANSPORT, "A header in any other spelling is refused (`SIGNATURE_MALFORMED`, naming it)")
def _(play: Play) -> None:
    """A header spelt otherwise is refused, though it was signed so."""
    at = now_ms()
    spellings: list[dict[str, str]] = [
        {"timestamp": f"+{at}"},
        {"timestamp": f"0{at}"},
        {"nonce": new_nonce().upper()[:31] + "A"},
        {"nonce": new_nonce()[:31]},
        {"key_id": "-starts-with-a-dash"},
        {"version": "01"},
    ]
    for said in spellings:
        refused(play, sealed(play, None, **said), f"an envelope that says {said}", "SIGNATURE_MALFORMED")
    good = sealed(play)
    signature = good.headers["hutong-signature"]
    for spelt in (signature[:-2], base64.b64encode(b"short").decode(), signature.replace("=", "") + "=A"):
        headers = good.headers | {"hutong-signature": spelt}
        refused(play, Envelope(headers, good.body), f"the signature {spelt}", "SIGNATURE_MALFORMED")


@both("VERSION", "versioning.md", "A node refuses a version it does not speak **by name**: `VERSION_NOT_SPOKEN`")
def _(play: Play) -> None:
    """Another version is refused by name, with the one that is spoken: in the header as in the body."""
    seat = play.talk.seat
    body = body_of(seat.node, seat.peer.node, [probe(play)], Vrsn=2)
    for envelope in (sealed(play, version="2"), with_body(play, body)):
        answer = refused(play, envelope, "version 2", "VERSION_NOT_SPOKEN")
        require(answer.problem["facts"].get("spoken") == 1, "it says which version is spoken", answer)


@both("RECIPIENT", TRANSPORT, "it is for this node, or `RECIPIENT_NOT_HERE`")
def _(play: Play) -> None:
    """What was signed for another node is refused."""
    refused(play, sealed(play, recipient="somebody-else"), "an envelope for another node", "RECIPIENT_NOT_HERE")


@both("SENDER", TRANSPORT, "the sender is known, or `SENDER_UNKNOWN`")
def _(play: Play) -> None:
    """What comes from nobody known is refused."""
    refused(play, sealed(play, sender="nobody-known"), "an envelope from a stranger", "SENDER_UNKNOWN")


@both("KEY", TRANSPORT, "its key is known, or `SIGNATURE_KEY_UNKNOWN`")
def _(play: Play) -> None:
    """What was signed with a key nobody registered is refused, whatever it calls the key."""
    seat = play.talk.seat
    body = body_of(seat.node, seat.peer.node, [probe(play)])
    unknown = seal(seat.node, seat.peer.node, _OTHER_KEY, body)
    refused(play, unknown, "an envelope under an unknown key", "SIGNATURE_KEY_UNKNOWN")
    usurped = seal(seat.node, seat.peer.node, _OTHER_KEY, body, key_id=seat.key.key_id)
    refused(play, usurped, "an envelope under a known key's id, signed with another", "SIGNATURE_WRONG")


@both("ENDED", TRANSPORT, "the key is valid now, or `SIGNATURE_KEY_NOT_VALID`")
def _(play: Play) -> None:
    """What was signed with a key that has ended is refused; by who never registered it, as an unknown one."""
    seat = play.talk.seat
    body = body_of(seat.node, seat.peer.node, [probe(play)])
    ended = seal(seat.node, seat.peer.node, seat.keys[2], body)
    reasons = ("SIGNATURE_KEY_NOT_VALID", "SIGNATURE_KEY_UNKNOWN")
    refused(play, ended, "an envelope under a key that has ended", *reasons)


@both("SIGNED", TRANSPORT, "the signature is right, or `SIGNATURE_WRONG`")
def _(play: Play) -> None:
    """Whatever was changed behind the signature is found: body, headers, path."""
    asked = probe(play)
    good = sealed(play, [asked])
    changed = [
        Envelope(good.headers, good.body + b" "),
        Envelope(good.headers, good.body.replace(b"nobody", b"nobodx")),
        Envelope(good.headers | {"hutong-nonce": new_nonce()}, good.body),
        Envelope(good.headers | {"hutong-timestamp": str(int(good.headers["hutong-timestamp"]) - 1)}, good.body),
    ]
    seat = play.talk.seat
    changed.append(seal(seat.node, seat.peer.node, seat.key, good.body, path="/scheme/v1/other"))
    for envelope in changed:
        refused(play, envelope, "an envelope changed after it was signed", "SIGNATURE_WRONG")
    play.talk.never(asked["CnsltId"], is_a("hutong.resolve"), "nothing of it is acted on", for_s=0.2)


@both("STALE", TRANSPORT, "the timestamp is at most 120 s behind or ahead of our clock")
def _(play: Play) -> None:
    """A timestamp more than 120 s behind or ahead is refused; one of 100 s ahead is taken."""
    at = now_ms()
    refused(play, sealed(play, timestamp=str(at - 125_000)), "an envelope 125 s old", "ENVELOPE_STALE")
    refused(play, sealed(play, timestamp=str(at + 125_000)), "an envelope from 125 s ahead", "ENVELOPE_FROM_THE_FUTURE")
    ahead = play.talk.send(sealed(play, timestamp=str(at + 100_000)), "an envelope from 100 s ahead")
    require(ahead.status == 202, "100 s ahead is within the bound", ahead)


@both("REPLAY", TRANSPORT, "the nonce is new among this sender's, or `ENVELOPE_REPLAYED`")
def _(play: Play) -> None:
    """An envelope is taken once; the same bytes again are refused, and so is another body under its nonce."""
    good = sealed(play)
    first = play.talk.send(good, "an envelope")
    require(first.status == 202, "the first time it is taken", first)
    refused(play, good, "the same envelope again", "ENVELOPE_REPLAYED")
    again = sealed(play, nonce=good.headers["hutong-nonce"])
    refused(play, again, "another envelope with its nonce", "ENVELOPE_REPLAYED")


@both("NONCE-KEPT", TRANSPORT, "In this order, and before a byte of the body is parsed")
def _(play: Play) -> None:
    """A forger uses up no nonces: the signature is checked first. And an old forgery is old before it is wrong."""
    good = sealed(play)
    forged = Envelope(good.headers, good.body + b" ")
    refused(play, forged, "a forged copy that comes first", "SIGNATURE_WRONG")
    answer = play.talk.send(good, "the genuine one")
    require(answer.status == 202, "the genuine one is taken", answer)
    stale = sealed(play, timestamp=str(now_ms() - 200_000))
    refused(play, Envelope(stale.headers, b"not JSON"), "a stale forgery that is no JSON", "ENVELOPE_STALE")
    refused(play, sealed(play, key_id="unknown", timestamp="1"), "a stale one, unknown key", "SIGNATURE_KEY_UNKNOWN")


@both("BODY", TRANSPORT, "An envelope is **taken whole or not at all**")
def _(play: Play) -> None:
    """A body that is no envelope is refused by name, however well it is signed."""
    seat = play.talk.seat
    ours, theirs, asked = seat.node, seat.peer.node, probe(play)
    good = body_of(ours, theirs, [asked])
    whole = ("ENVELOPE_MALFORMED",)
    for what, body, reasons in (
        ("text", b"MsgTp=pacs.028", whole),
        ("not UTF-8", good.replace(b"nobody", b"\xff\xfeobody"), whole),
        ("cut short", good[:-2], ("ENVELOPE_TRUNCATED", *whole)),
        ("nothing", b"", ("ENVELOPE_TRUNCATED", *whole)),
        ("no messages", body_of(ours, theirs, []), whole),
        ("501 messages", body_of(ours, theirs, [asked] * (MESSAGES_MAX + 1)), whole),
        ("for another node inside", body_of(ours, "somebody-else", [asked]), whole),
        ("from another node inside", body_of("somebody-else", theirs, [asked]), whole),
        ("a list", b"[]", whole),
        ("nested too deeply", b"[" * 100_000, ("ENVELOPE_TRUNCATED", *whole)),
    ):
        refused(play, with_body(play, body), what, *reasons)


_BAD_FIELDS: list[tuple[str, dict[str, Any]]] = [
    ("MsgTp", {"MsgTp": "pacs.999"}),
    ("OrgnlTxId", {"OrgnlTxId": "12"}),
    ("OrgnlTxId", {"OrgnlTxId": new_id().upper().replace("0", "A")}),
    ("OrgnlTxId", {"OrgnlTxId": None}),
    ("OrgnlInstgAgt", {"OrgnlInstgAgt": "Not A Node"}),
    ("TxSts", {"TxSts": "DONE"}),
    ("StsRsnCd", {"StsRsnCd": "x" * 36}),
    ("StsRsnPrtry", {"StsRsnPrtry": "a\0b"}),
    ("IntrBkSttlmDt", {"IntrBkSttlmDt": "tomorrow"}),
]


@both(
    "MESSAGE",
    TRANSPORT,
    "The refusal names the message (`message`, its index in `Msgs` from 0) and its `field`, and nothing of the envelope is acted on.",
)
def _(play: Play) -> None:
    """One malformed message refuses its envelope, by its index and field; the good one beside it is not acted on."""
    asked = probe(play)
    good = {"MsgTp": "pacs.002", "OrgnlTxId": new_id(), "OrgnlInstgAgt": play.asker, "TxSts": "PDNG"}
    for field, change in _BAD_FIELDS:
        bad = good | change
        what = f"a pacs.002 with {change}"
        answer = refused(play, sealed(play, [asked, bad]), what, "MESSAGE_MALFORMED")
        facts = answer.problem["facts"]
        require(facts.get("message") == 1, "it says which message, from 0", answer)
        require(str(facts.get("field", "")).startswith(field), f"it says which field: {field}", answer)
    missing = {name: value for name, value in good.items() if name != "TxSts"}
    answer = refused(play, sealed(play, [asked, missing]), "a pacs.002 without TxSts", "MESSAGE_MALFORMED")
    require(answer.problem["facts"].get("field") == "TxSts", "it says which field is missing", answer)
    play.talk.never(asked["CnsltId"], is_a("hutong.resolve"), "nothing of the envelope is acted on", for_s=0.3)


@both(
    "AMOUNTS",
    "messages.md",
    "A message with a missing, misspelt or ill-typed field is refused with its whole envelope.",
)
def _(play: Play) -> None:
    """An amount that is no positive integer of minor units is refused with its envelope; so is a misspelt currency."""
    from hutong.conformance.messages import credit_transfer

    for change in (
        {"InstdAmt": 0},
        {"InstdAmt": -100},
        {"InstdAmt": 100.5},
        {"InstdAmt": "100"},
        {"InstdAmt": 2**63},
        {"InstdAmt": True},
        {"IntrchgAmt": -1},
        {"Ccy": "yuan"},
        {"MrchntCtgyCd": "food"},
        {"LclInstrm": "SMOKE"},
        {"XpryDtTm": 2**63},
    ):
        payment = credit_transfer(debtor_agent=play.asker, creditor_agent="nobody", amount=100, **change)
        answer = refused(play, sealed(play, [payment]), f"a pacs.008 with {change}", "MESSAGE_MALFORMED")
        (field,) = change
        require(answer.problem["facts"].get("field") == field, "it says which field", answer)


@both("UNKNOWN-FIELDS", TRANSPORT, "Fields you do not know are ignored.")
def _(play: Play) -> None:
    """Fields nobody knows yet are ignored, in the envelope and in a message."""
    asked = probe(play) | {"NewFld": {"of": ["a", "later", "day"]}}
    seat = play.talk.seat
    body = body_of(seat.node, seat.peer.node, [asked], Anthr=1)
    answer = play.talk.send(with_body(play, body), "unknown fields")
    require(answer.status == 202, "unknown fields are no reason to refuse", answer)
    answered(play, asked)


@both("SIZE", TRANSPORT, "The body is at most 1,048,576 bytes, without content encoding.")
def _(play: Play) -> None:
    """A body of 1,048,576 bytes is taken, one of a byte more is refused."""
    asked = probe(play)
    seat = play.talk.seat
    body = body_of(seat.node, seat.peer.node, [asked])
    full = body + b" " * (BODY_MAX - len(body))
    answer = play.talk.send(with_body(play, full), "a body of 1,048,576 bytes")
    require(answer.status == 202, "a full body is taken", answer)
    answered(play, asked)
    answer = play.talk.send(with_body(play, full + b" "), "a body of 1,048,577 bytes")
    # A server may close the connection on a body it will not read; then there is no answer to see.
    allowed = answer.status == 0 or answer.reason in {"ENVELOPE_TOO_LARGE", "BODY_TOO_LARGE"}
    require(allowed and answer.status in {0, 400, 413}, "a byte more is refused", answer)


@both("BATCH", TRANSPORT, "a JSON object with up to 500 messages, signed once, sent by HTTP.")
def _(play: Play) -> None:
    """An envelope of 500 messages is taken, and every message is acted on."""
    asked = [probe(play) for _ in range(MESSAGES_MAX)]
    answer = play.talk.send(sealed(play, asked), "500 consults")
    require(answer.status == 202, "500 messages are taken", answer)
    for each in (asked[0], asked[-1], *asked[:: MESSAGES_MAX // 10]):
        answered(play, each)
    for each in asked:
        found = play.talk.seat.wait(each["CnsltId"], is_a("hutong.resolve"), count=1, within_s=10)
        require(found, "each of the 500 is answered", each)


@both("TWO-KEYS", TRANSPORT, "In between both are accepted.")
def _(play: Play) -> None:
    """While keys change, envelopes signed with the old and with the new one are taken."""
    seat = play.talk.seat
    body = body_of(seat.node, seat.peer.node, [probe(play)])
    for key in seat.keys[:2]:
        answer = play.talk.send(seal(seat.node, seat.peer.node, key, body), f"signed with {key.key_id}")
        require(answer.status == 202, f"the key {key.key_id} is accepted", answer)


@both(
    "AGAIN",
    TRANSPORT,
    "the same messages with the same ids and content, a fresh nonce, a fresh timestamp, a new signature.",
    alone=True,
)
def _(play: Play) -> None:
    """An answer that can't be delivered (connection cut, 503, 422) comes again in a new envelope."""
    for does in (
        "cut",
        "answer lost",
        Answer(503, b""),
        Answer(422, json.dumps({"reason": "ENVELOPE_STALE"}).encode()),
    ):
        asked = probe(play)
        what = does if isinstance(does, str) else str(does.status)
        with play.talk.seat.spoiling(is_a("hutong.resolve", CnsltId=asked["CnsltId"]), does):
            play.talk.tell(asked)
            say = f"what met with `{what}` comes again"
            came = play.talk.wait(asked["CnsltId"], is_a("hutong.resolve"), say, count=2, taken=False)
        require(came[0].nonce != came[1].nonce, "in a new envelope", what)
        require(came[0].message == came[1].message, "with the same content", *(each.message for each in came))


@both("SPOILT", TRANSPORT, "take the message it names out, send the others again in a new envelope", alone=True)
def _(play: Play) -> None:
    """If we call one of its messages malformed, the others of the envelope come again without it."""
    asked = [probe(play) for _ in range(20)]
    ids = [each["CnsltId"] for each in asked]

    def is_one(message: Message) -> bool:
        return message["MsgTp"] == "hutong.resolve" and value_of(message, "CnsltId") in ids

    said = {"reason": "MESSAGE_MALFORMED", "kind": "INVALID", "code": "NARR", "message": "Message malformed."}
    no = Answer(400, json.dumps(said | {"facts": {"message": 0, "field": "CdtrNm", "problem": "a test"}}).encode())
    with play.talk.seat.spoiling(is_one, no):
        play.talk.tell(*asked)
        arrived = play.talk.arrived(ids, is_one, len(ids) - 1)
    require(arrived == len(ids) - 1, "all but the one that was named arrive", f"{arrived} of {len(ids) - 1}")
