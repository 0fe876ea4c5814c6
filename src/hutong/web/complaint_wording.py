"""What pages of all three sides say of complaints: how one stands, and each turn of its history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hutong.institution.complaints.grievance import GrievanceState
from hutong.institution.complaints.picture import PictureState
from hutong.institution.complaints.turn import TEXT_LENGTH_MAX, Turn, Words
from hutong.institution.complaints.views import ACT_PREFIX
from hutong.kernel.ids import parse_id
from hutong.scheme.complaint import ComplaintAct, ComplaintKind, ComplaintParty
from hutong.web.form import Form
from hutong.web.language import Words as Language
from hutong.web.language import phrase

KINDS = {
    ComplaintKind.REFUND.value: phrase("I want money back"),
    ComplaintKind.SERVICE.value: phrase("What I paid for was not given"),
    ComplaintKind.OTHER.value: phrase("Something else"),
}
STATES = {
    GrievanceState.SENDING.value: (phrase("On its way to the merchant"), "warn"),
    GrievanceState.PENDING.value: (phrase("To be answered"), "warn"),
    GrievanceState.PROCESSING.value: (phrase("Being dealt with"), ""),
    GrievanceState.PROCESSED.value: (phrase("Complaint closed"), "good"),
    GrievanceState.REFUSED.value: (phrase("Not taken"), "bad"),
    GrievanceState.NOT_DELIVERED.value: (phrase("Could not be delivered"), "bad"),
}
_WHO = {
    ComplaintParty.PAYER.value: phrase("The payer"),
    ComplaintParty.PAYEE.value: phrase("The merchant"),
    ComplaintParty.AGENT.value: phrase("The merchant's institution"),
}
_DONE = {
    ComplaintAct.OPEN.value: phrase("%(who)s complained"),
    ComplaintAct.SAY.value: phrase("%(who)s wrote"),
    ComplaintAct.CONTINUE.value: phrase("%(who)s continued the complaint"),
    ComplaintAct.WITHDRAW.value: phrase("%(who)s withdrew the complaint"),
    ComplaintAct.CONFIRM.value: phrase("%(who)s confirmed that it is solved"),
    ComplaintAct.APPROVE.value: phrase("%(who)s agreed to a refund"),
    ComplaintAct.REFUSE.value: phrase("%(who)s refused a refund"),
    ComplaintAct.COMPLETE.value: phrase("%(who)s completed it"),
}
_REFUNDED = phrase("%(amount)s was refunded")


@dataclass(frozen=True, slots=True)
class Told:
    """A turn as a page shows it."""

    text: str
    words: str
    pictures: list[tuple[str, str]]  # Each with how it stands.
    by: str
    author: str
    at_ns: int


def told(turns: Sequence[Turn], currency: str, _: Language, pictures: Mapping[str, str]) -> list[Told]:
    """A history, newest last; `pictures` is how its pictures stand."""
    return [
        Told(
            _said(turn, currency, _),
            turn.text,
            [(digest, pictures.get(digest, PictureState.GONE.value)) for digest in turn.digests],
            turn.by,
            turn.author,
            turn.at_ns,
        )
        for turn in turns
    ]


def _said(turn: Turn, currency: str, _: Language) -> str:
    if turn.act == ComplaintAct.REFUND.value:
        return _(_REFUNDED, amount=_.money(turn.amount, currency))
    return _(_DONE[turn.act], who=_(_WHO[turn.by]))


def words_of(form: Form, pictures: tuple[str, ...] = ()) -> Words:
    """What somebody typed, under the id that the form had. Refuses as a form does."""
    act_id = parse_id(ACT_PREFIX, form.needed("act_id", length_max=40))
    return Words(act_id=act_id, text=typed(form), pictures=pictures)


def typed(form: Form) -> str:
    """Lines as we keep them: browsers end them otherwise."""
    return form.text("text", length_max=2 * TEXT_LENGTH_MAX).replace("\r\n", "\n")
