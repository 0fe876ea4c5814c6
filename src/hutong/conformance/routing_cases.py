"""Cases for a switch: whose code is it; consults, requests to pay and their answers find their way."""

from hutong.conformance.case import Side, case, require
from hutong.conformance.messages import consult, request_to_pay, value_of
from hutong.conformance.play import SwitchPlay, is_a
from hutong.conformance.wire import Message, new_id, now_ms

CODES, REQUEST = "codes.md", "request-to-pay.md"
S = Side.SWITCH
Play = SwitchPlay


def _resolve(asked: Message, **said: object) -> Message:
    """The owner's answer."""
    return {
        "MsgTp": "hutong.resolve",
        "CnsltId": asked["CnsltId"],
        "DbtrAgt": asked["DbtrAgt"],
        "CnsltSts": "FOUND",
        "CdtrNm": "Conformance Noodles",
        "MrchntCtgyCd": "5812",
        "LclInstrm": "STATIC",
        "PmtInfId": new_id(),
        "SttcInd": True,
    } | said


def _consulted(play: Play) -> tuple[Message, Message]:
    """A consult of the payee's code, as the payer sent it and as the payee saw it."""
    asked = consult(play.forms["payee"] + new_id().upper(), play.payer.node)
    play.payer.tell(asked)
    return asked, play.payee.one(asked["CnsltId"], is_a("hutong.consult"), "the owner of the code is asked")


@case("SQ-CONSULT", S, CODES, "The longest pattern that fits wins.")
def _(play: Play) -> None:
    """A consult goes to who registered the code's form, unchanged but for CdFrm."""
    asked, seen = _consulted(play)
    require((seen["Cd"], seen["DbtrAgt"]) == (asked["Cd"], asked["DbtrAgt"]), "code and asker are unchanged", seen)
    require(value_of(seen, "CdFrm") == f"url:{play.forms['payee']}", "CdFrm is the form that matched", seen)
    require(not play.bystander.count(asked["CnsltId"], is_a("hutong.consult")), "nobody else is asked")


@case("SQ-CONSULT-AMOUNT", S, CODES, "A consult may name the amount that the payer typed, in `InstdAmt` and `Ccy`")
def _(play: Play) -> None:
    """The amount of a consult reaches the owner, and what the owner says of the discount comes back, each by its CnsltId."""
    code = play.forms["payee"] + new_id().upper()
    for amount, off in ((0, 0), (3_800, 300), (5_000, 400)):
        asked = consult(code, play.payer.node, **({"InstdAmt": amount, "Ccy": "CNY"} if amount else {}))
        play.payer.tell(asked)
        seen = play.payee.one(asked["CnsltId"], is_a("hutong.consult"), "the owner of the code is asked")
        named = value_of(seen, "InstdAmt"), value_of(seen, "Ccy")
        require(named == (amount, "CNY"), "with the amount as it was named", seen)
        play.payee.tell(_resolve(seen, DscntInd=True, CdtrDscntAmt=off))
        answer = play.payer.one(asked["CnsltId"], is_a("hutong.resolve"), "the answer comes back")
        said = value_of(answer, "DscntInd"), value_of(answer, "CdtrDscntAmt"), value_of(answer, "InstdAmt")
        require(said == (True, off, 0), "as the owner said", answer)


@case(
    "SQ-MERCHANT",
    S,
    CODES,
    "of the others their institution says it, in the answer to a consult and in pain.013: `MrchntFcts`.",
)
def _(play: Play) -> None:
    """What the owner of a code says of the merchant reaches the payer's side unchanged; and that it says nothing."""
    facts = {"MrchntId": "m-1", "StrId": "s-1", "TwnNm": "上海", "SmllInd": True, "Wrds": ["old-town"]}
    for said in (facts, facts | {"SmllInd": False, "Wrds": []}, None):
        asked, seen = _consulted(play)
        play.payee.tell(_resolve(seen, MrchntFcts=said))
        answer = play.payer.one(asked["CnsltId"], is_a("hutong.resolve"), "the answer comes back")
        require(value_of(answer, "MrchntFcts") == said, "with what is said of the merchant", answer)


@case(
    "SQ-RESOLVE",
    S,
    "messages.md",
    "filled in by the switch, where an owner answered: whom the pacs.008 must name, if found",
)
def _(play: Play) -> None:
    """The owner's answer comes back with CdtrAgt and the fees filled in, whatever the owner wrote there."""
    asked, seen = _consulted(play)
    play.payee.tell(_resolve(seen, CdtrAgt="somebody-else", IntrchgBps=9_999, FeeVrsn="mine", CdtrDscntAmt=7))
    answer = play.payer.one(asked["CnsltId"], is_a("hutong.resolve"), "the answer comes back")
    require(answer["CdtrAgt"] == play.payee.node, "CdtrAgt is the owner", answer)
    fees = (value_of(answer, "IntrchgBps"), value_of(answer, "SwtchChrgBps"), answer["FeeVrsn"])
    expected = (play.fees.interchange_bps, play.fees.switch_fee_bps, play.fees.version)
    require(fees == expected, "the fees are the switch's", answer)
    same = {"CdtrNm": "Conformance Noodles", "PmtInfId": None, "CdtrDscntAmt": 7, "LclInstrm": "STATIC"}
    for name, value in same.items():
        require(value is None or answer[name] == value, f"{name} is the owner's", answer)


@case(
    "SQ-REFUSED",
    S,
    CODES,
    "`REFUSED`: with `StsRsnCd` and `StsRsnPrtry`: nobody's code, expired, already paid, payee closed. From the switch if nobody registered the form.",
)
def _(play: Play) -> None:
    """The owner's no comes back with its reason; a code of no form is refused by the switch."""
    asked, seen = _consulted(play)
    play.payee.tell(_resolve(seen, CnsltSts="REFUSED", StsRsnCd="TM01", StsRsnPrtry="REQUEST_EXPIRED"))
    answer = play.payer.one(asked["CnsltId"], is_a("hutong.resolve"), "the no comes back")
    said = (answer["CnsltSts"], answer["StsRsnCd"], answer["StsRsnPrtry"])
    require(said == ("REFUSED", "TM01", "REQUEST_EXPIRED"), "with the owner's reason", answer)
    require(value_of(answer, "CdtrAgt") == play.payee.node, "and who said so", answer)
    for code in ("https://nobody.conformance.example/q/1", "000000000000000000", "?", "x" * 512):
        nobodys = consult(code, play.payer.node)
        play.payer.tell(nobodys)
        answer = play.payer.one(nobodys["CnsltId"], is_a("hutong.resolve"), "nobody's code is answered")
        require(answer["CnsltSts"] == "REFUSED" and answer["StsRsnCd"], "it is refused with a reason", answer)


@case("SQ-UNASKED", S, "messages.md", "The answer to a consult. Code's owner to switch")
def _(play: Play) -> None:
    """Only who was asked answers: another's hutong.resolve is not passed on, nor an answer to no question."""
    asked, seen = _consulted(play)
    play.bystander.tell(_resolve(seen, CdtrNm="A thief"))
    play.payee.tell(_resolve(seen | {"CnsltId": new_id()}))
    play.payer.never(asked["CnsltId"], is_a("hutong.resolve"), "another's answer is not passed on", for_s=0.3)
    play.payee.tell(_resolve(seen))
    answer = play.payer.one(asked["CnsltId"], is_a("hutong.resolve"), "the owner's is")
    require(answer["CdtrNm"] == "Conformance Noodles", "as the owner said", answer)


@case("SQ-NAME", S, "messages.md", "who asks; must be the sender")
def _(play: Play) -> None:
    """A consult in another's name is not passed on in that name."""
    asked = consult(play.forms["payee"] + new_id(), play.payer.node)
    play.bystander.tell(asked)
    play.payee.never(asked["CnsltId"], is_a("hutong.consult"), "it is not passed on", for_s=0.3)


@case(
    "SQ-REQUEST",
    S,
    REQUEST,
    "The switch fills in `IntrchgBps`, `SwtchChrgBps` and `FeeVrsn`; the pacs.008 is computed with them.",
)
def _(play: Play) -> None:
    """A request to pay goes to the payment code's owner with the fees filled in; its pain.014 comes back."""
    code = play.forms["digits"] + f"{now_ms() % 10**10:010d}0000"
    asked = request_to_pay(code, play.payer.node, 1_000)
    play.payer.tell(asked)
    seen = play.payee.one(asked["PmtInfId"], is_a("pain.013"), "the owner of the payment code is asked")
    require((seen["PmtCd"], seen["InstdAmt"]) == (code, 1_000), "code and amount are unchanged", seen)
    require(value_of(seen, "FeeVrsn"), "the fees are filled in", seen)
    about = {"MsgTp": "pain.014", "OrgnlPmtInfId": asked["PmtInfId"], "CdtrAgt": play.payer.node}
    play.bystander.tell(about | {"TxSts": "RJCT", "StsRsnCd": "MS03"})
    play.payee.tell(about | {"TxSts": "PDNG"})
    play.payer.one(asked["PmtInfId"], is_a("pain.014", TxSts="PDNG"), "PDNG comes back")
    play.payee.tell(about | {"TxSts": "RJCT", "StsRsnCd": "AM04", "StsRsnPrtry": "BALANCE_INSUFFICIENT"})
    answer = play.payer.one(asked["PmtInfId"], is_a("pain.014", TxSts="RJCT"), "RJCT comes back")
    require((answer["StsRsnCd"], answer["StsRsnPrtry"]) == ("AM04", "BALANCE_INSUFFICIENT"), "with its reason", answer)


@case("SQ-MANDATE", S, REQUEST, "`mandate:<node>:<token>` goes to that node.")
def _(play: Play) -> None:
    """A mandate's request goes to the node it names."""
    asked = request_to_pay(f"mandate:{play.payee.node}:a-token", play.payer.node, 500, LclInstrm="TOPUP")
    asked["MrchntCtgyCd"] = "0000"
    play.payer.tell(asked)
    seen = play.payee.one(asked["PmtInfId"], is_a("pain.013"), "the mandate's node is asked")
    require(seen["PmtCd"] == asked["PmtCd"], "the text is unchanged", seen)
    require((value_of(seen, "IntrchgBps"), value_of(seen, "SwtchChrgBps")) == (0, 0), "a top-up is free", seen)


@case("SQ-REQUEST-NO", S, REQUEST, "nobody's code, a suspended owner, a request past its `XpryDtTm`.")
def _(play: Play) -> None:
    """What it cannot route it refuses itself by pain.014 RJCT, with a reason."""
    for asked, reason in (
        (request_to_pay("000000000000000000", play.payer.node, 100), ""),
        (request_to_pay("mandate:nobody-known:x", play.payer.node, 100), "PARTICIPANT_UNKNOWN"),
        (
            request_to_pay(play.forms["digits"] + "0" * 14, play.payer.node, 100, XpryDtTm=now_ms() - 1),
            "REQUEST_EXPIRED",
        ),
    ):
        play.payer.tell(asked)
        answer = play.payer.one(asked["PmtInfId"], is_a("pain.014"), "it is answered")
        require(answer["TxSts"] == "RJCT" and answer["StsRsnCd"], "it is refused", answer)
        require(reason in {"", answer["StsRsnPrtry"]}, f"as {reason}", answer)
        require(not play.payee.count(asked["PmtInfId"], is_a("pain.013")), "nobody is asked")
