"""Merchants that apply, and the operator's yes or no."""

from hutong.institution.merchants.application import (
    Application,
    ApplicationForm,
    ApplicationState,
    applied,
)
from hutong.institution.merchants.merchant import Merchant
from hutong.institution.merchants.reasons import MerchantReason
from hutong.institution.merchants.repository import ApplicationRepository
from hutong.institution.merchants.service import MerchantService
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime

WAITING_MAX = 1000  # Anybody may apply: no stranger fills the books, nor the operator's desk.
WAITING_OF_A_PHONE_MAX = 3


class ApplicationService:
    """An application waits until an operator takes the merchant on, or says why not. Both are for good."""

    def __init__(self, node: NodeRuntime, merchants: MerchantService) -> None:
        self._clock = node.clock
        self._merchants = merchants
        self._all = ApplicationRepository(node)

    def apply(self, application_id: int, form: ApplicationForm) -> Application:
        """
        A merchant wants to be taken on. Anybody may say so: nothing is opened, and nobody is told yet.

        Refuses:  what `ApplicationForm.checked` refuses; APPLICATION_OTHERWISE, naming the field, for other content under
                  the same id; APPLICATIONS_TOO_MANY.
        Repeats:  the application as it is now.
        """
        form = form.checked("-")
        known = self._all.applications.get(application_id)
        if known is not None:
            _check_same(known, form)
            return known
        waiting = self.waiting()
        of_this_phone = [each for each in waiting if each.contact_phone == form.contact_phone]
        if len(waiting) >= WAITING_MAX or len(of_this_phone) >= WAITING_OF_A_PHONE_MAX:
            raise Refusal(MerchantReason.APPLICATIONS_TOO_MANY)
        application = applied(application_id, form, self._clock.now_ns())
        self._all.applications.put(application)
        return application

    def approve(self, application_id: int, fee_bps: int, reference: str, by: str) -> tuple[Application, Merchant]:
        """
        Take the merchant on, under `reference`, or under the application's own id if that is empty.

        Refuses:  APPLICATION_UNKNOWN, APPLICATION_DECIDED; what `MerchantService.onboard` refuses. The reference of a merchant
                  that is here already is refused even where all else is alike: two applications are two merchants.
        Repeats:  of what is approved: nothing changes.
        """
        application = self.application(application_id)
        if application.state == ApplicationState.APPROVED:
            return application, self._merchants.merchant(application.merchant_id)
        application.check_waiting()
        profile = application.form.profile(reference or application.own_reference)
        if self._merchants.has_reference(profile.reference):
            raise Refusal(MerchantReason.REFERENCE_REUSED, field="reference", reference=profile.reference)
        merchant = self._merchants.onboard(profile, fee_bps)
        approved = application.approved(merchant.id, by, self._clock.now_ns())
        self._all.applications.put(approved)
        return approved, merchant

    def decline(self, application_id: int, why: str, by: str) -> Application:
        """
        Don't take the merchant on; the applicant is shown why.

        Refuses:  APPLICATION_UNKNOWN, APPLICATION_DECIDED, and what `check_text` refuses.
        Repeats:  nothing changes.
        """
        application = self.application(application_id)
        if application.state == ApplicationState.DECLINED and application.why == why:
            return application
        declined = application.declined(why, by, self._clock.now_ns())
        self._all.applications.put(declined)
        return declined

    def application(self, application_id: int) -> Application:
        """Refuses APPLICATION_UNKNOWN."""
        application = self._all.applications.get(application_id)
        if application is None:
            raise Refusal(MerchantReason.APPLICATION_UNKNOWN)
        return application

    def waiting(self) -> list[Application]:
        """What nobody has decided yet, oldest first."""
        return self.in_state(ApplicationState.APPLIED)

    def in_state(self, state: ApplicationState) -> list[Application]:
        """All in a state, oldest first."""
        return sorted(self._all.applications.find("state", state.value), key=lambda each: each.created_ns)


def _check_same(known: Application, form: ApplicationForm) -> None:
    for field in form.__struct_fields__:
        if getattr(known, field) != getattr(form, field):
            raise Refusal(MerchantReason.APPLICATION_OTHERWISE, field=field)
