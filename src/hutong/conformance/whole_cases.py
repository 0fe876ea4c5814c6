"""What must be so of everything that came during a run, whatever was being tested. These cases run last."""

from hutong.conformance.case import Side, case, require
from hutong.conformance.play import Moves, ParticipantPlay, SwitchPlay


def _check(*seats: Moves) -> None:
    for moves in seats:
        found = moves.seat.violations
        moves.note(f"{moves.node}: {moves.seat.envelopes} envelopes, {sum(moves.seat.sizes)} messages")
        require(not found, "everything that comes is as the pages say", *sorted(set(found))[:5])


_ONE = "To each peer a node keeps one connection (HTTP/1.1, kept alive) and one envelope under way."


@case("PX-ALL", Side.PARTICIPANT, "transport.md", _ONE)
def _(play: ParticipantPlay) -> None:
    """Every envelope it sent was well signed, fresh, one at a time, and every message as its table says."""
    _check(play.switch)


@case("SX-ALL", Side.SWITCH, "transport.md", _ONE)
def _(play: SwitchPlay) -> None:
    """Every envelope it sent was well signed, fresh, one at a time, and every message as its table says."""
    _check(play.payer, play.payee, play.bystander, play.poor)
