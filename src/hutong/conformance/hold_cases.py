"""Cases for holds: what a payer's institution holds, pays and lets go, and what a switch passes on."""

from hutong.conformance.case import Side, case, require
from hutong.conformance.messages import completed, content_of, held, hold, rejected, request_to_pay, value_of
from hutong.conformance.play import ParticipantPlay, SwitchPlay, is_a
from hutong.conformance.wire import Message, new_id

HOLD = "hold.md"
P, S = Side.PARTICIPANT, Side.SWITCH
_HOLDER = ("payer", "payment-code", "balance")


def _asking(play: ParticipantPlay, payer: str, amount: int) -> Message:
    code = str(play.hook.ask("payment-code", payer=payer)["code"])
    return hold(code, play.creditor_agent, amount)


def _told(play: ParticipantPlay, asked: Message, say: str, **values: object) -> Message:
    return play.switch.wait(asked["HldId"], is_a("hutong.held", **values), say)[-1].message


def _held(play: ParticipantPlay, payer: str, amount: int) -> tuple[Message, Message]:
    asked = _asking(play, payer, amount)
    play.switch.tell(asked)
    return asked, _told(play, asked, "it holds the money", HldSts="HELD")


def _taking(play: ParticipantPlay, state: Message, amount: int) -> Message:
    asked = request_to_pay(state["PmtCd"], play.creditor_agent, amount, FeeVrsn="kit-1")
    play.switch.tell(asked)
    return asked


def _knowing(play: ParticipantPlay, state: Message, **said: object) -> Message:
    """What the creditor agent says that knows this state."""
    return hold("", play.creditor_agent, 0, HldId=state["HldId"], DbtrAgt=play.subject) | {
        "ElctrncSeqNb": state["ElctrncSeqNb"],
        "HldAct": None,
        **said,
    }


@case("PH-HELD", P, HOLD, "The owner claims the code once for this hold", needs=_HOLDER)
def _(play: ParticipantPlay) -> None:
    """A hold by payment code leaves the payer's balance once, however often it is asked for, and is told until it is known."""
    payer = play.payer()
    before = play.balance(payer)
    asked, state = _held(play, payer, 1_500)
    for name, value in {"InstdAmt": 1_500, "DbtrAgt": play.subject, "CdtrAgt": play.creditor_agent}.items():
        require(state[name] == value, f"{name} is {value}", state)
    require(str(state["PmtCd"]).startswith(f"hold:{play.subject}:{asked['HldId']}:"), "it can be asked to pay", state)
    play.switch.tell(asked, asked)
    play.settles_at(payer, before - 1_500, "the balance is less by what is held")
    play.switch.wait(asked["HldId"], is_a("hutong.held", HldSts="HELD"), "it is told again", count=2)
    play.switch.tell(_knowing(play, state))
    play.settles_at(payer, before - 1_500, "and no more")


@case(
    "PH-TAKE",
    P,
    HOLD,
    "The part leaves the hold in one chain of the ledger with what the payment holds pending",
    needs=_HOLDER,
)
def _(play: ParticipantPlay) -> None:
    """A part is paid out of a hold as any request to pay; more than is free is refused; what the switch refuses is held again."""
    payer = play.payer()
    before = play.balance(payer)
    asked, state = _held(play, payer, 1_000)
    part = _taking(play, state, 600)
    payment = play.switch.one(part["PmtInfId"], is_a("pacs.008"), "it agrees by a pacs.008 that names the request")
    over = _taking(play, state, 401)
    no = play.switch.one(over["PmtInfId"], is_a("pain.014"), "more than is free is refused")
    require((no["TxSts"], value_of(no, "StsRsnPrtry")) == ("RJCT", "HOLD_EXCEEDED"), "by name", no)
    play.switch.tell(completed(payment))
    _told(play, asked, "it tells what was taken", TknAmt=600)
    play.settles_at(payer, before - 1_000, "the balance is as it was when it was held")
    rest = _taking(play, state, 400)
    payment = play.switch.one(rest["PmtInfId"], is_a("pacs.008"), "the rest is paid")
    play.switch.tell(rejected(payment))
    again = _taking(play, state, 400)
    play.switch.one(again["PmtInfId"], is_a("pacs.008"), "what the switch refused is held again, and can be taken")


@case("PH-RELEASE", P, HOLD, "It is done once, however often it comes", needs=_HOLDER)
def _(play: ParticipantPlay) -> None:
    """A part goes back once; everything ends it, and then nothing is taken any more."""
    payer = play.payer()
    before = play.balance(payer)
    asked, state = _held(play, payer, 1_000)
    part = _knowing(play, state, HldAct="RLSE", ActId=new_id(), InstdAmt=300)
    play.switch.tell(part)
    _told(play, asked, "it answers the act", ActId=part["ActId"], RlsdAmt=300)
    play.switch.tell(part, part)
    play.settles_at(payer, before - 700, "it went back once")
    over = _knowing(play, state, HldAct="RLSE", ActId=new_id(), InstdAmt=701)
    play.switch.tell(over)
    refused = _told(play, asked, "more than is held is not let go", ActId=over["ActId"])
    require(value_of(refused, "StsRsnPrtry") == "HOLD_EXCEEDED", "by name", refused)
    play.switch.tell(_knowing(play, state, HldAct="RLSE", ActId=new_id()))
    _told(play, asked, "it has ended", HldSts="ENDD", RlsdAmt=1_000)
    play.settles_at(payer, before, "and all of it is the payer's")
    late = _taking(play, state, 100)
    no = play.switch.one(late["PmtInfId"], is_a("pain.014"), "nothing is taken any more")
    require(value_of(no, "StsRsnPrtry") == "HOLD_NOT_HELD", "by name", no)


@case("PH-NAME", P, HOLD, "`HOLD_UNKNOWN`, for another creditor agent or a wrong token too", needs=_HOLDER)
def _(play: ParticipantPlay) -> None:
    """Without its token nothing is paid out of a hold; of one that is not there nothing is let go."""
    payer = play.payer()
    before = play.balance(payer)
    _, state = _held(play, payer, 800)
    wrong = state["PmtCd"][:-32] + new_id()
    asked = _taking(play, {"PmtCd": wrong}, 100)
    no = play.switch.one(asked["PmtInfId"], is_a("pain.014"), "a wrong token is refused")
    require(value_of(no, "StsRsnPrtry") == "HOLD_UNKNOWN", "by name", no)
    nothing = _knowing(play, state, HldId=new_id(), HldAct="RLSE", ActId=new_id())
    play.switch.tell(nothing)
    none = _told(play, nothing, "of what is not held nothing is let go", ElctrncSeqNb=0)
    require(value_of(none, "StsRsnPrtry") == "HOLD_UNKNOWN", "by name", none)
    play.settles_at(payer, before - 800, "it is held as before")


@case("SH-PASSED", S, HOLD, "The switch passes both on, each time they come")
def _(play: SwitchPlay) -> None:
    """What a creditor agent asks goes to the debtor agent unchanged, each time; what that says goes back."""
    asked = hold("", play.payee.node, 500, DbtrAgt=play.payer.node)
    for number in (1, 2):
        play.payee.tell(asked)
        came = play.payer.wait(asked["HldId"], is_a("hutong.hold"), "it goes to the payer's node", count=number)
        require(content_of(came[-1].message) == content_of(asked), "unchanged", asked, came[-1].message)
    state = held(asked, play.payer.node, 1)
    for number in (1, 2):
        play.payer.tell(state)
        heard = play.payee.wait(asked["HldId"], is_a("hutong.held"), "it goes to the payee's node", count=number)
        require(content_of(heard[-1].message) == content_of(state), "unchanged", state, heard[-1].message)


@case("SH-REFUSED", S, HOLD, "answers number 0 to what it cannot route")
def _(play: SwitchPlay) -> None:
    """A code that nobody registered, and one past its time, are refused by name and not passed on."""
    for said in ({"PmtCd": "000000000000000000"}, {"PmtCd": "", "DbtrAgt": play.payer.node, "XpryDtTm": 1_000}):
        asked = hold("", play.payee.node, 500, **said)
        play.payee.tell(asked)
        no = play.payee.one(asked["HldId"], is_a("hutong.held", ElctrncSeqNb=0), "it is refused")
        require(no["HldSts"] == "RJCT" and value_of(no, "StsRsnPrtry"), "with the reason", no)
        require(not play.payer.count(asked["HldId"], is_a("hutong.hold")), "it is not passed on")


@case("SH-NAME", S, HOLD, "It drops what is sent in somebody else's name")
def _(play: SwitchPlay) -> None:
    """Nobody asks in another's name, and only the debtor agent says how a hold stands."""
    asked = hold("", play.payee.node, 500, DbtrAgt=play.payer.node)
    play.bystander.tell(asked)
    play.payer.never(asked["HldId"], is_a("hutong.hold"), "it is not passed on")
    play.bystander.tell(held(asked, play.payer.node, 1))
    play.payee.never(asked["HldId"], is_a("hutong.held"), "a bystander's state is not passed on")
