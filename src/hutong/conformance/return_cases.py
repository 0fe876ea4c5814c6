"""Cases for a participant in returns: as debtor agent its payers get money back, as creditor agent its merchants give it."""

from hutong.conformance.case import Side, case, require
from hutong.conformance.hook import HookRefused
from hutong.conformance.messages import completed, content_of, payment_return, rejected, share_bps, value_of
from hutong.conformance.payee import Payee
from hutong.conformance.play import AGAIN_S, SOON_S, ParticipantPlay, asks_again, is_a, status_is
from hutong.conformance.wire import Message, new_id

RETURN = "return.md"
P = Side.PARTICIPANT
_BACK = ("payer", "pay", "payment", "balance")
_GIVE = ("payee", "code", "balance", "refund", "return")
Play = ParticipantPlay


def _paid(play: Play, amount: int, **terms: object) -> tuple[str, Message]:
    """A payer of the subject's, and a completed payment of theirs to us."""
    payer = play.payer()
    payment = play.pays(payer, play.codes.open(InstdAmt=amount, **terms), amount)
    play.switch.tell(completed(payment))
    play.state("payment", payment["TxId"], "COMPLETED", say="the payment is completed")
    return payer, payment


@case("PR-BACK", P, RETURN, "| the payee hears at `ACSC` | the payer hears at `ACSC` |", needs=_BACK)
def _(play: Play) -> None:
    """A part of a payment comes back: accepted by ACSP, with the payer at ACSC and not before, and then the rest."""
    payer, payment = _paid(play, 1_000)
    before = play.balance(payer)
    part = payment_return(payment, 300)
    play.accepted(part)
    require(play.balance(payer) == before, "before the decision the payer has nothing of it")
    play.switch.tell(completed(part), completed(part))
    play.settles_at(payer, before + 300, "at ACSC the payer has it, once")
    rest = payment_return(payment, 700)
    play.accepted(rest)
    play.switch.tell(completed(rest))
    play.settles_at(payer, before + 1_000, "all has come back")


@case(
    "PR-OVER",
    P,
    RETURN,
    "**Both agents** check the sum of all returns of the payment, in the same durable step as the hold",
    needs=_BACK,
)
def _(play: Play) -> None:
    """Returns of more than is left are refused: at once, and behind a completed one; behind one that is held they are not accepted."""
    payer, payment = _paid(play, 1_000)
    before = play.balance(payer)
    play.refused(payment_return(payment, 1_001), "more than was paid is refused")
    held = payment_return(payment, 600)
    play.accepted(held)
    over = payment_return(payment, 401)  # It may ask about the one that is held before it refuses this one.
    play.switch.tell(over)
    play.switch.never(over["RtrId"], status_is("ACSP"), "a return that is held counts")
    play.switch.tell(completed(held))
    play.settles_at(payer, before + 600, "the first completes")
    play.refused(payment_return(payment, 401), "a return that is completed counts")
    last = payment_return(payment, 400)
    play.accepted(last)
    play.switch.tell(completed(last))
    play.settles_at(payer, before + 1_000, "exactly what was left comes back")
    play.refused(payment_return(payment, 1), "nothing is left")


@case("PR-REJECTED", P, RETURN, "Returns that are held count; rejected ones do not.", needs=_BACK)
def _(play: Play) -> None:
    """A return that was rejected gives nothing back and does not count."""
    payer, payment = _paid(play, 500)
    before = play.balance(payer)
    first = payment_return(payment, 500)
    play.accepted(first)
    play.switch.tell(rejected(first))
    second = payment_return(payment, 500)
    play.accepted(second)
    play.switch.tell(completed(second), rejected(second))
    play.settles_at(payer, before + 500, "the second gives it back")


@case("PR-SHARES", P, RETURN, "the return that takes the rest takes exactly what is left of each", needs=_BACK)
def _(play: Play) -> None:
    """Interchange comes back in parts: the payer gets R of each, and the last part takes exactly what is left."""
    payer, payment = _paid(play, 1_000, IntrchgBps=33, SwtchChrgBps=11)
    before = play.balance(payer)
    i, s = value_of(payment, "IntrchgAmt"), value_of(payment, "SwtchChrgAmt")
    require((i, s) == (share_bps(1_000, 33), share_bps(1_000, 11)), "the payment carries its fees", payment)
    part = payment_return(payment, 500, RtrdIntrBkSttlmAmt=498, IntrchgAmt=2, SwtchChrgAmt=0)
    rest = payment_return(payment, 500, RtrdIntrBkSttlmAmt=498, IntrchgAmt=1, SwtchChrgAmt=1)
    for each in (part, rest):
        play.accepted(each)
        play.switch.tell(completed(each))
    play.settles_at(payer, before + 1_000, "the payer has all back")


@case(
    "PR-SUM",
    P,
    RETURN,
    "The parts add up, R is at most A, the share of s at most s (`AMOUNTS_DO_NOT_ADD_UP`).",
    needs=_BACK,
)
def _(play: Play) -> None:
    """A return whose parts do not add up is refused."""
    _, payment = _paid(play, 1_000)
    play.refused(payment_return(payment, 500, RtrdIntrBkSttlmAmt=400), "parts that do not add up are refused")
    play.refused(
        payment_return(payment, 500, RtrdIntrBkSttlmAmt=400, IntrchgAmt=100), "no more interchange than there was"
    )


@case(
    "PR-UNKNOWN",
    P,
    RETURN,
    "The original is a payment between the same two agents in the same currency (`ORIGINAL_PAYMENT_UNKNOWN`)",
    needs=_BACK,
)
def _(play: Play) -> None:
    """A return of no payment of its own, or by another agent than the one that was paid, is refused."""
    _, payment = _paid(play, 100)
    play.refused(payment_return(payment | {"TxId": new_id()}, 100), "a return of nothing is refused")
    play.refused(payment_return(payment, 100, CdtrAgt=play.debtor_agent), "a return by another agent is refused")


@case("PR-EARLY", P, RETURN, "COMPLETED (`ORIGINAL_PAYMENT_NOT_COMPLETED`)", needs=_BACK)
def _(play: Play) -> None:
    """A return of a payment that is not completed, as far as it knows, is not accepted."""
    payer = play.payer()
    payment = play.pays(payer, play.codes.open(InstdAmt=200), 200)
    early = payment_return(payment, 200)
    play.switch.tell(early)
    play.switch.never(early["RtrId"], status_is("ACSP"), "a return of what is not completed is not accepted")
    play.switch.tell(completed(payment))


@case("PR-TOMBSTONE", P, "payment.md", "`RJCT` for a payment never seen: remember it (a tombstone)", needs=_BACK)
def _(play: Play) -> None:
    """A RJCT that overtakes its pacs.004 keeps it from ever being accepted."""
    payer, payment = _paid(play, 100)
    before = play.balance(payer)
    late = payment_return(payment, 100)
    play.switch.tell(rejected(late))
    play.resolve("https://nobody.conformance.example/q/0")
    play.switch.tell(late)
    play.switch.never(late["RtrId"], status_is("ACSP"), "it is not accepted any more")
    require(play.balance(payer) == before, "nothing comes back")


@case("PR-BACK-ASKS", P, RETURN, "As for a payment.", needs=_BACK)
def _(play: Play) -> None:
    """While it has accepted a return and hears nothing it asks again."""
    _, payment = _paid(play, 100)
    back = payment_return(payment, 100)
    play.accepted(back)
    play.switch.wait(back["RtrId"], asks_again, "it asks again", count=2, within_s=AGAIN_S)
    play.switch.tell(rejected(back))


def _received(play: Play, amount: int, **said: object) -> tuple[str, Message]:
    """A payee of the subject's, and a completed payment of ours to them."""
    payee = Payee.showing(play)
    payment = payee.accepts(amount, **said)
    payee.completes(payment)
    return payee.name, payment


def _refunding(play: Play, payee: str, payment: Message, amount: int) -> Message:
    """Its merchant gives back; the pacs.004 that comes of it."""
    known = play.switch.count(payment["TxId"], is_a("pacs.004"))
    about = {"payment": payment["TxId"], "debtor_agent": payment["DbtrAgt"]}
    handle = new_id()
    asked = play.start("refund", id=handle, payee=payee, amount=amount, **about)
    say = "a refund sends a pacs.004"
    found = play.switch.seat.wait(payment["TxId"], is_a("pacs.004"), count=known + 1, within_s=SOON_S)
    if len(found) <= known and asked.done():
        asked.result()
    sent = play.switch.wait(payment["TxId"], is_a("pacs.004"), say, count=known + 1)[known].message
    play.handles[sent["RtrId"]] = handle
    require(sent["RtrdInstdAmt"] == amount, "R is what the merchant gives back", sent)
    parts = [value_of(sent, n) for n in ("RtrdIntrBkSttlmAmt", "CdtrDscntAmt", "IntrchgAmt", "SwtchChrgAmt")]
    require(sum(parts) == amount, "its parts add up", sent)
    agents = (sent["DbtrAgt"], sent["CdtrAgt"])
    require(agents == (payment["DbtrAgt"], payment["CdtrAgt"]), "the agents stay those of the payment", sent)
    return sent


@case("PR-REFUND", P, RETURN, "`DbtrAgt` and `CdtrAgt` stay those **of the original payment**", needs=_GIVE)
def _(play: Play) -> None:
    """A merchant's refund goes out as a pacs.004 that adds up, and is completed at ACSC."""
    payee, payment = _received(play, 1_000)
    sent = _refunding(play, payee, payment, 400)
    play.state("return", sent["RtrId"], "PENDING", say="until ACSC it is under way")
    play.switch.tell(completed(sent), completed(sent))
    play.state("return", sent["RtrId"], "COMPLETED", say="it is completed")


@case(
    "PR-REFUND-SHARES",
    P,
    RETURN,
    "A return is split over what **remains** of every cell, in proportion, by largest remainder",
    needs=_GIVE,
)
def _(play: Play) -> None:
    """Refunded in parts, the shares of i and s add up to exactly what the payment carried."""
    payee, payment = _received(play, 1_000, IntrBkSttlmAmt=986, IntrchgAmt=11, SwtchChrgAmt=3)
    sums = {"RtrdIntrBkSttlmAmt": 0, "IntrchgAmt": 0, "SwtchChrgAmt": 0}
    for amount in (333, 333, 334):
        sent = _refunding(play, payee, payment, amount)
        for name in sums:
            sums[name] += value_of(sent, name)
        play.switch.tell(completed(sent))
        play.state("return", sent["RtrId"], "COMPLETED", say="it is completed")
    expected = {"RtrdIntrBkSttlmAmt": 986, "IntrchgAmt": 11, "SwtchChrgAmt": 3}
    require(sums == expected, "in all exactly what the payment carried", sums)


@case(
    "PR-REFUND-OVER", P, RETURN, "the creditor agent before it sends, the debtor agent before it accepts", needs=_GIVE
)
def _(play: Play) -> None:
    """A refund of more than is left is refused and nothing is sent; what was rejected can be given back again."""
    payee, payment = _received(play, 500)
    first = _refunding(play, payee, payment, 500)
    about = {"payment": payment["TxId"], "debtor_agent": payment["DbtrAgt"], "payee": payee}
    try:
        state = play.hook.ask("refund", id=new_id(), amount=1, **about)["state"]
    except HookRefused:
        state = "REJECTED"
    require(state == "REJECTED", "one that is under way counts", state)
    play.switch.tell(rejected(first))
    play.state("return", first["RtrId"], "REJECTED", say="RJCT ends it")
    second = _refunding(play, payee, payment, 500)
    require(second["RtrId"] != first["RtrId"], "again under a new id", second)
    play.switch.tell(completed(second))
    play.state("return", second["RtrId"], "COMPLETED", say="the second is completed")


@case("PR-REFUND-ASKS", P, RETURN, "As for a payment.", needs=_GIVE)
def _(play: Play) -> None:
    """While a refund is undecided it sends the same pacs.004 again, or asks by pacs.028."""
    payee, payment = _received(play, 300)
    sent = _refunding(play, payee, payment, 300)
    asks = lambda message: message["MsgTp"] in {"pacs.004", "pacs.028"}
    came = play.switch.wait(sent["RtrId"], asks, "it asks again", count=2, within_s=AGAIN_S)
    for each in came:
        if each.message["MsgTp"] == "pacs.004":
            require(content_of(each.message) == content_of(sent), "a retry is the same", sent, each.message)
    play.switch.tell(rejected(sent))
