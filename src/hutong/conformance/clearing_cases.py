"""Cases for a switch: what it reserves, offers, decides and tells; arbitration when words come late or twice."""

from typing import Any

from hutong.conformance.case import Failed, Side, case, require
from hutong.conformance.messages import content_of, enquiry, rejected, share_bps, status, value_of
from hutong.conformance.play import QUIET_S, SwitchPlay, is_a, status_is
from hutong.conformance.station import ANSWER_LOST, CUT
from hutong.conformance.wire import MESSAGES_MAX, Message, new_id, now_ms

PAYMENT = "payment.md"
S = Side.SWITCH
Play = SwitchPlay
DECIDED = status_is("ACSC", "RJCT")


def accepts(play: Play, payment: Message) -> None:
    """The payee's node says ACSP."""
    play.payee.tell(status(payment, "ACSP"))


@case("SC-PAID", S, PAYMENT, "`ACSP` from the creditor agent while RESERVED: post; COMPLETED; `ACSC` to both.")
def _(play: Play) -> None:
    """A payment is offered unchanged, and when it is accepted both agents hear ACSC with the settlement date."""
    payment = play.paying(1_000) | {"RmtInf": "牛肉面", "DbtrNm": "*小明"}
    offered = play.offered(payment)
    require(content_of(offered) == content_of(payment), "it is passed on unchanged", payment, offered)
    require(not play.payer.count(payment["TxId"], DECIDED), "nothing is decided before it is accepted")
    accepts(play, payment)
    for agent in (play.payer, play.payee):
        heard = agent.one(payment["TxId"], DECIDED, "both agents hear the decision")
        require(heard["TxSts"] == "ACSC", "it is completed", heard)
        require(value_of(heard, "IntrBkSttlmDt"), "with the settlement date", heard)
        require(heard["OrgnlInstgAgt"] == play.payer.node, "OrgnlInstgAgt minted the id", heard)


@case("SC-REFUSED", S, PAYMENT, "void; REJECTED; `RJCT` to both, with the creditor agent's reason.")
def _(play: Play) -> None:
    """The creditor agent's no is the decision, with its reason; without one it is CREDITOR_AGENT_REJECTED."""
    for said, heard_as in (
        ({"StsRsnCd": "AM09", "StsRsnPrtry": "AMOUNT_DIFFERS"}, ("AM09", "AMOUNT_DIFFERS")),
        ({"StsRsnCd": "ZZ99", "StsRsnPrtry": "A_REASON_OF_ANOTHER_DAY"}, ("ZZ99", "A_REASON_OF_ANOTHER_DAY")),
        ({}, ("MS03", "CREDITOR_AGENT_REJECTED")),
    ):
        payment = play.paying(500)
        play.offered(payment)
        play.payee.tell(status(payment, "RJCT", **said))
        for agent in (play.payer, play.payee):
            heard = agent.one(payment["TxId"], DECIDED, "both agents hear the decision")
            reason = (value_of(heard, "StsRsnCd"), value_of(heard, "StsRsnPrtry"))
            require((heard["TxSts"], reason) == ("RJCT", heard_as), "rejected, with the reason", heard)


@case(
    "SC-AGAIN",
    S,
    PAYMENT,
    "pacs.008 again while RESERVED: offer it to the creditor agent again. After the decision: tell the decision.",
)
def _(play: Play) -> None:
    """A pacs.008 again is offered again while undecided; afterwards it is answered with the decision, and moves nothing."""
    payment = play.paying(700)
    play.offered(payment)
    play.payer.tell(payment)
    play.payee.wait(payment["TxId"], is_a("pacs.008"), "it is offered again", count=2)
    accepts(play, payment)
    play.decided(payment["TxId"], "ACSC")
    offers = play.payee.count(payment["TxId"], is_a("pacs.008"))
    play.payer.tell(payment)
    play.payer.wait(payment["TxId"], status_is("ACSC"), "the decision is told again", count=2)
    play.payee.never(payment["TxId"], is_a("pacs.008"), "it is not offered any more", beyond=offers, for_s=0.2)


@case(
    "SC-OTHER-CONTENT",
    S,
    PAYMENT,
    "the sender gets a pacs.002 with how the first one stands and `SAME_ID_OTHER_CONTENT`.",
)
def _(play: Play) -> None:
    """Other content under a used id changes nothing: the first stands, before the decision and after it."""
    payment = play.paying(300)
    play.offered(payment)
    other = play.paying(9_999, TxId=payment["TxId"])
    play.payer.tell(other)
    conflict = is_a("pacs.002", StsRsnPrtry="SAME_ID_OTHER_CONTENT")
    heard = play.payer.one(payment["TxId"], conflict, "the sender is told SAME_ID_OTHER_CONTENT")
    require((heard["TxSts"], heard["StsRsnCd"]) == ("PDNG", "DUPL"), "and how the first stands", heard)
    accepts(play, payment)
    play.decided(payment["TxId"], "ACSC")
    play.payer.tell(other)
    heard = play.payer.wait(payment["TxId"], conflict, "told again", count=2)[-1].message
    require(heard["TxSts"] == "ACSC", "the first is completed", heard)
    offered = play.payee.seat.heard(payment["TxId"], is_a("pacs.008"))
    require(all(each.message["InstdAmt"] == 300 for each in offered), "the other was never offered")


@case("SC-SUMS", S, "fees.md", "(`AMOUNTS_DO_NOT_ADD_UP`.) i and s follow from the schedule named in `FeeVrsn`")
def _(play: Play) -> None:
    """Parts that do not add up are rejected, and so are fees other than the schedule's."""
    sound = play.paying(10_000)
    play.rejects(play.paying(10_000, IntrBkSttlmAmt=sound["IntrBkSttlmAmt"] - 1), "AMOUNTS_DO_NOT_ADD_UP")
    play.rejects(play.paying(10_000, CdtrDscntAmt=5), "AMOUNTS_DO_NOT_ADD_UP")
    settled = sound["IntrBkSttlmAmt"] - 1
    more = play.paying(10_000, IntrBkSttlmAmt=settled, IntrchgAmt=sound["IntrchgAmt"] + 1)
    play.rejects(more, "FEES_DIFFER")
    play.rejects(play.paying(10_000, IntrBkSttlmAmt=settled, SwtchChrgAmt=sound["SwtchChrgAmt"] + 1), "FEES_DIFFER")


@case("SC-FEES", S, "fees.md", "i = round_half_up((A - E) * interchange_bps / 10000)")
def _(play: Play) -> None:
    """Fees rounded half up from the rates of the quote are cleared, of A less the discount, and for persons there are none."""
    for amount, discount in ((2_500, 0), (2_499, 0), (249, 0), (10_000, 2_500)):
        base = amount - discount
        interchange = share_bps(base, play.fees.interchange_bps)
        fee = share_bps(base, play.fees.switch_fee_bps)
        parts: dict[str, Any] = {
            "IntrBkSttlmAmt": base - interchange - fee,
            "IntrchgAmt": interchange,
            "SwtchChrgAmt": fee,
        }
        play.completes(play.paying(amount, CdtrDscntAmt=discount, **parts))
    free: dict[str, Any] = {"IntrBkSttlmAmt": 5_000, "IntrchgAmt": 0, "SwtchChrgAmt": 0}
    play.completes(play.paying(5_000, LclInstrm="PERSON", MrchntCtgyCd="0000", **free))


@case("SC-CHECKS", S, "reasons.md", "`StsRsnCd` has the code, `StsRsnPrtry` the name.")
def _(play: Play) -> None:
    """What cannot be cleared is rejected by its name: currency, participant, agents, deadline."""
    play.rejects(play.paying(100, Ccy="XTS"), "CURRENCY_NOT_CLEARED_HERE")
    play.rejects(play.paying(100, CdtrAgt="nobody-known"), "PARTICIPANT_UNKNOWN")
    play.rejects(play.paying(100, CdtrAgt=play.payer.node), "AGENTS_ARE_THE_SAME")
    play.rejects(play.paying(100, expires_in_ms=-1_000), "DEADLINE_PASSED")
    play.rejects(play.paying(100, expires_in_ms=630_000), "DEADLINE_TOO_FAR")
    play.completes(play.paying(100, expires_in_ms=590_000))


@case("SC-SENDER", S, "messages.md", "who pays; must be the sender")
def _(play: Play) -> None:
    """Nobody pays in another's name: such a pacs.008 is not offered and not decided."""
    payment = play.paying(100)
    play.bystander.tell(payment)
    play.payee.never(payment["TxId"], is_a("pacs.008"), "what another sends is not offered")
    require(not play.payer.count(payment["TxId"], DECIDED), "nor decided")
    play.completes(payment)


@case("SC-STRANGER", S, PAYMENT, "`ACSP` from the creditor agent while RESERVED")
def _(play: Play) -> None:
    """Nobody accepts or refuses what was not offered to them: not a bystander, not the payer's node itself."""
    payment = play.paying(400)
    play.offered(payment)
    for moves in (play.bystander, play.payer):
        moves.tell(status(payment, "ACSP"), status(payment, "ACSC"), rejected(payment))
    play.payer.never(payment["TxId"], DECIDED, "their word decides nothing")
    play.payee.tell(rejected(payment))
    play.decided(payment["TxId"], "RJCT")


@case(
    "SC-ORIGINATOR", S, "README.md", "It keys a payment by (its originator, its id): nobody can use up another's ids."
)
def _(play: Play) -> None:
    """Two nodes may mint the same id: each gets its own payment."""
    ours = play.paying(100)
    play.bystander.tell(play.paying(200, by=play.bystander, TxId=ours["TxId"]))
    play.payee.one(ours["TxId"], is_a("pacs.008", DbtrAgt=play.bystander.node), "the bystander's is offered")
    play.payer.tell(ours)
    play.payee.one(ours["TxId"], is_a("pacs.008", DbtrAgt=play.payer.node), "ours is offered, too")
    accepts(play, ours)
    heard = play.payer.one(ours["TxId"], DECIDED, "ours is decided")
    require(heard["TxSts"] == "ACSC", "ours is completed", heard)
    require(not play.bystander.count(ours["TxId"], DECIDED), "the bystander's is another payment")
    play.payee.tell(rejected(ours | {"DbtrAgt": play.bystander.node}))
    play.bystander.one(ours["TxId"], status_is("RJCT"), "and is decided by itself")


@case("SC-FUTURE", S, "README.md", "whose id is from more than ten minutes ahead of its clock.")
def _(play: Play) -> None:
    """An id from more than ten minutes ahead is dropped without a word; one from nine minutes ahead is taken."""
    far = play.paying(100, TxId=new_id(ahead_ms=700_000))
    play.payer.tell(far, enquiry(far))
    play.completes(play.paying(100, TxId=new_id(ahead_ms=540_000)))
    play.payer.never(far["TxId"], is_a("pacs.002"), "it is dropped")
    require(not play.payee.count(far["TxId"], is_a("pacs.008")), "and not offered")


@case(
    "SA-DEADLINE", S, PAYMENT, "`XpryDtTm` passed while RESERVED: void; REJECTED; `RJCT` (`DEADLINE_PASSED`) to both."
)
def _(play: Play) -> None:
    """When the creditor agent is silent the deadline decides; its ACSP that comes late is answered with the decision."""
    payment = play.paying(600, expires_in_ms=1_500)
    play.offered(payment)
    for agent in (play.payer, play.payee):
        heard = agent.one(payment["TxId"], DECIDED, "both agents hear that the deadline has passed")
        require(
            (heard["TxSts"], heard["StsRsnPrtry"]) == ("RJCT", "DEADLINE_PASSED"), "rejected by the deadline", heard
        )
    require(now_ms() >= payment["XpryDtTm"], "not before the deadline")
    accepts(play, payment)
    heard = play.payee.wait(payment["TxId"], DECIDED, "a late ACSP is answered with the decision", count=2)[-1].message
    require(heard["TxSts"] == "RJCT", "it stays rejected", heard)
    play.payer.tell(payment)
    heard = play.payer.wait(payment["TxId"], DECIDED, "so is a late pacs.008", count=2)[-1].message
    require(heard["TxSts"] == "RJCT", "it stays rejected", heard)


@case(
    "SA-FIRST-WORD",
    S,
    PAYMENT,
    "A payment is decided by **the first durable post or void of the switch's reservation**.",
)
def _(play: Play) -> None:
    """The first word counts: RJCT behind ACSP changes nothing, nor ACSP behind RJCT, in one envelope or two."""
    for first, second, outcome in (("ACSP", "RJCT", "ACSC"), ("RJCT", "ACSP", "RJCT")):
        together = play.paying(100)
        play.offered(together)
        play.payee.tell(status(together, first), status(together, second))
        play.decided(together["TxId"], outcome)
        apart = play.paying(100)
        play.offered(apart)
        play.payee.tell(status(apart, first))
        play.decided(apart["TxId"], outcome)
        play.payee.tell(status(apart, second))
        heard = play.payee.wait(apart["TxId"], DECIDED, "it is answered with the decision", count=2)
        require({each.message["TxSts"] for each in heard} == {outcome}, "the first word counts", heard[-1].message)


@case(
    "SA-ANSWER-LOST",
    S,
    PAYMENT,
    "Any message of the creditor agent about a decided payment is answered with the decision.",
)
def _(play: Play) -> None:
    """A creditor agent that did not hear the decision hears it when it says ACSP again, or asks."""
    payment = play.paying(100)
    play.offered(payment)
    accepts(play, payment)
    play.decided(payment["TxId"], "ACSC")
    for count, message in ((2, status(payment, "ACSP")), (3, enquiry(payment)), (4, rejected(payment))):
        play.payee.tell(message)
        heard = play.payee.wait(payment["TxId"], DECIDED, "the decision is told again", count=count)[-1].message
        require(heard["TxSts"] == "ACSC", "the same decision", heard)


@case(
    "SA-ENQUIRY",
    S,
    PAYMENT,
    "pacs.028 for a known payment: the decision, or `PDNG` (and the payment is offered to the creditor agent again).",
)
def _(play: Play) -> None:
    """An enquiry about what is undecided is answered PDNG, and the payment is offered again; then with the decision."""
    payment = play.paying(100)
    play.offered(payment)
    play.payer.tell(enquiry(payment))
    play.payer.one(payment["TxId"], status_is("PDNG"), "it is pending")
    play.payee.wait(payment["TxId"], is_a("pacs.008"), "it is offered again", count=2)
    play.payee.tell(enquiry(payment))
    play.payee.one(payment["TxId"], status_is("PDNG"), "the creditor agent is told, too")
    accepts(play, payment)
    play.decided(payment["TxId"], "ACSC")
    play.payer.tell(enquiry(payment))
    play.payer.wait(payment["TxId"], status_is("ACSC"), "then the decision", count=2)


@case(
    "SA-TOMBSTONE",
    S,
    PAYMENT,
    "*first* a durable REJECTED, a **tombstone**, then `RJCT` (`NEVER_SEEN`). A pacs.008 that comes after it is refused.",
)
def _(play: Play) -> None:
    """An enquiry about what was never seen rejects it for ever, also for the pacs.008 that comes late."""
    payment = play.paying(100)
    play.payer.tell(enquiry(payment))
    heard = play.payer.one(payment["TxId"], DECIDED, "what was never seen is rejected")
    require((heard["TxSts"], heard["StsRsnPrtry"]) == ("RJCT", "NEVER_SEEN"), "as NEVER_SEEN", heard)
    play.payer.tell(payment)
    heard = play.payer.wait(payment["TxId"], DECIDED, "the pacs.008 that comes late is refused", count=2)[-1].message
    require(heard["TxSts"] == "RJCT", "it is refused", heard)
    require(not play.payee.count(payment["TxId"], is_a("pacs.008")), "and never offered")


@case("SA-NOT-ITS-OWN", S, PAYMENT, "pacs.028 from the originator for a payment **never seen**")
def _(play: Play) -> None:
    """An enquiry by somebody else buries nothing, and tells a bystander nothing."""
    payment = play.paying(100)
    for moves in (play.bystander, play.payee):
        moves.tell(enquiry(payment))
    play.bystander.never(payment["TxId"], is_a("pacs.002"), "a bystander is told nothing", for_s=0.3)
    play.offered(payment)
    play.bystander.tell(enquiry(payment))
    accepts(play, payment)
    play.decided(payment["TxId"], "ACSC")
    play.bystander.never(payment["TxId"], is_a("pacs.002"), "a bystander is told nothing", for_s=QUIET_S)


@case("SA-REPEATS", S, PAYMENT, "Every message may come twice, late, or never, and in any order.")
def _(play: Play) -> None:
    """Whatever comes twice, in one envelope or several, a payment is offered, decided once, and told alike."""
    payment = play.paying(250)
    play.payer.tell(payment, payment, enquiry(payment), payment)
    play.payee.one(payment["TxId"], is_a("pacs.008"), "it is offered")
    for _ in range(3):
        play.payee.tell(status(payment, "ACSP"), status(payment, "ACSP"))
    play.decided(payment["TxId"], "ACSC")
    play.payer.tell(payment, enquiry(payment), payment)
    play.payer.wait(payment["TxId"], status_is("ACSC"), "the decision is told again", count=3)
    for moves in (play.payer, play.payee):
        heard = {each.message["TxSts"] for each in moves.seat.heard(payment["TxId"], DECIDED)}
        require(heard == {"ACSC"}, "everybody hears the same, always", heard)


@case("SA-UNHEARD", S, PAYMENT, "a decision comes again with every question", alone=True)
def _(play: Play) -> None:
    """If the delivery of offer and decision is cut, they come again: by themselves, or when asked for."""
    for does in (CUT, ANSWER_LOST):
        payment = play.paying(150)
        with play.payee.seat.spoiling(is_a("pacs.008", TxId=payment["TxId"]), does):
            play.payer.tell(payment)
            play.payee.wait(payment["TxId"], is_a("pacs.008"), "the offer comes again", count=2, taken=False)
        completed = is_a("pacs.002", TxSts="ACSC", OrgnlTxId=payment["TxId"])
        with play.payer.seat.spoiling(completed, does):
            accepts(play, payment)
            play.payer.wait(payment["TxId"], completed, "the decision comes again", count=2, taken=False)


@case("SC-BATCH", S, "README.md", "reserve the position")
def _(play: Play) -> None:
    """500 payments in one envelope are offered, accepted in one envelope, and all completed."""
    payments = [play.paying(1) for _ in range(MESSAGES_MAX)]
    play.payer.tell(*payments)
    for payment in payments:
        offered = play.payee.seat.wait(payment["TxId"], is_a("pacs.008"), count=1, within_s=15)
        require(offered, "each of 500 is offered", payment)
    play.payee.tell(*(status(payment, "ACSP") for payment in payments))
    for payment in payments:
        decided = play.payer.seat.wait(payment["TxId"], status_is("ACSC"), count=1, within_s=15)
        require(decided, "each of 500 is completed", payment)


@case(
    "SA-STORM",
    S,
    PAYMENT,
    "an enquiry storm has taken a national network down before, and payments go first",
    alone=True,
)
def _(play: Play) -> None:
    """In a storm of enquiries most are dropped, payments are still decided at once, and later enquiries are answered."""
    known = play.paying(100)
    play.completes(known)
    storm = [enquiry(known)] * MESSAGES_MAX
    for _ in range(8):
        play.payer.send(play.payer.seat.seal(storm), "500 enquiries")
    play.completes(play.paying(100))
    play.payer.seat.wait(known["TxId"], status_is("ACSC"), count=4_001, within_s=1.0)
    answered = play.payer.count(known["TxId"], status_is("ACSC")) - 1
    require(
        500 <= answered <= 3_500, "of 4,000 enquiries at once, some 1,000 are answered and the rest dropped", answered
    )
    for _ in range(20):
        before = play.payer.count(known["TxId"], status_is("ACSC"))
        play.payer.tell(enquiry(known))
        if len(play.payer.seat.wait(known["TxId"], status_is("ACSC"), count=before + 1, within_s=1)) > before:
            return
    raise Failed("asking again later is answered")
