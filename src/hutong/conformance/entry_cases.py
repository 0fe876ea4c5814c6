"""Cases for settlement accounts: entries are told by the switch, and acknowledged by the node."""

from hutong.conformance.case import Side, case, require
from hutong.conformance.messages import content_of, value_of
from hutong.conformance.play import Moves, ParticipantPlay, SwitchPlay, is_a
from hutong.conformance.wire import Message, now_ms

SETTLEMENT = "settlement.md"
P, S = Side.PARTICIPANT, Side.SWITCH
_STEP = 1_000


def _entry(number: int) -> Message:
    """
    One of a row of payments into the account, each of the same amount.

    Only its number tells an entry from the others, so whoever was tested before goes on where it was.
    """
    return {
        "MsgTp": "camt.053",
        "StmtId": f"{number:032x}",
        "ElctrncSeqNb": number,
        "BkTxCd": "TOPUP",
        "Ccy": "CNY",
        "Amt": _STEP,
        "CdtInd": True,
        "OpngBookdBal": (number - 1) * _STEP,
        "ClsgBookdBal": number * _STEP,
        "BookgDtTm": now_ms(),
    }


def _told(play: ParticipantPlay, number: int) -> int:
    """Tell it an entry: the first number that it then does not know."""
    known = play.switch.count("camt.060", is_a("camt.060"))
    play.switch.tell(_entry(number))
    say = "a camt.053 is answered by a camt.060"
    answer = play.switch.wait("camt.060", is_a("camt.060"), say, count=known + 1)[known].message
    require(answer["Ccy"] == "CNY", "it is about this account", answer)
    return int(answer["ElctrncSeqNb"])


@case(
    "PS-ENTRY",
    P,
    SETTLEMENT,
    "Answer each camt.053 with a camt.060 that names the first number you do not know",
    alone=True,
)
def _(play: ParticipantPlay) -> None:
    """Entries are acknowledged in their order, and one that comes again is acknowledged again and counts once."""
    first = _told(play, 1)
    require(first >= 2, "the first entry is known then", first)
    require(_told(play, 1) == first, "what is known is acknowledged again, and counts once")
    for number in (first, first + 1):
        require(_told(play, number) == number + 1, "the next is taken")
    require(_told(play, first) == first + 2, "an older one changes nothing")


@case("PS-EARLY", P, SETTLEMENT, "One that comes too early: answer with the number you miss", alone=True)
def _(play: ParticipantPlay) -> None:
    """An entry that comes too early is answered with the number that is missing, and taken in its turn."""
    missing = _told(play, 1)
    require(_told(play, missing + 1) == missing, "it names the one it misses")
    require(_told(play, missing) == missing + 1, "the missing one is taken")
    require(_told(play, missing + 1) == missing + 2, "and then the one that came early")


def _paid_in(play: SwitchPlay, by: Moves, amount: int) -> Message:
    """Money comes for a node; the entry that it hears of."""
    play.hook.ask("reserve", node=by.node, amount=amount)
    entry = by.one("camt.053", is_a("camt.053", Amt=amount), "it is told the entry")
    require((entry["BkTxCd"], entry["CdtInd"]) == ("TOPUP", True), "money was paid in", entry)
    require(entry["ClsgBookdBal"] == entry["OpngBookdBal"] + amount, "the balance before and behind", entry)
    return entry


def _knows(by: Moves, number: int) -> None:
    """It knows every entry before this one."""
    by.tell({"MsgTp": "camt.060", "Ccy": "CNY", "ElctrncSeqNb": number})


@case("SS-ENTRY", S, SETTLEMENT, "**Entries are numbered without a gap.**", needs=("reserve",), alone=True)
def _(play: SwitchPlay) -> None:
    """An entry is told until it is acknowledged, and whenever it is asked for; numbers and balances go on without a gap."""
    by, amount = play.bystander, 1_000 + now_ms() % 1_000_000
    first = _paid_in(play, by, amount)
    number, statement = first["ElctrncSeqNb"], first["StmtId"]
    by.wait(statement, is_a("camt.053"), "it is told again while nobody says to know it", count=2)
    _knows(by, number + 1)
    known = by.count(statement, is_a("camt.053"))
    _knows(by, number)
    came = by.wait(statement, is_a("camt.053"), "it is told from where it is asked", count=known + 1)
    for each in came:
        require(content_of(each.message) == content_of(first), "always the same", first, each.message)
    second = _paid_in(play, by, amount + 1)
    require(second["ElctrncSeqNb"] == number + 1, "numbers go on", first, second)
    require(second["OpngBookdBal"] == first["ClsgBookdBal"], "and so do balances", first, second)
    require(not value_of(second, "SttlmCycl"), "it is of no window", second)
    _knows(by, number + 2)
