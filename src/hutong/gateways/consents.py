"""What merchants ask of people, in one list for the wallet's pages: to take money without asking each time, or to hold some."""

import msgspec

from hutong.gateways.agreements.agreement import AGREEMENT_PREFIX, Agreement, AgreementState
from hutong.gateways.agreements.agreement_service import PATH, AgreementService
from hutong.gateways.agreements.crossing_service import CrossingService, OfferElsewhere
from hutong.gateways.preauth.preauth import PREAUTH_PREFIX, Preauth, PreauthState
from hutong.gateways.preauth.preauth_service import PreauthService
from hutong.institution.holds.hold import HOLDING_MONEY, Hold, HoldState
from hutong.institution.holds.hold import PREFIX as HOLD_PREFIX
from hutong.institution.holds.hold_service import HoldService
from hutong.kernel.clock import Clock
from hutong.kernel.ids import id_text, parse_id


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """One of them; `web.wallet.consents` says what each field is to the page."""

    id: str
    payment_id: int
    creditor: str
    merchant: str
    about: str
    amount: int
    is_daily: bool
    is_open: bool
    is_in_force: bool
    can_end: bool
    back: str
    at_ns: int
    institution: str = ""
    taken: int = 0
    left: int = 0
    reason: str = ""
    by_code: bool = False


class Consents:
    """An agreement or an authorisation, here or elsewhere, by its id as text. Everything may raise `Cold` before it appends anything."""

    def __init__(
        self,
        clock: Clock,
        agreements: AgreementService,
        crossing: CrossingService,
        preauths: PreauthService,
        holds: HoldService,
    ) -> None:
        self._clock = clock
        self._holds = holds
        self._agreements = agreements
        self._crossing = crossing
        self._preauths = preauths

    def of(self, user_id: int) -> list[Consent]:
        """What a person is asked, or has agreed to; the newest first."""
        found = [self._agreement(each) for each in self._agreements.signed_by(user_id)]
        found += [self._preauth(each) for each in self._preauths.of_person(user_id)]
        found += [self.hold(each) for each in self._holds.of_person(user_id)]
        return sorted(found, key=lambda each: each.at_ns, reverse=True)

    def one(self, user_id: int, id_: str) -> Consent:
        """What a link leads to. Refuses what is unknown, and what somebody else is asked by a merchant elsewhere."""
        if id_.startswith(HOLD_PREFIX + "_"):
            return self.hold(self._holds.hold(parse_id(HOLD_PREFIX, id_), user_id))
        if id_.startswith(PREAUTH_PREFIX + "_"):
            return self._preauth(self._preauths.offered(parse_id(PREAUTH_PREFIX, id_)))
        return self._agreement(self._agreements.offered(parse_id(AGREEMENT_PREFIX, id_)))

    def agree(self, user_id: int, id_: str, pin_token: str) -> None:
        """Refuses as `AgreementService.sign`, `PreauthService.agree` or `HoldService.agree`."""
        if id_.startswith(HOLD_PREFIX + "_"):
            self._holds.agree(user_id, parse_id(HOLD_PREFIX, id_), pin_token)
        elif id_.startswith(PREAUTH_PREFIX + "_"):
            self._preauths.agree(user_id, parse_id(PREAUTH_PREFIX, id_), pin_token)
        else:
            self._agreements.sign(user_id, parse_id(AGREEMENT_PREFIX, id_), pin_token)

    def end(self, user_id: int, id_: str) -> None:
        """End an agreement, or decline to let something be held. Refuses as `leave`, or `decline`."""
        if id_.startswith(HOLD_PREFIX + "_"):
            self._holds.decline(user_id, parse_id(HOLD_PREFIX, id_))
        elif id_.startswith(PREAUTH_PREFIX + "_"):
            self._preauths.decline(user_id, parse_id(PREAUTH_PREFIX, id_))
        else:
            self._agreements.leave(user_id, parse_id(AGREEMENT_PREFIX, id_))

    async def elsewhere(self, link: str) -> Consent:
        """What a link of another institution's asks for. Refuses as `CrossingService.look`."""
        return _elsewhere(await self._crossing.look(link), link, is_open=True)

    async def agree_elsewhere(self, user_id: int, link: str, pin_token: str) -> Consent:
        """Refuses as `CrossingService.sign`."""
        return _elsewhere(await self._crossing.sign(user_id, link, pin_token), link, is_open=False)

    def hold(self, hold: Hold) -> Consent:
        """What a merchant elsewhere asks to hold, also of who only looks at its link yet."""
        state = hold.state_at(self._clock.now_ns())
        return Consent(
            id=hold.text,
            payment_id=hold.id,
            creditor=hold.text,
            merchant=hold.creditor_name,
            about=hold.title,
            amount=hold.amount,
            is_daily=False,
            is_open=state is HoldState.WAITING,
            is_in_force=state in (HoldState.HOLDING, *HOLDING_MONEY),
            can_end=state is HoldState.WAITING,
            back="",
            at_ns=hold.created_ns,
            institution=hold.creditor_agent,
            taken=hold.taken,
            left=hold.left,
            reason=hold.reason,
            by_code=hold.is_by_code,
        )

    def _agreement(self, agreement: Agreement) -> Consent:
        state = agreement.state_at(self._clock.now_ns())
        return Consent(
            id=agreement.creditor,
            payment_id=agreement.id,
            creditor=agreement.creditor,
            merchant=self._agreements.merchant_name(agreement),
            about=agreement.about,
            amount=agreement.day_max,
            is_daily=True,
            is_open=state is AgreementState.OFFERED,
            is_in_force=state is AgreementState.SIGNED,
            can_end=state is AgreementState.SIGNED,
            back=PATH + agreement.creditor if agreement.told.get("return_url") else "",
            at_ns=agreement.created_ns,
        )

    def _preauth(self, preauth: Preauth) -> Consent:
        state = preauth.state_at(self._clock.now_ns())
        return Consent(
            id=id_text(PREAUTH_PREFIX, preauth.id),
            payment_id=preauth.id,
            creditor=preauth.creditor,
            merchant=self._preauths.merchant_name(preauth),
            about=preauth.title,
            amount=preauth.amount,
            is_daily=False,
            is_open=state is PreauthState.OFFERED,
            is_in_force=state in (PreauthState.HOLDING, PreauthState.HELD),
            can_end=state is PreauthState.OFFERED and bool(preauth.user_id),
            back="",
            at_ns=preauth.created_ns,
            by_code=bool(preauth.user_id),  # By the link nobody is asked before they agree.
        )


def _elsewhere(offer: OfferElsewhere, link: str, *, is_open: bool) -> Consent:
    return Consent(
        id=offer.creditor,
        payment_id=offer.agreement_id,
        creditor=offer.creditor,
        merchant=offer.merchant_name,
        about=offer.about,
        amount=offer.day_max,
        is_daily=True,
        is_open=is_open,
        is_in_force=not is_open,
        can_end=False,
        back=link,
        at_ns=0,
        institution=offer.institution,
    )
