"""Cases for a switch: returns, and what its operator sets (caps, suspension, keys), reached through the hook."""

import threading
from typing import Any

from hutong.conformance.case import Side, case, require
from hutong.conformance.messages import consult, content_of, payment_return, rejected, status, value_of
from hutong.conformance.play import Moves, SwitchPlay, is_a, status_is
from hutong.conformance.wire import Key, Message, body_of, digest, new_id, seal

RETURN, PAYMENT = "return.md", "payment.md"
S = Side.SWITCH
Play = SwitchPlay
DECIDED = status_is("ACSC", "RJCT")


def _paid(play: Play, amount: int) -> Message:
    payment = play.paying(amount)
    play.completes(payment)
    return payment


def _of(payment: Message, amount: int, **said: object) -> Message:
    """A return of a part, which keeps the payment's fees where they are."""
    return payment_return(payment, amount, **said)


def _offered(play: Play, given: Message) -> Message:
    return play.offered(given, by=play.payee, to=play.payer)


def _gives(play: Play, given: Message, outcome: str = "ACSC") -> None:
    """The return, all the way: the payer's node accepts or refuses."""
    _offered(play, given)
    play.payer.tell(status(given, "ACSP") if outcome == "ACSC" else rejected(given))
    play.decided(given["RtrId"], outcome)


def _refused(play: Play, given: Message, *reasons: str, by: Moves | None = None) -> None:
    """The switch refuses a return itself."""
    moves = by or play.payee
    moves.tell(given)
    heard = moves.one(given["RtrId"], DECIDED, f"it is refused: {reasons}")
    require(heard["TxSts"] == "RJCT" and heard["StsRsnPrtry"] in reasons, f"rejected as {reasons}", heard)
    require(not play.payer.count(given["RtrId"], is_a("pacs.004")), "it is not offered")


@case(
    "SR-BACK",
    S,
    RETURN,
    "`DbtrAgt` and `CdtrAgt` stay those **of the original payment**: the money goes from `CdtrAgt` to `DbtrAgt`.",
)
def _(play: Play) -> None:
    """A return is offered to the debtor agent unchanged, and decided by its answer; in parts until nothing is left."""
    payment = _paid(play, 1_000)
    first = _of(payment, 400, RmtInf="少了一碗")
    require(content_of(_offered(play, first)) == content_of(first), "it is passed on unchanged")
    play.payer.tell(status(first, "ACSP"))
    heard = play.decided(first["RtrId"], "ACSC")
    require(heard["OrgnlInstgAgt"] == play.payee.node, "the creditor agent minted the id", heard)
    _gives(play, _of(payment, 300), "RJCT")
    _gives(play, _of(payment, 600))


@case(
    "SR-ORIGINAL",
    S,
    RETURN,
    "The original is a payment between the same two agents in the same currency (`ORIGINAL_PAYMENT_UNKNOWN`), and COMPLETED (`ORIGINAL_PAYMENT_NOT_COMPLETED`). A return of a return does not exist.",
)
def _(play: Play) -> None:
    """Returns of nothing, of another's payment, of what is not completed, or of a return are refused by name."""
    payment = _paid(play, 500)
    unknown = "ORIGINAL_PAYMENT_UNKNOWN"
    _refused(play, _of(payment | {"TxId": new_id()}, 500), unknown)
    _refused(play, _of(payment, 500, Ccy="XTS"), unknown, "CURRENCY_NOT_CLEARED_HERE")
    thief = _of(payment, 500, CdtrAgt=play.bystander.node)
    _refused(play, thief, unknown, by=play.bystander)
    pending = play.paying(200)
    play.offered(pending)
    _refused(play, _of(pending, 200), "ORIGINAL_PAYMENT_NOT_COMPLETED")
    play.payee.tell(rejected(pending))
    play.decided(pending["TxId"], "RJCT")
    _refused(play, _of(pending, 200), "ORIGINAL_PAYMENT_NOT_COMPLETED", unknown)
    given = _of(payment, 100)
    _gives(play, given)
    _refused(play, _of(payment | {"TxId": given["RtrId"]}, 100), unknown)


@case("SR-SUMS", S, RETURN, "The parts add up, R is at most A, the share of s at most s (`AMOUNTS_DO_NOT_ADD_UP`).")
def _(play: Play) -> None:
    """A return whose parts do not add up, or of more than the payment, is refused."""
    payment = _paid(play, 500)
    reasons = ("AMOUNTS_DO_NOT_ADD_UP", "RETURNS_EXCEED_PAYMENT")
    _refused(play, _of(payment, 300, RtrdIntrBkSttlmAmt=200), *reasons)
    _refused(play, _of(payment, 501), *reasons)
    s = value_of(payment, "SwtchChrgAmt")
    _refused(play, _of(payment, 300, RtrdIntrBkSttlmAmt=299 - s, SwtchChrgAmt=s + 1), *reasons)


@case("SR-AGAIN", S, RETURN, "As for a payment.")
def _(play: Play) -> None:
    """A return repeats, and is asked about, as a payment; an enquiry about one never seen buries it."""
    payment = _paid(play, 500)
    given = _of(payment, 100)
    _offered(play, given)
    play.payee.tell(given)
    play.payer.wait(given["RtrId"], is_a("pacs.004"), "it is offered again", count=2)
    play.payer.tell(status(given, "ACSP"), status(given, "ACSP"))
    play.decided(given["RtrId"], "ACSC")
    buried = _of(payment, 100)
    ask = {"MsgTp": "pacs.028", "OrgnlTxId": buried["RtrId"], "OrgnlInstgAgt": play.payee.node}
    play.payee.tell(ask)
    heard = play.payee.one(buried["RtrId"], DECIDED, "what was never seen is rejected")
    require((heard["TxSts"], heard["StsRsnPrtry"]) == ("RJCT", "NEVER_SEEN"), "as NEVER_SEEN", heard)
    play.payee.tell(buried)
    play.payee.wait(buried["RtrId"], status_is("RJCT"), "and stays so", count=2)
    require(not play.payer.count(buried["RtrId"], is_a("pacs.004")), "it is never offered")


@case("SO-CAP", S, "reasons.md", "the paying agent's position has no room for it", needs=("cap", "headroom"))
def _(play: Play) -> None:
    """The net debit cap can be reached exactly and not passed by a fen; what is only reserved counts; a void frees it."""
    poor = play.poor
    play.hook.ask("cap", node=poor.node, amount=10_000)
    room = int(play.hook.ask("headroom", node=poor.node)["headroom"])

    def rejects(amount: int) -> None:
        payment = _free(play, amount)
        poor.tell(payment)
        heard = poor.one(payment["TxId"], DECIDED, "what passes the cap is rejected")
        said = (heard["TxSts"], heard["StsRsnPrtry"], heard["StsRsnCd"])
        require(said == ("RJCT", "NET_DEBIT_CAP_EXCEEDED", "AM23"), "as NET_DEBIT_CAP_EXCEEDED", heard)

    rejects(room + 1)
    held = _free(play, room)
    play.offered(held, by=poor)
    rejects(1)
    play.payee.tell(rejected(held))
    poor.one(held["TxId"], status_is("RJCT"), "the reservation is voided")
    exact = _free(play, room)
    play.offered(exact, by=poor)
    play.payee.tell(status(exact, "ACSP"))
    poor.one(exact["TxId"], status_is("ACSC"), "the cap is reached exactly")
    left = int(play.hook.ask("headroom", node=poor.node)["headroom"])
    require(left == 0, "nothing is left of it", left)
    rejects(1)
    given = _of(exact, room)
    play.offered(given, by=play.payee, to=poor)
    poor.tell(status(given, "ACSP"))
    poor.one(given["RtrId"], status_is("ACSC"), "a return gives the room back")
    left = int(play.hook.ask("headroom", node=poor.node)["headroom"])
    require(left == room, "to the fen", left, room)


def _free(play: Play, amount: int) -> Message:
    """A payment between persons, free of charge: its amount is what the position moves by."""
    parts: dict[str, Any] = {"IntrBkSttlmAmt": amount, "IntrchgAmt": 0, "SwtchChrgAmt": 0, "LclInstrm": "PERSON"}
    return play.paying(amount, by=play.poor, MrchntCtgyCd="0000", **parts)


@case("SO-ONCE", S, "transport.md", "**every message of the scheme may be repeated**", needs=("headroom",), alone=True)
def _(play: Play) -> None:
    """However often everything is said, positions move once, by A - E - i."""
    before = _rooms(play)
    payments = [play.paying(1_000) for _ in range(20)]
    for _ in range(2):
        play.payer.tell(*payments, *payments)
    for payment in payments:
        play.payee.one(payment["TxId"], is_a("pacs.008"), "it is offered")
    for _ in range(2):
        play.payee.tell(*(status(payment, "ACSP") for payment in payments * 2))
    for payment in payments:
        play.decided(payment["TxId"], "ACSC")
    play.payer.tell(*payments)
    play.payer.wait(payments[-1]["TxId"], status_is("ACSC"), "the decision is told again", count=2)
    after = _rooms(play)
    down = sum(payment["IntrBkSttlmAmt"] + payment["SwtchChrgAmt"] for payment in payments)
    up = sum(payment["IntrBkSttlmAmt"] for payment in payments)
    require(before[0] - after[0] == down, "the payer's position went down once", before, after, down)
    require(after[1] - before[1] == up, "the payee's went up once", before, after, up)


def _rooms(play: Play) -> tuple[int, int]:
    payer, payee = (int(play.hook.ask("headroom", node=m.node)["headroom"]) for m in (play.payer, play.payee))
    return payer, payee


@case(
    "SO-SUSPENDED",
    S,
    "reasons.md",
    "one of the agents is suspended; what was reserved is still decided",
    needs=("suspend", "resume"),
    alone=True,
)
def _(play: Play) -> None:
    """A suspended node begins nothing and is offered nothing; what was reserved before is decided; then it is back."""
    guest = play.bystander
    reserved = play.paying(300, by=guest)
    play.offered(reserved, by=guest)
    play.hook.ask("suspend", node=guest.node)
    try:
        for payment, by in ((play.paying(100, by=guest), guest), (play.paying(100, CdtrAgt=guest.node), play.payer)):
            by.tell(payment)
            heard = by.one(payment["TxId"], DECIDED, "it is rejected")
            said = (heard["TxSts"], heard["StsRsnPrtry"])
            require(said == ("RJCT", "PARTICIPANT_SUSPENDED"), "as PARTICIPANT_SUSPENDED", heard)
        require(not guest.count(payment["TxId"], is_a("pacs.008")), "it is offered nothing")
        asked = consult(play.forms["payee"] + "1", guest.node)
        guest.tell(asked)
        answer = guest.one(asked["CnsltId"], is_a("hutong.resolve"), "its consult is answered")
        require(answer["CnsltSts"] == "REFUSED", "and refused", answer)
        play.payee.tell(status(reserved, "ACSP"))
        guest.one(reserved["TxId"], status_is("ACSC"), "what was reserved is still decided")
    finally:
        play.hook.ask("resume", node=guest.node)
    again = play.paying(100, by=guest)
    play.offered(again, by=guest)
    play.payee.tell(status(again, "ACSP"))
    guest.one(again["TxId"], status_is("ACSC"), "then it takes part again")


@case(
    "SO-KEYS",
    S,
    "transport.md",
    "A key that leaked is ended at once by the operator; from that moment nothing signed with it is accepted",
    needs=("key", "retire"),
)
def _(play: Play) -> None:
    """A new key counts within seconds of being registered, and no longer once it was ended; a key not yet valid is refused."""
    guest = play.bystander.seat
    fresh = Key(f"{guest.node}-{new_id()[-8:]}", digest("fresh", new_id()))
    body = body_of(guest.node, guest.peer.node, [consult("https://nobody.conformance.example/q/1", guest.node)])

    def send() -> str:
        answer = play.bystander.send(seal(guest.node, guest.peer.node, fresh, body), f"signed with {fresh.key_id}")
        return answer.reason if answer.status != 202 else "taken"

    def soon(*expected: str) -> None:
        for _ in range(60):
            seen = send()
            if seen in expected:
                return
            threading.Event().wait(0.1)
        require(seen in expected, f"within seconds it is {expected}", seen)

    soon("SIGNATURE_KEY_UNKNOWN")
    play.hook.ask("key", node=guest.node, key_id=fresh.key_id, public_key=fresh.public_hex)
    soon("taken")
    play.hook.ask("retire", node=guest.node, key_id=fresh.key_id)
    soon("SIGNATURE_KEY_NOT_VALID", "SIGNATURE_KEY_UNKNOWN")


@case(
    "SO-CRASH",
    S,
    PAYMENT,
    "**Nothing leaves a node before it is durable there**: what a node says it did survives its power cut.",
    needs=("crash",),
    alone=True,
)
def _(play: Play) -> None:
    """After a crash every decision is the same, what was reserved can be accepted, what was buried stays so."""
    done, reserved, buried = _paid(play, 100), play.paying(200), play.paying(300)
    play.offered(reserved)
    ask = {"MsgTp": "pacs.028", "OrgnlInstgAgt": play.payer.node}
    play.payer.tell(ask | {"OrgnlTxId": buried["TxId"]})
    play.decided(buried["TxId"], "RJCT", play.payer)
    play.hook.ask("crash")
    for _ in range(300):
        if play.payer.seat.post(play.payer.seat.seal([ask | {"OrgnlTxId": done["TxId"]}])).status == 202:
            break
        threading.Event().wait(0.1)
    play.payer.wait(done["TxId"], status_is("ACSC"), "what was completed is completed", count=2)
    play.payer.tell(ask | {"OrgnlTxId": reserved["TxId"]})
    play.payer.one(reserved["TxId"], status_is("PDNG"), "what was reserved is pending")
    play.payee.tell(status(reserved, "ACSP"))
    play.decided(reserved["TxId"], "ACSC")
    play.payer.tell(buried)
    play.payer.wait(buried["TxId"], status_is("RJCT"), "what was buried stays so", count=2)
    require(not play.payee.count(buried["TxId"], is_a("pacs.008")), "and is not offered")
