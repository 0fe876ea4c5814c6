"""Cases for a participant as creditor agent: its codes are consulted and paid by users of other nodes."""

from itertools import pairwise

from hutong.conformance.case import Side, case, require
from hutong.conformance.messages import (
    completed,
    consult,
    content_of,
    merchant_problems,
    rejected,
    status,
    value_of,
)
from hutong.conformance.payee import Payee
from hutong.conformance.play import AGAIN_S, ParticipantPlay, asks_again, is_a, status_is
from hutong.conformance.station import Answer
from hutong.conformance.wire import MESSAGES_MAX, Key, digest, new_id, seal

PAYMENT, CODES = "payment.md", "codes.md"
P = Side.PARTICIPANT
_CODE = ("payee", "code")
_CREDIT = ("payee", "code", "balance")
Play = ParticipantPlay


@case(
    "PC-STATIC",
    P,
    CODES,
    "`FOUND`: the payer is shown `CdtrNm`, `StrNm`, the amount (or asked for it, if `InstdAmt` is 0)",
    needs=_CODE,
)
def _(play: Play) -> None:
    """A consult of a static code of its own is answered FOUND, with the payee's name and no amount."""
    _, terms = play.shows_code()
    require(terms["CnsltSts"] == "FOUND", "the code is found", terms)
    require(value_of(terms, "CdtrNm"), "the payee has a name to be shown", terms)
    require(value_of(terms, "InstdAmt") == 0 and value_of(terms, "SttcInd"), "a static code asks for no amount", terms)
    require(value_of(terms, "PmtInfId") != "0" * 32, "it says what EndToEndId must name", terms)
    require(terms["DbtrAgt"] == play.debtor_agent, "it is for who asked", terms)


@case(
    "PC-DYNAMIC",
    P,
    "messages.md",
    "what the pacs.008 must name in `EndToEndId`: a payment request, or a static or personal code",
    needs=_CODE,
)
def _(play: Play) -> None:
    """A consult of a code made for one payment says its amount."""
    _, terms = play.shows_code(1_234)
    require(terms["CnsltSts"] == "FOUND" and value_of(terms, "InstdAmt") == 1_234, "it asks for its amount", terms)
    require(not value_of(terms, "SttcInd"), "it is not static", terms)


@case(
    "PC-CONSULT-AGAIN",
    P,
    CODES,
    "A consult changes nothing anywhere and reserves nothing. No answer within a few seconds: ask again with the same `CnsltId`",
    needs=_CODE,
)
def _(play: Play) -> None:
    """The same consult again gets the same answer."""
    payee = str(play.hook.ask("payee")["payee"])
    asked = consult(play.new_code(payee), play.debtor_agent)
    play.switch.tell(asked)
    play.switch.one(asked["CnsltId"], is_a("hutong.resolve"), "the consult is answered")
    play.switch.tell(asked)
    came = play.switch.wait(asked["CnsltId"], is_a("hutong.resolve"), "it is answered again", count=2)
    first, second = (content_of(each.message) for each in came[:2])
    require(first == second, "both answers are the same", first, second)


@case(
    "PC-CONSULT-AMOUNT",
    P,
    CODES,
    "The answer is what it is without an amount, `InstdAmt` 0 included; and `CdtrDscntAmt` is E of the amount named, and of no other.",
    needs=_CODE,
)
def _(play: Play) -> None:
    """A static code consulted with an amount asks for none; what it takes off is accepted with that amount, and without it any is paid in full."""
    payee = str(play.hook.ask("payee")["payee"])
    code = play.new_code(payee)
    terms = play.resolve(code, InstdAmt=2_000, Ccy="CNY")
    require(terms["CnsltSts"] == "FOUND", "the code is found", terms)
    require(value_of(terms, "InstdAmt") == 0 and value_of(terms, "SttcInd"), "it asks for no amount", terms)
    off = int(value_of(terms, "CdtrDscntAmt"))
    require(off < 2_000, "something is left to pay", terms)
    for discount in {off, 0}:
        paying = play.paying(terms, 2_000, CdtrDscntAmt=discount, IntrBkSttlmAmt=2_000 - discount)
        play.accepted(paying)
        play.switch.tell(rejected(paying))
    own = play.resolve(play.new_code(payee, 1_234), InstdAmt=2_000, Ccy="CNY")
    require(value_of(own, "InstdAmt") == 1_234, "a code with an amount goes by its own", own)


@case(
    "PC-MERCHANT",
    P,
    CODES,
    "Who says anything says whether the merchant is small: `SmllInd` is false of every merchant that is not.",
    needs=_CODE,
)
def _(play: Play) -> None:
    """What is said of a merchant has the form of the page, and names it the same in every answer, for every code of the shop."""
    payee = str(play.hook.ask("payee")["payee"])
    answers = [play.resolve(play.new_code(payee, amount)) for amount in (0, 1_234, 0)]
    said = [value_of(each, "MrchntFcts") for each in answers]
    require(all(said), "every answer for a merchant's code says what kind of merchant it is", *answers)
    for facts in said:
        require(not merchant_problems(facts), "it has the form of the page", merchant_problems(facts), facts)
    names = {(facts["MrchntId"], facts.get("StrId", "")) for facts in said}
    require(len(names) == 1, "one shop has one name", *said)
    other = value_of(play.resolve(play.new_code(str(play.hook.ask("payee")["payee"]))), "MrchntFcts")
    require(bool(other) and other["MrchntId"] != said[0]["MrchntId"], "another merchant has another", other)


@case(
    "PC-NOBODYS",
    P,
    CODES,
    "`REFUSED`: with `StsRsnCd` and `StsRsnPrtry`: nobody's code, expired, already paid, payee closed.",
)
def _(play: Play) -> None:
    """A consult of a code it does not have is answered REFUSED, with a reason."""
    for code in ("https://nobody.conformance.example/q/NOTHING", "999999999999999999", "?"):
        terms = play.resolve(code)
        require(terms["CnsltSts"] == "REFUSED", "nobody's code is refused", terms)
        require(value_of(terms, "StsRsnCd") and value_of(terms, "StsRsnPrtry"), "with its reason", terms)


@case("PC-PAID", P, PAYMENT, "The payee hears of the payment at COMPLETED and not before.", needs=_CREDIT)
def _(play: Play) -> None:
    """A payment is accepted by ACSP; the payee is credited at ACSC and not before, by A less its merchant fee."""
    payee = Payee.showing(play)
    payment = payee.accepts(1_000)
    payee.has_got(0, "before the decision the payee has nothing of it")
    play.switch.tell(completed(payment))
    play.switch.never(payment["TxId"], status_is("RJCT"), "it does not refuse what is completed")
    credited = payee.credited()
    require(900 <= credited <= 1_000, "the payee gets A - f", credited)


@case(
    "PC-DYNAMIC-PAID",
    P,
    PAYMENT,
    "The first payment ACCEPTED claims it; a second attempt meanwhile is refused; `RJCT` releases it",
    needs=_CREDIT,
)
def _(play: Play) -> None:
    """A payment request is paid once: claimed by the first, released by RJCT, and refused to all once it is paid."""
    payee = Payee.showing(play, 500)
    first, second = payee.paying(500), payee.paying(500)
    play.accepted(first)
    play.refused(second, "a second payment of a claimed request is refused")
    play.switch.tell(rejected(first, "AB03", "DEADLINE_PASSED"), rejected(second))
    third = payee.accepts(500)
    payee.has_got(0, "what was rejected credits nothing")
    credited = payee.completes(third)
    play.refused(payee.paying(500), "a paid request takes no other payment")
    payee.has_got(credited, "it was paid once")


@case(
    "PC-STATIC-TWICE",
    P,
    PAYMENT,
    "A static code makes a new request for each payment, so it never refuses a second one.",
    needs=_CREDIT,
)
def _(play: Play) -> None:
    """A static code takes any number of payments at a time."""
    payee = Payee.showing(play)
    payments = [payee.paying(100) for _ in range(3)]
    play.switch.tell(*payments)
    for payment in payments:
        play.hear_acceptance(payment)
    play.switch.tell(*map(completed, payments))
    payee.gets_each(3, "all three are credited")


@case("PC-REPEATED", P, PAYMENT, "pacs.008 again: the same answer again.", needs=_CREDIT)
def _(play: Play) -> None:
    """However often a pacs.008 and its ACSC come, the payee is credited once."""
    payee = Payee.showing(play)
    payment = payee.accepts(700)
    play.switch.tell(payment)
    play.hear_acceptance(payment, count=2)
    play.switch.tell(payment, payment, payment)
    play.hear_acceptance(payment, count=3)
    play.switch.tell(completed(payment))
    play.switch.tell(completed(payment), payment, completed(payment))
    credited = payee.credited()
    play.switch.never(payment["TxId"], status_is("RJCT"), "a repeat is not refused")
    require(credited <= 700, "credited once", credited)
    payee.has_got(credited, "credited once")


@case("PC-REJECTED", P, PAYMENT, "or `RJCT` (void it, release the payment request, REJECTED)", needs=_CREDIT)
def _(play: Play) -> None:
    """After RJCT nothing is credited; an ACSC that comes behind it changes nothing, nor the same payment again."""
    payee = Payee.showing(play)
    payment = payee.accepts(800)
    play.switch.tell(rejected(payment))
    play.switch.tell(completed(payment))
    acceptances = play.switch.count(payment["TxId"], status_is("ACSP"))
    play.switch.tell(payment)
    say = "what was rejected is not accepted again"
    play.switch.never(payment["TxId"], status_is("ACSP"), say, beyond=acceptances)
    payee.has_got(0, "nothing is credited")


@case("PC-COMPLETED-STAYS", P, PAYMENT, "Nothing before it is final, nothing after it changes it.", needs=_CREDIT)
def _(play: Play) -> None:
    """A RJCT behind the ACSC takes nothing back."""
    payee = Payee.showing(play)
    payment = payee.accepts(900)
    credited = payee.completes(payment)
    play.switch.tell(rejected(payment))
    play.switch.never(payment["TxId"], status_is("RJCT"), "it stays completed")
    payee.has_got(credited, "nothing is taken back")


@case(
    "PC-TOMBSTONE",
    P,
    PAYMENT,
    "`RJCT` for a payment never seen: remember it (a tombstone); the pacs.008 that comes later is not accepted.",
    needs=_CREDIT,
)
def _(play: Play) -> None:
    """A RJCT that overtakes its pacs.008 keeps it from ever being accepted."""
    payee = Payee.showing(play)
    payment = payee.paying(600)
    play.switch.tell(rejected(payment, "AB03", "DEADLINE_PASSED"))
    play.resolve(play.new_code(payee.name))  # By then it has been decided on.
    play.switch.tell(payment)
    play.switch.never(payment["TxId"], status_is("ACSP"), "it is not accepted any more")
    payee.has_got(0, "and nothing is credited")


@case(
    "PC-AMOUNT",
    P,
    PAYMENT,
    "check that it can be paid: the payment request is open and asks for this amount",
    needs=_CODE,
)
def _(play: Play) -> None:
    """A payment of another amount than the request's is refused with AM09."""
    _, terms = play.shows_code(1_500)
    for amount in (1_499, 1_501):
        answer = play.refused(play.paying(terms, amount), "another amount is refused")
        require(value_of(answer, "StsRsnCd") == "AM09", "its code is AM09", answer)


@case(
    "PC-TRADE",
    P,
    "messages.md",
    "the creditor's trade, as the creditor agent said; it refuses another, for fees depend on it",
    needs=_CODE,
)
def _(play: Play) -> None:
    """A payment that names another trade than the code's is refused."""
    _, terms = play.shows_code()
    other = "7995" if value_of(terms, "MrchntCtgyCd") != "7995" else "5812"
    play.refused(play.paying(terms, 100, MrchntCtgyCd=other), "another trade is refused")


@case("PC-SUM", P, PAYMENT, "its parts add up ([fees.md](fees.md))", needs=_CODE)
def _(play: Play) -> None:
    """A payment whose parts do not add up is refused, whoever passed it on."""
    _, terms = play.shows_code()
    play.refused(play.paying(terms, 1_000, IntrBkSttlmAmt=900), "parts that do not add up are refused")


@case("PC-NOBODY", P, PAYMENT, "No: send `RJCT` with the reason.")
def _(play: Play) -> None:
    """A payment of a request it does not have is refused."""
    nobody = {"PmtInfId": new_id(), "MsgTp": "hutong.resolve"}
    play.refused(play.paying(nobody, 100), "a payment of nobody's request is refused")


@case("PC-FEES", P, "fees.md", "IntrBkSttlmAmt + IntrchgAmt + SwtchChrgAmt = InstdAmt - CdtrDscntAmt", needs=_CREDIT)
def _(play: Play) -> None:
    """Interchange and switch fee are the creditor agent's to bear: the payee gets A - f all the same."""
    payee = Payee.showing(play)
    payment = payee.accepts(10_000, IntrBkSttlmAmt=9_978, IntrchgAmt=20, SwtchChrgAmt=2)
    credited = payee.completes(payment)
    require(9_000 <= credited <= 10_000, "the payee gets A - f", credited)


@case(
    "PC-PENDING",
    P,
    PAYMENT,
    "ACCEPTED is a promise: it may not be taken back. It ends only by the switch's `ACSC`",
    needs=_CREDIT,
)
def _(play: Play) -> None:
    """PDNG, a passed deadline and other people's words end nothing; the ACSC that comes late is taken."""
    payee = Payee.showing(play)
    payment = payee.accepts(400, expires_in_ms=1_500)
    play.switch.tell(status(payment, "PDNG"))
    anothers = completed(payment) | {"OrgnlInstgAgt": play.creditor_agent}
    play.switch.tell(anothers)
    play.switch.never(payment["TxId"], status_is("RJCT"), "a deadline is the switch's alone", for_s=2.0)
    payee.has_got(0, "neither PDNG nor a decision on another's payment completes it")
    payee.completes(payment)


@case(
    "PC-FORGED",
    P,
    PAYMENT,
    "the only **yes** is a pacs.002 `ACSC` from the switch, in an envelope with its signature",
    needs=_CREDIT,
)
def _(play: Play) -> None:
    """An ACSC in an envelope with a wrong signature, or under an unknown key, completes nothing."""
    payee = Payee.showing(play)
    payment = payee.accepts(300)
    seat = play.switch.seat
    genuine = seat.seal([completed(payment)])
    strange = Key(seat.key.key_id, digest("not the switch's"))
    unknown = Key("no-key-of-the-switch", digest("not the switch's"))
    for envelope in (
        seal(seat.node, seat.peer.node, strange, genuine.body),
        seal(seat.node, seat.peer.node, unknown, genuine.body),
    ):
        answer = play.switch.send(envelope, "a forged ACSC")
        require(answer.status == 401, "a forged envelope is refused", answer)
    play.switch.never(payment["TxId"], status_is("RJCT"), "the forgery ends nothing", for_s=0.3)
    payee.has_got(0, "nothing is credited on a forger's word")
    payee.completes(payment)


@case(
    "PC-ASKS",
    P,
    PAYMENT,
    "The first time after about 2 s, then after twice as long each time, up to 300 s, **for ever**",
    needs=_CODE,
)
def _(play: Play) -> None:
    """While it has accepted and hears nothing it asks again, first after about 2 s, then more slowly."""
    _, terms = play.shows_code()
    payment = play.paying(terms, 100)
    play.accepted(payment)
    came = play.switch.wait(
        payment["TxId"], asks_again, "it asks again: ACSP, or pacs.028", count=3, within_s=2 * AGAIN_S
    )
    gaps_ms = [int(1000 * (later.at_s - sooner.at_s)) for sooner, later in pairwise(came[:3])]
    require(gaps_ms[0] >= 700, "the first time after about 2 s, not at once", gaps_ms)
    require(gaps_ms[1] > gaps_ms[0] * 5 // 4, "then more slowly", gaps_ms)
    play.switch.tell(rejected(payment))


@case(
    "PC-SAME-ID",
    P,
    PAYMENT,
    "A message that differs in anything is another message under a used id, and refused.",
    needs=_CREDIT,
)
def _(play: Play) -> None:
    """Other content under a used id is not accepted in the place of the first: what completes is the first."""
    payee = Payee.showing(play)
    payment = payee.accepts(100)
    play.switch.tell(payment | {"InstdAmt": 9_000, "IntrBkSttlmAmt": 9_000})
    play.switch.never(payment["TxId"], status_is("RJCT"), "the first is not taken back", for_s=0.3)
    credited = payee.completes(payment)
    require(credited <= 100, "what completes is the first", credited)


@case("PC-BATCH", P, PAYMENT, "Every message may come twice, late, or never, and in any order.", needs=_CREDIT)
def _(play: Play) -> None:
    """500 payments in one envelope are all accepted and all credited, the decisions in any order and twice."""
    payee = Payee.showing(play)
    payments = [payee.paying(1) for _ in range(MESSAGES_MAX)]
    play.switch.tell(*payments)
    for payment in payments:
        found = play.switch.seat.wait(payment["TxId"], status_is("ACSP"), count=1, within_s=15)
        require(found, "each of 500 is accepted", payment)
    decisions = [completed(payment) for payment in payments]
    play.switch.tell(*decisions[::-2], *decisions[1::2])
    play.switch.tell(*decisions)
    payee.gets_each(MESSAGES_MAX, "all are credited once")


@case(
    "PC-CRASH",
    P,
    PAYMENT,
    "**Nothing leaves a node before it is durable there**: what a node says it did survives its power cut.",
    needs=(*_CREDIT, "crash"),
    alone=True,
)
def _(play: Play) -> None:
    """What it accepted survives a crash: it asks again from its own books, and the ACSC credits once."""
    payee = Payee.showing(play)
    payments = [payee.paying(150) for _ in range(20)]
    play.switch.tell(*payments)
    for payment in payments:
        play.hear_acceptance(payment)
    play.crash()
    for payment in payments:
        play.switch.wait(payment["TxId"], asks_again, "it asks again after a crash", count=2, within_s=2 * AGAIN_S)
    play.switch.tell(*map(completed, payments), *map(completed, payments))
    payee.gets_each(20, "all are credited, once")


@case(
    "PC-TAIL", P, "transport.md", "A node must not act on the HTTP answer beyond this table.", needs=_CREDIT, alone=True
)
def _(play: Play) -> None:
    """An ACSP whose envelope is refused by 401 or 503 is still a promise: the decision comes by message alone."""
    payee = Payee.showing(play)
    for does in (Answer(401, b'{"reason":"SIGNATURE_KEY_UNKNOWN"}'), Answer(503, b""), "cut"):
        payment = payee.paying(100)
        with play.switch.seat.spoiling(is_a("pacs.002", OrgnlTxId=payment["TxId"]), does):
            play.switch.tell(payment)
            play.switch.wait(payment["TxId"], status_is("ACSP"), "it says ACSP", taken=False)
        play.switch.tell(completed(payment))
    payee.gets_each(3, "what is completed is credited all the same")
