"""Cases for a participant as debtor agent: its users pay codes of others. The hook's payer pays; the kit decides."""

from itertools import pairwise

from hutong.conformance.case import Side, case, require
from hutong.conformance.messages import (
    completed,
    content_of,
    rejected,
    share_bps,
    status,
    value_of,
)
from hutong.conformance.play import (
    AGAIN_S,
    ParticipantPlay,
    is_a,
    refused_by_hook,
)
from hutong.conformance.station import Answer
from hutong.conformance.wire import Key, Message, digest, new_id, now_ms, seal

PAYMENT = "payment.md"
P = Side.PARTICIPANT
_PAY = ("payer", "pay")
_STATE = ("payer", "pay", "payment", "balance")
Play = ParticipantPlay


@case("PD-CODE", P, "codes.md", "`Cd` is the code as scanned, unchanged, at most 512 characters.", needs=_PAY)
def _(play: Play) -> None:
    """A code that is not its own is consulted through the switch, unchanged."""
    shop = play.codes.open(InstdAmt=300)
    payment = play.pays(play.payer(), shop, 300)
    asked = play.switch.one(shop.code, is_a("hutong.consult"), "the consult has the code as it was scanned")
    require(asked["DbtrAgt"] == play.subject, "DbtrAgt is the sender", asked)
    play.switch.tell(completed(payment))


@case(
    "PD-FIELDS",
    P,
    "codes.md",
    "takes `CdtrAgt`, `PmtInfId` (as `EndToEndId`), `LclInstrm`, `MrchntCtgyCd`, `Ccy`, `CdtrDscntAmt`, the fees and `FeeVrsn` **from this answer**.",
    needs=_PAY,
)
def _(play: Play) -> None:
    """The pacs.008 takes from the hutong.resolve what it must, and its deadline lies ahead by 600 s at most."""
    shop = play.codes.open(InstdAmt=2_000, CdtrDscntAmt=100, MrchntCtgyCd="5999", LclInstrm="REQUEST", FeeVrsn="kit-7")
    payment = play.pays(play.payer(), shop, 2_000)
    expected = {"CdtrAgt": play.creditor_agent, "EndToEndId": shop.request_id, "LclInstrm": "REQUEST", "Ccy": "CNY"}
    expected |= {"MrchntCtgyCd": "5999", "FeeVrsn": "kit-7", "DbtrAgt": play.subject}
    for name, value in expected.items():
        require(payment[name] == value, f"{name} is the resolve's", payment[name])
    amounts = {"InstdAmt": 2_000, "CdtrDscntAmt": 100, "IntrBkSttlmAmt": 1_900, "IntrchgAmt": 0, "SwtchChrgAmt": 0}
    for name, amount in amounts.items():
        require(value_of(payment, name) == amount, f"{name} is {amount}", value_of(payment, name))
    ahead_ms = payment["XpryDtTm"] - now_ms()
    require(0 < ahead_ms <= 600_000, "the deadline lies ahead, by 600 s at most", ahead_ms)
    play.switch.tell(completed(payment))


@case("PD-FEES", P, "fees.md", "round_half_up(n / 10000) = (n + 5000) div 10000, in integers", needs=_PAY)
def _(play: Play) -> None:
    """Interchange and switch fee are computed from the resolve's rates, each rounded half up to the minor unit."""
    payer = play.payer()
    for amount, discount, interchange_bps, switch_bps in (
        (2_500, 0, 20, 2),
        (2_499, 0, 20, 2),
        (3_800, 100, 20, 2),
        (3, 0, 4_999, 1_667),
        (333, 0, 45, 15),
    ):
        rates = {"IntrchgBps": interchange_bps, "SwtchChrgBps": switch_bps, "CdtrDscntAmt": discount}
        payment = play.pays(payer, play.codes.open(InstdAmt=amount, **rates), amount)
        base = amount - discount
        interchange, fee = share_bps(base, interchange_bps), share_bps(base, switch_bps)
        seen = [value_of(payment, name) for name in ("IntrchgAmt", "SwtchChrgAmt", "IntrBkSttlmAmt")]
        expected = [interchange, fee, base - interchange - fee]
        require(
            seen == expected, f"i, s and settled of {base} at {interchange_bps} and {switch_bps} bps", seen, expected
        )
        play.switch.tell(completed(payment))


@case("PD-OPEN-AMOUNT", P, "messages.md", "A; 0: the payer says how much", needs=_STATE)
def _(play: Play) -> None:
    """Of a code without an amount the payer says how much."""
    shop = play.codes.open(SttcInd=True, LclInstrm="STATIC", XpryDtTm=0)
    payment = play.pays(play.payer(), shop, 777)
    require(payment["InstdAmt"] == 777 and payment["LclInstrm"] == "STATIC", "it is what the payer said", payment)
    play.switch.tell(completed(payment))


@case(
    "PD-CONSULT-AMOUNT",
    P,
    "codes.md",
    "`CdtrDscntAmt` is E of the amount named, and of no other.",
    needs=_PAY,
)
def _(play: Play) -> None:
    """What the payee's side takes off an open amount is carried if it was told for that amount; who never named it pays it all."""
    shop = play.codes.open(SttcInd=True, LclInstrm="STATIC", XpryDtTm=0, takes_off=100)
    payment = play.pays(play.payer(), shop, 2_000)
    told = play.switch.count(shop.code, is_a("hutong.consult", InstdAmt=2_000))
    off = 100 if told else 0
    require(
        value_of(payment, "CdtrDscntAmt") == off, f"with the amount named {told} times, {off} is taken off", payment
    )
    require((payment["InstdAmt"], payment["IntrBkSttlmAmt"]) == (2_000, 2_000 - off), "of what is settled", payment)
    play.switch.tell(completed(payment))


@case(
    "PD-MERCHANT",
    P,
    "codes.md",
    "It changes nothing between the nodes: not the price, not the fees, not what the pacs.008 says.",
    needs=_PAY,
)
def _(play: Play) -> None:
    """Whatever is said of the merchant, and be it more than the page knows, the payment is what it would be without."""
    facts = {"MrchntId": "m-1", "StrId": "s-1", "TwnNm": "上海", "SmllInd": True, "Wrds": ["old-town"], "Later": 1}
    for said in (facts, {"MrchntId": "m-2", "SmllInd": False}, None):
        payment = play.pays(play.payer(), play.codes.open(InstdAmt=2_000, MrchntFcts=said), 2_000)
        require((payment["InstdAmt"], payment["IntrBkSttlmAmt"]) == (2_000, 2_000), "all of it is settled", payment)
        require(value_of(payment, "CdtrDscntAmt") == 0, "and the payee's side gives nothing", payment)
        play.switch.tell(completed(payment))


@case(
    "PD-REFUSED-CODE",
    P,
    "codes.md",
    "`REFUSED`: with `StsRsnCd` and `StsRsnPrtry`: nobody's code, expired, already paid, payee closed.",
    needs=_STATE,
)
def _(play: Play) -> None:
    """A code that is refused is not paid, and takes nothing from the payer."""
    payer = play.payer()
    before = play.balance(payer)
    shop = play.codes.open(CnsltSts="REFUSED", StsRsnCd="NARR", StsRsnPrtry="CODE_UNKNOWN")
    asked = play.start("pay", id=new_id(), payer=payer, code=shop.code, amount=100)
    require(refused_by_hook(asked), "the payer is told no")
    play.switch.never(shop.request_id, is_a("pacs.008"), "no pacs.008 is sent", for_s=0.2)
    require(play.balance(payer) == before, "nothing is taken")


@case("PD-COMPLETED", P, PAYMENT, "`ACSC`: post the hold, COMPLETED.", needs=_STATE)
def _(play: Play) -> None:
    """At ACSC the payment is completed and the payer has paid, once, however often the decision comes."""
    payer = play.payer()
    before = play.balance(payer)
    payment = play.pays(payer, play.codes.open(InstdAmt=1_100), 1_100)
    play.switch.tell(completed(payment))
    play.switch.tell(completed(payment), completed(payment))
    play.state("payment", payment["TxId"], "COMPLETED", say="the payment is completed")
    play.switch.tell(rejected(payment))
    play.state("payment", payment["TxId"], "COMPLETED", say="a RJCT behind the ACSC changes nothing")
    play.settles_at(payer, before - 1_100, "the payer has paid A, once")


@case("PD-REJECTED", P, PAYMENT, "`RJCT`: void it, REJECTED.", needs=_STATE)
def _(play: Play) -> None:
    """At RJCT the payment is rejected and the payer has all money back; an ACSC behind it changes nothing."""
    payer = play.payer()
    before = play.balance(payer)
    payment = play.pays(payer, play.codes.open(InstdAmt=900), 900)
    play.switch.tell(rejected(payment, "AM09", "AMOUNT_DIFFERS"))
    play.state("payment", payment["TxId"], "REJECTED", say="the payment is rejected")
    play.switch.tell(completed(payment))
    play.state("payment", payment["TxId"], "REJECTED", say="it stays rejected")
    play.settles_at(payer, before, "nothing is taken")


@case(
    "PD-UNKNOWN-REASON",
    P,
    "versioning.md",
    "treats a reason it does not know by its `kind` or simply as a no",
    needs=_STATE,
)
def _(play: Play) -> None:
    """A reason nobody knows yet is a no like any other."""
    payment = play.pays(play.payer(), play.codes.open(InstdAmt=100), 100)
    play.switch.tell(rejected(payment, "ZZ99", "A_REASON_OF_ANOTHER_DAY") | {"AddtlInf": {"fact": 7, "other": "x"}})
    play.state("payment", payment["TxId"], "REJECTED", say="the payment is rejected")


@case(
    "PD-PENDING",
    P,
    PAYMENT,
    "**everything else is unknown**: a timeout, a lost connection, any HTTP status, `PDNG`, silence",
    needs=_STATE,
)
def _(play: Play) -> None:
    """PDNG, another's decision, and what is said about a used id decide nothing: the money stays held."""
    payer = play.payer()
    before = play.balance(payer)
    payment = play.pays(payer, play.codes.open(InstdAmt=500), 500)
    play.switch.tell(status(payment, "PDNG"))
    play.switch.tell(status(payment, "PDNG", StsRsnCd="DUPL", StsRsnPrtry="SAME_ID_OTHER_CONTENT"))
    play.switch.tell(rejected(payment) | {"OrgnlInstgAgt": play.creditor_agent})
    play.switch.tell(status(payment, "ACSP"))
    play.resolve("https://nobody.conformance.example/q/0")
    play.state("payment", payment["TxId"], "PENDING", say="it is pending")
    require(play.balance(payer) == before - 500, "the money is held")
    play.switch.tell(completed(payment))
    play.state("payment", payment["TxId"], "COMPLETED", say="the payment is completed")


@case("PD-FORGED", P, PAYMENT, "the only **no** is a pacs.002 `RJCT` from the switch, likewise", needs=_STATE)
def _(play: Play) -> None:
    """A RJCT with a wrong signature releases nothing."""
    payer = play.payer()
    before = play.balance(payer)
    payment = play.pays(payer, play.codes.open(InstdAmt=500), 500)
    seat = play.switch.seat
    forged = seal(
        seat.node, seat.peer.node, Key(seat.key.key_id, digest("forger")), seat.seal([rejected(payment)]).body
    )
    answer = play.switch.send(forged, "a forged RJCT")
    require(answer.status == 401, "a forgery is refused", answer)
    play.state("payment", payment["TxId"], "PENDING", say="it is pending")
    require(play.balance(payer) == before - 500, "the money is held")
    play.switch.tell(rejected(payment))
    play.settles_at(payer, before, "the switch's own RJCT releases it")


@case(
    "PD-STATUS",
    P,
    "transport.md",
    "In particular **no status code is a rejection of a payment**",
    needs=_STATE,
    alone=True,
)
def _(play: Play) -> None:
    """Whatever HTTP says to the pacs.008 (400, 401, 503, nothing), it stays unknown, is asked about, and completes."""
    payer = play.payer()
    before = play.balance(payer)
    payments = []
    refusal = b'{"reason":"SIGNATURE_KEY_UNKNOWN","kind":"NOT_ALLOWED","code":"NARR","message":"","facts":{}}'
    for does in (Answer(401, refusal), Answer(400, b'{"reason":"ENVELOPE_MALFORMED"}'), Answer(503, b""), "cut"):
        with play.switch.seat.spoiling(is_a("pacs.008"), does, times=1):
            payments.append(play.pays(payer, play.codes.open(InstdAmt=100), 100))
    for payment in payments:
        again = "it comes again, or is asked about"
        play.switch.wait(payment["TxId"], _asks, again, within_s=AGAIN_S)
        play.state("payment", payment["TxId"], "PENDING", say="it is pending")
        play.switch.tell(completed(payment))
        play.state("payment", payment["TxId"], "COMPLETED", say="it is completed")
    play.settles_at(payer, before - 400, "all have been paid once")


def _asks(message: Message) -> bool:
    return message["MsgTp"] in {"pacs.008", "pacs.028"}


@case("PD-ASKS", P, PAYMENT, "the same pacs.008 in a new envelope, or pacs.028", needs=_STATE)
def _(play: Play) -> None:
    """While it hears nothing it asks again, first after about 2 s, then more slowly; a pacs.008 again is the same."""
    payer = play.payer()
    payment = play.pays(payer, play.codes.open(InstdAmt=500), 500)
    say = "it asks again"
    came = play.switch.wait(payment["TxId"], _asks, say, count=3, within_s=2 * AGAIN_S)
    gaps_ms = [int(1000 * (later.at_s - sooner.at_s)) for sooner, later in pairwise(came[:3])]
    require(gaps_ms[0] >= 700, "the first time after about 2 s, not at once", gaps_ms)
    require(gaps_ms[1] > gaps_ms[0] * 5 // 4, "then more slowly", gaps_ms)
    for each in came:
        if each.message["MsgTp"] == "pacs.008":
            same = content_of(each.message) == content_of(payment)
            require(same, "a retry is the same, field for field", payment, each.message)
    require(len({each.nonce for each in came}) == len(came), "each in an envelope of its own")
    play.state("payment", payment["TxId"], "PENDING", say="it is pending")
    play.switch.tell(rejected(payment, "NOOR", "NEVER_SEEN"))
    play.state("payment", payment["TxId"], "REJECTED", say="and rejected when the switch says so")


@case("PD-LATE", P, PAYMENT, "HELD, `XpryDtTm` passed", needs=_STATE, slow=True)
def _(play: Play) -> None:
    """A deadline that has passed on its own clock releases nothing: it goes on asking, by pacs.028."""
    payer = play.payer()
    before = play.balance(payer)
    payment = play.pays(payer, play.codes.open(InstdAmt=500), 500)
    left_s = (payment["XpryDtTm"] - now_ms()) / 1000
    play.switch.seat.wait(payment["TxId"], lambda _: False, count=1, within_s=left_s + 2)
    require(play.balance(payer) == before - 500, "the money is still held")
    known = play.switch.count(payment["TxId"], is_a("pacs.028"))
    say = "it asks by pacs.028"
    play.switch.wait(payment["TxId"], is_a("pacs.028"), say, count=known + 1, within_s=2 * left_s + 30)
    play.switch.tell(rejected(payment, "AB03", "DEADLINE_PASSED"))
    play.settles_at(payer, before, "the RJCT releases it")


@case(
    "PD-POOR",
    P,
    PAYMENT,
    "Until the first pacs.008 is sent it may still refuse by itself and release the money.",
    needs=_STATE,
)
def _(play: Play) -> None:
    """A payer who has not enough is refused before anything is sent, or the switch hears nothing of it."""
    payer = play.payer()
    before = play.balance(payer)
    amount = before + 1
    shop = play.codes.open(InstdAmt=amount)
    asked = play.start("pay", id=new_id(), payer=payer, code=shop.code, amount=amount)
    require(refused_by_hook(asked), "the payer is told no")
    play.switch.never(shop.request_id, is_a("pacs.008"), "no pacs.008 is sent", for_s=0.2)
    require(play.balance(payer) == before, "nothing is taken")


@case(
    "PD-CRASH",
    P,
    PAYMENT,
    "Messages may be lost, so whoever is undecided asks, from its own books, also after a restart",
    needs=(*_STATE, "crash"),
    alone=True,
)
def _(play: Play) -> None:
    """What it sent survives a crash: the money is still held, it asks again, and the decision counts."""
    payer = play.payer()
    before = play.balance(payer)
    first = play.pays(payer, play.codes.open(InstdAmt=300), 300)
    second = play.pays(payer, play.codes.open(InstdAmt=200), 200)
    play.crash()
    for payment in (first, second):
        say = "it asks again after a crash"
        play.switch.wait(payment["TxId"], _asks, say, count=2, within_s=2 * AGAIN_S)
    require(play.balance(payer) == before - 500, "the money is still held")
    play.switch.tell(completed(first), rejected(second))
    play.state("payment", first["TxId"], "COMPLETED", say="the first is completed")
    play.state("payment", second["TxId"], "REJECTED", say="the second is rejected")
    play.settles_at(payer, before - 300, "the payer has paid what was completed")


@case(
    "PD-OVERTAKEN",
    P,
    PAYMENT,
    "`ACSC` may come before the answer to the pacs.008 you think is under way",
    needs=_STATE,
    alone=True,
)
def _(play: Play) -> None:
    """An ACSC that overtakes the answer to the pacs.008's envelope is taken; the retry behind it does no harm."""
    payer = play.payer()
    before = play.balance(payer)
    shop = play.codes.open(InstdAmt=250)
    with play.switch.seat.spoiling(is_a("pacs.008", EndToEndId=shop.request_id), "answer lost", times=2):
        payment = play.pays(payer, shop, 250)
        play.switch.tell(completed(payment))
        play.state("payment", payment["TxId"], "COMPLETED", say="it is completed")
    play.settles_at(payer, before - 250, "the payer has paid once")
