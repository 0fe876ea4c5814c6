"""Cases for a participant in requests to pay: its payment codes are charged by others, and its merchants charge others'."""

from hutong.conformance.case import Side, case, require
from hutong.conformance.messages import completed, request_to_pay, share_bps, value_of
from hutong.conformance.play import SOON_S, ParticipantPlay, is_a
from hutong.conformance.wire import Message, new_id, now_ms

REQUEST = "request-to-pay.md"
P = Side.PARTICIPANT
_OWNER = ("payer", "payment-code", "balance")
_TILL = ("payee", "charge", "request", "balance")
Play = ParticipantPlay


def _asking(play: Play, payer: str, amount: int, **said: object) -> Message:
    """A pain.013 for a fresh payment code of this payer, as the switch forwards it."""
    code = str(play.hook.ask("payment-code", payer=payer)["code"])
    return request_to_pay(code, play.creditor_agent, amount, FeeVrsn="kit-1", **said)


def _answer(message: Message) -> bool:
    return message["MsgTp"] in {"pacs.008", "pain.014"}


def _pays(play: Play, asked: Message) -> Message:
    """The pacs.008 by which the payer's node agrees."""
    play.switch.tell(asked)
    return play.switch.one(asked["PmtInfId"], is_a("pacs.008"), "it agrees by a pacs.008 that names the request")


@case("PQ-AGREED", P, REQUEST, "Agreement is never said by pain.014: it is the pacs.008 that follows.", needs=_OWNER)
def _(play: Play) -> None:
    """A request by its payment code is paid by a pacs.008, with the fees and the terms of the request."""
    payer = play.payer()
    before = play.balance(payer)
    asked = _asking(play, payer, 1_250, IntrchgBps=20, SwtchChrgBps=2)
    payment = _pays(play, asked)
    expected = {"EndToEndId": asked["PmtInfId"], "CdtrAgt": play.creditor_agent, "LclInstrm": "PYMTCD"}
    expected |= {"InstdAmt": 1_250, "MrchntCtgyCd": "5812", "FeeVrsn": "kit-1", "DbtrAgt": play.subject}
    expected |= {"IntrchgAmt": share_bps(1_250, 20), "SwtchChrgAmt": share_bps(1_250, 2)}
    for name, value in expected.items():
        require(payment[name] == value, f"{name} is {value}", payment)
    play.switch.tell(completed(payment))
    play.settles_at(payer, before - 1_250, "at ACSC the payer has paid")


@case(
    "PQ-DISCOUNT",
    P,
    REQUEST,
    "The pacs.008 names the same `CdtrDscntAmt`, and the payer pays so much less.",
    needs=_OWNER,
)
def _(play: Play) -> None:
    """What the creditor's side takes off is taken off: fees are of what crosses, and a discount that leaves nothing is refused."""
    payer = play.payer()
    before = play.balance(payer)
    asked = _asking(play, payer, 2_000, CdtrDscntAmt=500, IntrchgBps=20, SwtchChrgBps=20)
    payment = _pays(play, asked)
    fee = share_bps(1_500, 20)
    expected = {"InstdAmt": 2_000, "CdtrDscntAmt": 500, "IntrchgAmt": fee, "SwtchChrgAmt": fee}
    expected |= {"IntrBkSttlmAmt": 1_500 - fee - fee}
    for name, value in expected.items():
        require(payment[name] == value, f"{name} is {value}", payment)
    play.switch.tell(completed(payment))
    play.settles_at(payer, before - 1_500, "at ACSC the payer has paid what was left")
    free = _asking(play, payer, 300, CdtrDscntAmt=300)
    play.switch.tell(free)
    answer = play.switch.one(free["PmtInfId"], _answer, "what leaves nothing to pay is answered")
    require((answer["MsgTp"], answer["TxSts"]) == ("pain.014", "RJCT"), "and refused", answer)


@case(
    "PQ-AGAIN",
    P,
    REQUEST,
    "the same request (`PmtInfId`) from the same agent may come again and gets the same answer",
    needs=_OWNER,
)
def _(play: Play) -> None:
    """The same request again is answered by the same payment, and paid once."""
    payer = play.payer()
    before = play.balance(payer)
    asked = _asking(play, payer, 600)
    payment = _pays(play, asked)
    play.switch.tell(asked)
    play.switch.tell(asked, asked)
    play.switch.seat.wait(asked["PmtInfId"], _answer, count=2, within_s=2.5)
    ids = {each.message["TxId"] for each in play.switch.seat.heard(asked["PmtInfId"], is_a("pacs.008"))}
    require(ids == {payment["TxId"]}, "it is the same payment each time", ids)
    play.switch.never(asked["PmtInfId"], is_a("pain.014", TxSts="RJCT"), "and no refusal", for_s=0.2)
    play.switch.tell(completed(payment))
    play.settles_at(payer, before - 600, "it is paid once")


@case("PQ-ONCE", P, REQUEST, "the same code in another request is refused (`RJCT`)", needs=_OWNER)
def _(play: Play) -> None:
    """A payment code is claimed once: the same code in another request is refused."""
    payer = play.payer()
    before = play.balance(payer)
    asked = _asking(play, payer, 200)
    payment = _pays(play, asked)
    other = request_to_pay(asked["PmtCd"], play.creditor_agent, 200)
    play.switch.tell(other)
    answer = play.switch.one(other["PmtInfId"], _answer, "the second request is answered")
    require((answer["MsgTp"], answer["TxSts"]) == ("pain.014", "RJCT"), "it is refused", answer)
    play.switch.tell(completed(payment))
    play.settles_at(payer, before - 200, "only the first is paid")


@case("PQ-WRONG", P, REQUEST, "`RJCT` is the end of the request at this payer.", needs=_OWNER)
def _(play: Play) -> None:
    """A payment code that is wrong is refused by pain.014 RJCT with a reason."""
    code = str(play.hook.ask("payment-code", payer=play.payer())["code"])
    wrong = code[:-1] + str((int(code[-1]) + 5) % 10) if code[-1].isdigit() else code + "X"
    asked = request_to_pay(wrong, play.creditor_agent, 100)
    play.switch.tell(asked)
    answer = play.switch.one(asked["PmtInfId"], _answer, "the request is answered")
    require((answer["MsgTp"], answer["TxSts"]) == ("pain.014", "RJCT"), "it is refused", answer)
    require(value_of(answer, "StsRsnCd"), "with a reason", answer)


@case("PQ-EXPIRED", P, "messages.md", "after this nothing must be paid on it", needs=_OWNER)
def _(play: Play) -> None:
    """A request past its time is not paid."""
    asked = _asking(play, play.payer(), 100, XpryDtTm=now_ms() - 1_000)
    play.switch.tell(asked)
    play.switch.never(asked["PmtInfId"], is_a("pacs.008"), "a request past its time is not paid")


def _charging(play: Play, amount: int) -> tuple[str, str, Message]:
    """Its till scans a code of another node's payer; the pain.013 that comes of it."""
    payee = str(play.hook.ask("payee")["payee"])
    code = f"99{now_ms() % 10**13:013d}{amount % 1000:03d}"
    handle = new_id()
    play.start("charge", id=handle, payee=payee, code=code, amount=amount)
    asked = play.switch.one(code, is_a("pain.013"), "a charge sends a pain.013 with the code as it was scanned")
    play.handles[asked["PmtInfId"]] = handle
    return payee, code, asked


def _settling(play: Play, asked: Message, **said: object) -> Message:
    """The pacs.008 of a payer elsewhere who agrees."""
    terms = {"MsgTp": "hutong.resolve", "PmtInfId": asked["PmtInfId"], "LclInstrm": "PYMTCD"}
    terms["MrchntCtgyCd"] = asked["MrchntCtgyCd"]
    return play.paying(terms, asked["InstdAmt"], **said)


@case("PQ-CHARGE", P, REQUEST, "`PmtCd` is the code exactly as scanned.", needs=_TILL)
def _(play: Play) -> None:
    """Its till charges a code: a pain.013 of its own, the pacs.008 that follows is accepted, the payee is credited."""
    payee, code, asked = _charging(play, 1_101)
    before = play.balance(payee)
    require((asked["PmtCd"], asked["InstdAmt"]) == (code, 1_101), "code and amount are the till's", asked)
    require(asked["CdtrAgt"] == play.subject and asked["LclInstrm"] == "PYMTCD", "in its own name", asked)
    require(asked["XpryDtTm"] > now_ms(), "its time lies ahead", asked)
    play.refused(_settling(play, asked | {"InstdAmt": 1_100}), "another amount is refused")
    payment = _settling(play, asked)
    play.accepted(payment)
    require(play.balance(payee) == before, "nothing is credited before the decision")
    play.switch.tell(completed(payment))
    play.state("request", asked["PmtInfId"], "COMPLETED", say="the charge is paid")
    require(play.balance(payee) > before, "and credited")
    play.refused(_settling(play, asked), "a paid request takes no second payment")


@case(
    "PQ-CHARGE-DISCOUNT",
    P,
    REQUEST,
    "Another `CdtrDscntAmt` than the creditor agent reckons when it accepts is refused (`DISCOUNT_GONE`), and none at all never is.",
    needs=_TILL,
)
def _(play: Play) -> None:
    """A discount it did not offer is refused; a payment of a charge without any is accepted."""
    _, _, asked = _charging(play, 1_404)
    off = int(value_of(asked, "CdtrDscntAmt"))
    for wrong in {off + 1, off - 1} - {0, -1}:
        paying = _settling(play, asked, CdtrDscntAmt=wrong, IntrBkSttlmAmt=1_404 - wrong)
        play.refused(paying, f"{wrong} is not what it takes off")
    play.accepted(_settling(play, asked))


@case(
    "PQ-CHARGE-AGAIN",
    P,
    REQUEST,
    "the creditor agent sends the same pain.013 again, every 2 s or slower, while the request is open",
    needs=_TILL,
)
def _(play: Play) -> None:
    """Without an answer it sends the same pain.013 again, no faster than every 2 s or so."""
    _, code, _ = _charging(play, 1_202)
    came = play.switch.wait(code, is_a("pain.013"), "it comes again", count=2, within_s=SOON_S)
    require(came[0].message == came[1].message, "it is the same", *(each.message for each in came))
    gap_ms = int(1000 * (came[1].at_s - came[0].at_s))
    require(gap_ms >= 1_000, "not before about 2 s", gap_ms)


@case("PQ-CHARGE-NO", P, REQUEST, "`PDNG` means that a person is being asked, and that nothing is held.", needs=_TILL)
def _(play: Play) -> None:
    """PDNG keeps a charge open, RJCT ends it; nothing is credited by either."""
    payee, _, asked = _charging(play, 1_303)
    before = play.balance(payee)
    about = {"MsgTp": "pain.014", "OrgnlPmtInfId": asked["PmtInfId"], "CdtrAgt": play.subject}
    play.switch.tell(about | {"TxSts": "PDNG"})
    play.state("request", asked["PmtInfId"], "PENDING", say="PDNG keeps it open")
    play.switch.tell(about | {"TxSts": "RJCT", "StsRsnCd": "AM04", "StsRsnPrtry": "BALANCE_INSUFFICIENT"})
    play.state("request", asked["PmtInfId"], "REJECTED", say="RJCT ends it")
    require(play.balance(payee) == before, "nothing is credited")
