"""
Agreements across institutions: scanned with a wallet here and offered elsewhere, or the other way round.

A person's institution consults the agreement's link, shows who asks for what and how much a day, and on the person's yes
grants a mandate and consults the link again, with the mandate behind it: `docs/scheme/codes.md`. That second consult signs.
"""

import re

import msgspec

from hutong.gateways.agreements.agreement import AGREEMENT_PREFIX, Agreement
from hutong.gateways.agreements.agreement_service import PATH, AgreementService
from hutong.gateways.agreements.reasons import AgreementReason
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.debtor_service import debtor_reference
from hutong.institution.payments.mandate import MANDATE_PREFIX, Mandate, bank_of
from hutong.institution.payments.mandate_service import NAME_LENGTH_MAX
from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Reason, Refusal
from hutong.kernel.ids import parse_id
from hutong.kernel.money import Currency
from hutong.runtime.shelf import decided, warmed
from hutong.scheme.messages import CodeConsult, CodeResolve, ConsultStatus, id_hex

_LINK = re.compile(rf"(https?://[^/?#\s]{{1,200}}){PATH}({AGREEMENT_PREFIX}_[0-9A-Z]{{26}})")
# Behind the link, in the consult that signs: the mandate, and how the person's institution names who pays (`DbtrRef`).
_CONSENT = re.compile(
    rf"(?P<link>[^?]+)\?mandate=(?P<mandate>{MANDATE_PREFIX}[0-9a-z:-]+)&for=(?P<payer>[0-9A-Za-z-]{{16,35}})"
)
_TEXT_LENGTH_MAX = 140


class OfferElsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """What a link of another institution's asks for."""

    agreement_id: int
    creditor: str  # What the PIN token of a yes is bound to, with the id and `day_max`.
    institution: str  # The node that is granted the mandate.
    merchant_name: str
    about: str
    day_max: int
    expires_at_ms: int


class CrossingService:
    """It waits for the network: nothing here is hot."""

    def __init__(self, institution: InstitutionNode, agreements: AgreementService) -> None:
        self._node = institution.node
        self._journal = institution.node.journal
        self._people = institution.people
        self._mandates = institution.payments.mandates
        self._consults = institution.payments.consults
        self._switch = institution.payments.switch
        self._agreements = agreements
        self._own_links = f"{institution.plates.site.base}{PATH}"
        self._consults.answerers.append(self.consulted)

    # Offered here.

    def consulted(self, consult: CodeConsult) -> bool:
        """
        Answer a consult of an agreement of ours; False for every other code. May raise `Cold`.

        Refuses:  by telling the switch: without a mandate CODE_IS_AGREEMENT, with who asks, for what and how much a day, or why
                  it can't be signed; with one MANDATE_OF_ANOTHER, unless the institution that asks has issued it, and what
                  `AgreementService.sign_under` refuses.
        Repeats:  the same agreement.
        """
        if not consult.code.startswith(self._own_links):
            return False
        consent = _CONSENT.fullmatch(consult.code)
        link = consult.code if consent is None else consent["link"]
        agreement = None
        try:
            agreement = self._agreements.offered(parse_id(AGREEMENT_PREFIX, link.removeprefix(self._own_links)))
            self._agreements.merchant_name(agreement)  # May be cold: before anything is written.
            if consent is not None:
                if bank_of(consent["mandate"]) != consult.debtor_agent:
                    raise Refusal(PaymentReason.MANDATE_OF_ANOTHER)
                agreement = self._agreements.sign_under(agreement.id, consent["mandate"], consent["payer"])
            else:
                agreement.check_open(self._node.clock.now_ns())
                raise Refusal(AgreementReason.CODE_IS_AGREEMENT)
        except Refusal as refusal:
            self._answer(consult, agreement, refusal.reason)
        else:
            self._answer(consult, agreement, None)
        return True

    def _answer(self, consult: CodeConsult, agreement: Agreement | None, no: Reason | None) -> None:
        name = self._agreements.merchant_name(agreement) if agreement is not None else ""
        asks = agreement if no in (None, AgreementReason.CODE_IS_AGREEMENT) else None
        self._journal.tell(
            self._switch,
            CodeResolve(
                consult_id=consult.consult_id,
                debtor_agent=consult.debtor_agent,
                status=ConsultStatus.FOUND if no is None else ConsultStatus.REFUSED,
                reason="" if no is None else no.iso_code,
                reason_name="" if no is None else no.name,
                creditor_agent=self._node.node_id if no is None else None,
                creditor_name=name[:_TEXT_LENGTH_MAX],
                remittance=agreement.about[:_TEXT_LENGTH_MAX] if agreement is not None else "",
                request_id=id_hex(asks.id if asks is not None else 0),
                amount=asks.day_max if asks is not None else 0,
                currency=Currency.CNY.alpha,
                expires_at_ms=asks.expires_ns // NS_PER_MS if asks is not None else 0,
            ),
        )

    # Signed here.

    async def look(self, link: str) -> OfferElsewhere:
        """
        What a link elsewhere asks for.

        Refuses:  AGREEMENT_UNKNOWN for what is no such link; by the other institution AGREEMENT_SIGNED, AGREEMENT_ENDED,
                  AGREEMENT_LAPSED; CODE_NOT_RESOLVED; NETWORK_SILENT.
        """
        found = _LINK.fullmatch(link)
        if found is None:
            raise Refusal(AgreementReason.AGREEMENT_UNKNOWN)
        try:
            await self._consults.terms_from_network(link)
        except Refusal as refusal:
            told = refusal.facts
            if told.get("because") != AgreementReason.CODE_IS_AGREEMENT.name or "amount" not in told:
                raise _their(refusal) from None
            return OfferElsewhere(
                agreement_id=parse_id(AGREEMENT_PREFIX, found[2]),
                creditor=found[2],
                institution=str(told["institution"]),
                merchant_name=str(told.get("payee_name", "")),
                about=str(told.get("remark", "")),
                day_max=int(told["amount"]),
                expires_at_ms=int(told.get("expires_at_ms", 0)),
            )
        raise Refusal(AgreementReason.AGREEMENT_UNKNOWN)

    async def sign(self, user_id: int, link: str, pin_token: str) -> OfferElsewhere:
        """
        A person of ours says yes, with the PIN: a mandate to the other institution, which signs under it.

        Refuses:  what `look` refuses; the PIN token's refusals; USER_FROZEN, USER_CLOSED; MANDATES_TOO_MANY; MANDATE_REVOKED.
                  Behind a no of the other institution's the mandate is revoked; where nothing was heard it waits for another try.
        Repeats:  the agreement, under the same mandate.
        """
        found = _LINK.fullmatch(link)
        if found is None:
            raise Refusal(AgreementReason.AGREEMENT_UNKNOWN)
        known = await warmed(self._journal, lambda: self._mandates.granted(user_id, found[2]))
        if known is None:
            known = await self._grant(user_id, await self.look(link), pin_token)
        mandate, text = known
        mandate.check_usable(mandate.grantee)
        payer = debtor_reference(user_id, mandate.grantee)
        try:
            signed = await self._consults.terms_from_network(f"{link}?mandate={text}&for={payer}")
        except Refusal as refusal:
            no = _their(refusal)
            if isinstance(no.reason, AgreementReason):
                await decided(self._journal, lambda: self._mandates.revoke(user_id, mandate.id))
            raise no from None
        return OfferElsewhere(
            agreement_id=signed.request_id,
            creditor=found[2],
            institution=signed.creditor_agent,
            merchant_name=signed.payee_name,
            about=signed.remark,
            day_max=signed.amount,
            expires_at_ms=signed.expires_ns // NS_PER_MS,
        )

    async def _grant(self, user_id: int, offer: OfferElsewhere, pin_token: str) -> tuple[Mandate, str]:
        def grant() -> tuple[Mandate, str]:
            now_ns = self._node.clock.now_ns()
            self._people.user(user_id).may_pay(now_ns)
            self._people.check_pin_token(pin_token, user_id, offer.agreement_id, offer.day_max, offer.creditor, now_ns)
            name = offer.merchant_name[:NAME_LENGTH_MAX]
            return self._mandates.grant(user_id, offer.institution, offer.day_max, name, offer.creditor)

        return await decided(self._journal, grant)


def _their(refusal: Refusal) -> Refusal:
    """What the other institution said, where it is of agreements."""
    because = str(refusal.facts.get("because", ""))
    return Refusal(AgreementReason[because]) if because in AgreementReason.__members__ else refusal
