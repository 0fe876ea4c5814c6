"""Cases for a switch: windows, which every completed payment is in exactly one of, and their clearing files."""

import csv
from typing import Any

from hutong.conformance.case import Side, Skipped, case, require
from hutong.conformance.hook import HookRefused
from hutong.conformance.messages import enquiry, payment_return, status, value_of
from hutong.conformance.play import Moves, SwitchPlay, status_is
from hutong.conformance.station import Answer, request
from hutong.conformance.wire import Key, Message, digest, seal

SETTLEMENT = "settlement.md"
S = Side.SWITCH
COLUMNS = (
    "window,kind,originator,id,original_id,debtor_agent,creditor_agent,currency,amount,settlement,interchange,"
    "switch_fee,direction,cleared,decided_at_ms"
)
Play = SwitchPlay


def _completed(play: Play, amount: int) -> tuple[Message, str]:
    """A completed payment, and the window its ACSC named."""
    payment = play.paying(amount)
    play.completes(payment)
    heard = play.payer.one(payment["TxId"], status_is("ACSC"), "the payer's node hears ACSC")
    return payment, str(value_of(heard, "SttlmCycl"))


def _file(moves: Moves, window: str, *, key: Key | None = None) -> Answer:
    """Ask for a clearing file, signed as an envelope with an empty body."""
    seat = moves.seat
    path = f"/scheme/v1/windows/{window.replace('/', '.')}/clearing.csv"
    signed = seal(seat.node, seat.peer.node, key or seat.key, b"", path=path, method="GET")
    answer = request("GET", seat.peer.url, path, b"", signed.headers)
    moves.note(f"GET {path} -> {answer}")
    return answer


@case(
    "SS-WINDOW",
    S,
    SETTLEMENT,
    "The pacs.002 `ACSC` names it (`SttlmCycl`, with `IntrBkSttlmDt` for the date), to both agents alike, and whenever it is told again.",
)
def _(play: Play) -> None:
    """The ACSC names the settlement window, to both agents alike, and again when it is asked for."""
    payment, window = _completed(play, 500)
    require(window, "ACSC names a window")
    play.payer.tell(enquiry(payment))
    play.payer.wait(payment["TxId"], status_is("ACSC"), "the decision is told again", count=2)
    for moves in (play.payer, play.payee):
        for heard in moves.seat.heard(payment["TxId"], status_is("ACSC")):
            seen = (value_of(heard.message, "SttlmCycl"), value_of(heard.message, "IntrBkSttlmDt"))
            require(seen == (window, window.partition("/")[0]), "always the same window, with its date", seen)


@case("SS-OPEN", S, SETTLEMENT, "`WINDOW_NOT_CLOSED`: ask again later; `WINDOW_UNKNOWN`: there was none of this name.")
def _(play: Play) -> None:
    """There is no clearing file of a window that is open, or that never was, nor for who does not sign."""
    _, window = _completed(play, 100)
    for name, reason in ((window, "WINDOW_NOT_CLOSED"), ("1999-01-01/1", "WINDOW_UNKNOWN")):
        answer = _file(play.payer, name)
        require(answer.reason == reason, f"the file of {name} is refused as {reason}", answer)
    key = play.payer.seat.key
    answer = _file(play.payer, window, key=Key(key.key_id, digest("forger")))
    require((answer.status, answer.reason) == (401, "SIGNATURE_WRONG"), "a forged question is refused", answer)


def _lines(answer: Answer) -> list[dict[str, Any]]:
    require(answer.status == 200, "the file of a closed window is served", answer)
    text = answer.body.decode()
    require(text.partition("\n")[0] == COLUMNS, "the first line names the columns", text[:200])
    require("\r" not in text and text.endswith("\n"), "lines end with a line feed", text[-80:])
    return list(csv.DictReader(text.splitlines()))


@case(
    "SS-FILE",
    S,
    SETTLEMENT,
    "One line for each completed payment and return in which the node is debtor or creditor agent, in the order in which they were decided",
    needs=("close",),
    alone=True,
)
def _(play: Play) -> None:
    """A closed window's file has the node's payments and returns, once each and in order; later ones are in another."""
    payment, window = _completed(play, 1_000)
    given = payment_return(payment, 400)
    play.offered(given, by=play.payee, to=play.payer)
    play.payer.tell(status(given, "ACSP"))
    play.decided(given["RtrId"], "ACSC")
    try:
        play.hook.ask("close", window=window)
    except HookRefused as refused:
        raise Skipped(f"the window can't be closed now: {refused}") from None
    _, later = _completed(play, 100)
    require(later != window, "what is decided later is in another window", later)
    debit = payment["IntrBkSttlmAmt"] + payment["SwtchChrgAmt"]
    ours = {payment["TxId"], given["RtrId"]}
    for moves, cleared in ((play.payer, [-debit, 400]), (play.payee, [payment["IntrBkSttlmAmt"], -400])):
        lines = [line for line in _lines(_file(moves, window)) if line["id"] in ours]
        require([line["id"] for line in lines] == [payment["TxId"], given["RtrId"]], "each once, in order", lines)
        seen = [int(line["cleared"]) * (1 if line["direction"] == "CREDIT" else -1) for line in lines]
        require(seen == cleared, "by how much the position moved", seen, cleared)
        first, second = lines
        require((first["kind"], second["kind"]) == ("PAYMENT", "RETURN"), "what each is", lines)
        require(second["original_id"] == payment["TxId"], "what the return gives back", second)
        require((first["amount"], second["amount"]) == ("1000", "400"), "A, and R", lines)
    others = [line for line in _lines(_file(play.bystander, window)) if line["id"] in ours]
    require(not others, "a bystander gets nothing of it", others)
