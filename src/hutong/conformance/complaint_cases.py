"""Cases for complaints: what a participant answers a payer who is not content, and what a switch passes on."""

import hashlib

from hutong.conformance.case import Side, case, require
from hutong.conformance.messages import complained, complaint, content_of, picture, piece, value_of
from hutong.conformance.payee import Payee
from hutong.conformance.play import ParticipantPlay, SwitchPlay, is_a
from hutong.conformance.wire import Message, new_id

COMPLAINT = "complaint.md"
P, S = Side.PARTICIPANT, Side.SWITCH
_ANSWERS = ("payee", "code", "balance", "answer")


def _turn(play: ParticipantPlay, said: Message, number: int, count: int = 1) -> Message:
    say = f"it answers with the turn {number}"
    return play.switch.wait(said["CmplntId"], is_a("hutong.complained", ElctrncSeqNb=number), say, count=count)[
        -1
    ].message


def _paid(play: ParticipantPlay) -> Message:
    payee = Payee.showing(play)
    payment = payee.accepts(1_000)
    payee.completes(payment)
    return payment


@case("PK-OPEN", P, COMPLAINT, "What a payer says becomes a turn once, however often it comes.", needs=_ANSWERS)
def _(play: ParticipantPlay) -> None:
    """A complaint of a completed payment becomes turn 1; again it is the same turn; what follows is turn 2."""
    said = complaint(_paid(play))
    for count in (1, 2):
        play.switch.tell(said)
        turn = _turn(play, said, 1, count)
        require((turn["Pty"], turn["CmplntAct"]) == ("DBTR", "OPEN"), "the payer's own", turn)
        require(value_of(turn, "ActId") == said["ActId"], "it names the act", turn)
    more = said | {"CmplntAct": "SAYS", "ActId": new_id(), "ElctrncSeqNb": 2, "AddtlInf": "hello?"}
    play.switch.tell(more)
    require(value_of(_turn(play, more, 2), "ActId") == more["ActId"], "the next act is the next turn", more)


@case("PK-TOLD", P, COMPLAINT, "Who asks from a number on is told those turns again.", needs=_ANSWERS)
def _(play: ParticipantPlay) -> None:
    """Who lost a turn asks for it, without saying anything, and is told it again."""
    said = complaint(_paid(play))
    play.switch.tell(said)
    _turn(play, said, 1)
    play.switch.tell(said | {"CmplntAct": None, "ActId": ""})
    _turn(play, said, 1, count=2)


@case("PK-ANSWER", P, COMPLAINT, "Each new turn is told to the debtor agent", needs=_ANSWERS)
def _(play: ParticipantPlay) -> None:
    """What the merchant answers is told as turn 2, unasked, and again until it is known."""
    payee = Payee.showing(play)
    payment = payee.accepts(1_000)
    payee.completes(payment)
    said = complaint(payment)
    play.switch.tell(said)
    _turn(play, said, 1)
    play.hook.ask("answer", payee=payee.name, payment=payment["TxId"], debtor_agent=payment["DbtrAgt"], text="sorry")
    turn = _turn(play, said, 2, count=2)
    told = (turn["Pty"], turn["CmplntAct"], turn["CmplntSts"], value_of(turn, "AddtlInf"))
    require(told == ("CDTR", "SAYS", "PRCG", "sorry"), "the merchant's own words", turn)


@case("PK-UNKNOWN", P, COMPLAINT, "What it refuses it answers with number 0 and the reason.", needs=_ANSWERS)
def _(play: ParticipantPlay) -> None:
    """A complaint of a payment it never saw is refused by name."""
    nothing = {"TxId": new_id(), "DbtrAgt": play.debtor_agent, "CdtrAgt": play.subject, "Ccy": "CNY", "InstdAmt": 500}
    said = complaint(nothing)
    play.switch.tell(said)
    refused = _turn(play, said, 0)
    require(value_of(refused, "ActId") == said["ActId"], "it names the act", refused)
    require(value_of(refused, "StsRsnPrtry"), "and the reason", refused)


_PICTURE = bytes.fromhex(  # A PNG of one white pixel.
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff3f0005fe02fe0def46"
    "b80000000049454e44ae426082"
)


@case("PK-PICTURE", P, COMPLAINT, "Who is told of a picture asks for it, piece by piece", needs=_ANSWERS)
def _(play: ParticipantPlay) -> None:
    """A picture with what a payer says is asked for from the beginning, then from where the first piece ended."""
    digest = hashlib.sha256(_PICTURE).hexdigest()
    said = complaint(_paid(play), PictrDgst=[digest])
    play.switch.tell(said)
    turn = _turn(play, said, 1)
    require(value_of(turn, "PictrDgst") == [digest], "the turn names it", turn)
    for offset in (0, 20):
        say = f"it asks for the picture from {offset} on"
        asked = play.switch.wait(said["CmplntId"], is_a("hutong.picture", PcOfst=offset), say)[-1].message
        require((asked["Pty"], asked["PictrDgst"]) == ("CDTR", digest), "as the payee's agent", asked)
        play.switch.tell(piece(asked, _PICTURE, 20 if not offset else len(_PICTURE)))


def _complaint(play: SwitchPlay, **said: object) -> Message:
    """A complaint of a completed payment of 1,000."""
    payment = play.paying(1_000)
    play.completes(payment)
    return complaint(payment, **said)  # type: ignore[arg-type]


@case("SK-PASSED", S, COMPLAINT, "The switch passes both on unchanged, each time they come")
def _(play: SwitchPlay) -> None:
    """A complaint goes to the payee's node unchanged, each time it comes; each turn to the payer's."""
    said = _complaint(play)
    for number in (1, 2):
        play.payer.tell(said)
        came = play.payee.wait(said["CmplntId"], is_a("hutong.complaint"), "it goes to the payee's node", count=number)
        require(content_of(came[-1].message) == content_of(said), "unchanged", said, came[-1].message)
    turn = complained(said, 1)
    for number in (1, 2):
        play.payee.tell(turn)
        heard = play.payer.wait(
            said["CmplntId"], is_a("hutong.complained"), "it goes to the payer's node", count=number
        )
        require(content_of(heard[-1].message) == content_of(turn), "unchanged", turn, heard[-1].message)


@case("SK-PICTURE", S, COMPLAINT, "It passes pictures on in the same way, in both directions")
def _(play: SwitchPlay) -> None:
    """What one agent asks for goes to the other unchanged, and what that answers; what a bystander says goes nowhere."""
    said = _complaint(play)
    digest = hashlib.sha256(_PICTURE).hexdigest()
    for asker, owner, side in ((play.payee, play.payer, "CDTR"), (play.payer, play.payee, "DBTR")):
        asked = picture(said, side, digest)
        play.bystander.tell(asked)
        owner.never(said["CmplntId"], is_a("hutong.picture", Pty=side), "a bystander's question is not passed on")
        asker.tell(asked)
        came = owner.one(said["CmplntId"], is_a("hutong.picture", Pty=side), "it goes to the other agent")
        require(content_of(came) == content_of(asked), "unchanged", asked, came)
        answer = piece(asked, _PICTURE, len(_PICTURE))
        play.bystander.tell(answer)
        asker.never(said["CmplntId"], is_a("hutong.pictured", Pty=side), "nor is a bystander's piece")
        owner.tell(answer)
        heard = asker.one(said["CmplntId"], is_a("hutong.pictured", Pty=side), "the piece comes back")
        require(content_of(heard) == content_of(answer), "unchanged", answer, heard)


@case("SK-REFUSED", S, COMPLAINT, "and refuses by number 0 what names no completed payment between them.")
def _(play: SwitchPlay) -> None:
    """A complaint of no payment, or not between its agents, is refused by name and not passed on."""
    for said in (_complaint(play, OrgnlTxId=new_id()), _complaint(play, CdtrAgt=play.bystander.node)):
        play.payer.tell(said)
        refused = play.payer.one(said["CmplntId"], is_a("hutong.complained", ElctrncSeqNb=0), "it is refused")
        require(value_of(refused, "ActId") == said["ActId"], "it names the act", refused)
        require(value_of(refused, "StsRsnPrtry"), "and the reason", refused)
        for other in (play.payee, play.bystander):
            require(not other.count(said["CmplntId"], is_a("hutong.complaint")), "it is not passed on")


@case("SK-NAME", S, COMPLAINT, "It drops what is sent in somebody else's name.")
def _(play: SwitchPlay) -> None:
    """Nobody complains in another's name, and only the payee's node tells turns."""
    said = _complaint(play)
    play.bystander.tell(said)
    play.payee.never(said["CmplntId"], is_a("hutong.complaint"), "it is not passed on")
    play.payer.tell(said)
    play.payee.one(said["CmplntId"], is_a("hutong.complaint"), "who paid may complain")
    play.bystander.tell(complained(said, 1))
    play.payer.never(said["CmplntId"], is_a("hutong.complained"), "a bystander's turn is not passed on")
