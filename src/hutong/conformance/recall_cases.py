"""Cases for recalls: a payment is asked back of a participant, and asked back through a switch."""

from hutong.conformance.case import Side, case, require
from hutong.conformance.messages import content_of, recall, recall_answer, value_of
from hutong.conformance.payee import Payee
from hutong.conformance.play import Moves, ParticipantPlay, SwitchPlay, is_a
from hutong.conformance.wire import Message, new_id

RECALL = "recall.md"
P, S = Side.PARTICIPANT, Side.SWITCH
_CREDIT = ("payee", "code", "balance")


def _answers(play: ParticipantPlay, asked: Message, count: int = 1) -> list[Message]:
    """Ask so often; what it says each time, sound in itself."""
    for number in range(1, count + 1):
        play.switch.tell(asked)
        heard = play.switch.wait(asked["CxlId"], is_a("camt.029"), "a recall is answered by camt.029", count=number)
    answers = [each.message for each in heard]
    for answer in answers:
        require(answer["Assgnr"] == asked["Assgnr"], "the answer names who asked", answer)
        amount, return_id = value_of(answer, "RtrdInstdAmt"), value_of(answer, "RtrId")
        match answer["Conf"]:
            case "CNCL" | "PECR":
                require(0 < amount <= asked["RclInstdAmt"], "what comes back was asked for", answer)
                require(return_id, "a yes names the return it comes back by", answer)
            case "RJCR":
                require(value_of(answer, "CxlStsRsnCd"), "a no names its reason by ISO code", answer)
                require(not amount and not return_id, "a no gives nothing back", answer)
            case _:
                require(not amount and not return_id, "nobody has decided yet", answer)
    return answers


def _paid(play: ParticipantPlay, amount: int) -> Message:
    """A payment to a payee of the subject's, completed there."""
    payee = Payee.showing(play)
    payment = payee.accepts(amount)
    payee.completes(payment)
    return payment


@case("PF-ANSWER", P, RECALL, "The creditor agent answers every one with how it stands", needs=_CREDIT)
def _(play: ParticipantPlay) -> None:
    """A recall of a completed payment is answered, every time it comes: undecided, yes, in part, or no with a reason."""
    _answers(play, recall(_paid(play, 1_000), 1_000), count=3)


@case("PF-OVER", P, RECALL, "Both agents check again", needs=_CREDIT)
def _(play: ParticipantPlay) -> None:
    """A recall of more than was paid is answered RJCR, and stays so."""
    for answer in _answers(play, recall(_paid(play, 1_000), 1_001), count=2):
        require(answer["Conf"] == "RJCR", "more than was paid is not asked back", answer)


@case("PF-UNKNOWN", P, RECALL, "Both agents check again")
def _(play: ParticipantPlay) -> None:
    """A recall of a payment it never saw is answered RJCR, and stays so."""
    nothing = {"TxId": new_id(), "DbtrAgt": play.debtor_agent, "CdtrAgt": play.subject, "Ccy": "CNY"}
    for answer in _answers(play, recall(nothing, 500), count=2):
        require(answer["Conf"] == "RJCR", "nothing is not asked back", answer)


def _asked(play: SwitchPlay, amount: int = 1_000, **said: object) -> Message:
    """A recall of a completed payment of 1,000."""
    payment = play.paying(1_000)
    play.completes(payment)
    return recall(payment, amount, **said)


def _stands(play: SwitchPlay, asked: Message, stands: str, **said: object) -> Message:
    """The payee's node says how it stands; what the payer's node hears of it."""
    play.payee.tell(recall_answer(asked, stands, **said))
    return play.payer.one(asked["CxlId"], is_a("camt.029", Conf=stands), f"the asker hears {stands}")


@case("SF-ASKED", S, RECALL, "The asker sends the same camt.056 again, ever more slowly")
def _(play: SwitchPlay) -> None:
    """A recall is passed on unchanged, each time it comes; each answer goes to the asker; behind RJCR nothing else does."""
    asked = _asked(play)
    for number in (1, 2):
        play.payer.tell(asked)
        say = "it goes to the payee's node, and again when it comes again"
        came = play.payee.wait(asked["CxlId"], is_a("camt.056"), say, count=number)
        require(content_of(came[-1].message) == content_of(asked), "unchanged", asked, came[-1].message)
    _stands(play, asked, "PDCR")
    heard = _stands(play, asked, "RJCR", CxlStsRsnCd="LEGL", CxlStsRsnPrtry="LEGAL_DECISION")
    require(value_of(heard, "CxlStsRsnCd") == "LEGL", "with the reason", heard)
    known = play.payer.count(asked["CxlId"], is_a("camt.029", Conf="PDCR"))
    play.payee.tell(recall_answer(asked, "PDCR"))
    play.payer.never(asked["CxlId"], is_a("camt.029", Conf="PDCR"), "a no stays a no", beyond=known)


@case("SF-PART", S, RECALL, "`CNCL` and `PECR` name the amount and the return")
def _(play: SwitchPlay) -> None:
    """A yes to a part goes to the asker with its amount and the return it comes by; one to more than was asked does not."""
    asked = _asked(play, 600)
    play.payer.tell(asked)
    play.payee.one(asked["CxlId"], is_a("camt.056"), "it goes to the payee's node")
    play.payee.tell(recall_answer(asked, "PECR", RtrdInstdAmt=601, RtrId=new_id()))
    return_id = new_id()
    heard = _stands(play, asked, "PECR", RtrdInstdAmt=400, RtrId=return_id)
    told = (value_of(heard, "RtrdInstdAmt"), value_of(heard, "RtrId"))
    require(told == (400, return_id), "the amount and the return", heard)


def _refused(play: SwitchPlay, asked: Message, say: str, by: Moves) -> None:
    for number in (1, 2):
        by.tell(asked)
        came = by.wait(asked["CxlId"], is_a("camt.029"), say, count=number)
        require(came[-1].message["Conf"] == "RJCR", say, came[-1].message)
        require(value_of(came[-1].message, "CxlStsRsnCd"), "with its reason", came[-1].message)
    require(not play.payee.count(asked["CxlId"], is_a("camt.056")), "it is not passed on")


@case("SF-REFUSED", S, RECALL, "it refuses by name (`RJCR`) otherwise, durably.")
def _(play: SwitchPlay) -> None:
    """A recall of no payment, of more than was paid, of another currency or not between its agents is answered RJCR."""
    _refused(play, _asked(play, OrgnlTxId=new_id()), "there is no such payment", play.payer)
    _refused(play, _asked(play, 1_001), "more than was paid", play.payer)
    _refused(play, _asked(play, Ccy="USD"), "another currency", play.payer)
    _refused(play, _asked(play, CdtrAgt=play.bystander.node), "another agent was paid", play.payer)
    require(not play.bystander.count("camt.056", is_a("camt.056", Assgnr=play.payer.node)), "a bystander hears nothing")


@case("SF-NAME", S, RECALL, "It drops what is sent in somebody else's name.")
def _(play: SwitchPlay) -> None:
    """Nobody asks back in another's name, nor what was paid by others; and only the payee's node answers."""
    asked = _asked(play)
    play.bystander.tell(asked)
    play.bystander.tell(own := asked | {"CxlId": new_id(), "Assgnr": play.bystander.node})
    for each in (asked, own):
        play.payee.never(each["CxlId"], is_a("camt.056"), "it is not passed on")
    play.payer.tell(asked)
    play.payee.one(asked["CxlId"], is_a("camt.056"), "who paid may ask")
    play.bystander.tell(recall_answer(asked, "RJCR", CxlStsRsnCd="LEGL"))
    play.payer.never(asked["CxlId"], is_a("camt.029"), "a bystander's answer is not passed on")
    _stands(play, asked, "PDCR")
