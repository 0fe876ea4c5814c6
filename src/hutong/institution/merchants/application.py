"""A merchant that wants to be taken on: what it says of itself, and what the operator decided."""

from enum import StrEnum
from typing import Self

import msgspec

from hutong.institution.merchants.merchant import MerchantProfile
from hutong.institution.merchants.reasons import MerchantReason
from hutong.institution.people.phone import parse_phone
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.kernel.text import check_text
from hutong.runtime.tables import BigInt, Text, Uuid

APPLICATION_PREFIX = "apl"
LICENCE_LENGTH_MAX = 32  # A unified social credit code has 18; other countries' registers have longer numbers.
CONTACT_LENGTH_MAX = 70
WHY_LENGTH_MAX = 200


class ApplicationState(StrEnum):
    APPLIED = "APPLIED"
    APPROVED = "APPROVED"  # And taken on.
    DECLINED = "DECLINED"


class ApplicationForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a merchant tells when it applies."""

    legal_name: str
    licence: str  # The number of the business licence (统一社会信用代码).
    name: str
    latin_name: str = ""
    city: str
    latin_city: str = ""
    mcc: str
    contact_name: str
    contact_phone: str

    def checked(self, reference: str) -> "ApplicationForm":
        """
        The form with its Latin names filled in, fit to be taken on under `reference`.

        Refuses:  what `MerchantProfile.checked` refuses; the text refusals, naming the field; PHONE_MALFORMED.
        """
        check_text("licence", self.licence, length_max=LICENCE_LENGTH_MAX, ascii_only=True)
        check_text("contact_name", self.contact_name, length_max=CONTACT_LENGTH_MAX)
        profile = self.profile(reference).checked()
        return msgspec.structs.replace(
            self,
            latin_name=profile.latin_name,
            latin_city=profile.latin_city,
            contact_phone=parse_phone(self.contact_phone),
        )

    def profile(self, reference: str) -> MerchantProfile:
        """The merchant it would be."""
        return MerchantProfile(
            reference=reference,
            legal_name=self.legal_name,
            name=self.name,
            latin_name=self.latin_name,
            city=self.city,
            latin_city=self.latin_city,
            mcc=self.mcc,
        )


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an application."""

    id: Uuid
    legal_name: Text
    licence: Text
    name: Text
    latin_name: Text
    city: Text
    latin_city: Text
    mcc: Text
    contact_name: Text
    contact_phone: Text
    state: Text
    why: Text  # Of a decline; the applicant is told.
    decided_by: Text
    merchant_id: Uuid  # 0 until it is approved.
    created_ns: BigInt
    changed_ns: BigInt

    @property
    def form(self) -> ApplicationForm:
        """What was told."""
        return ApplicationForm(**{name: getattr(self, name) for name in ApplicationForm.__struct_fields__})

    @property
    def own_reference(self) -> str:
        """What the merchant is called by where the operator has no number of its own."""
        return id_text(APPLICATION_PREFIX, self.id)

    def approved(self, merchant_id: int, by: str, now_ns: int) -> Self:
        """Taken on. Refuses APPLICATION_DECIDED."""
        return self._decided(ApplicationState.APPROVED, by, now_ns, merchant_id=merchant_id)

    def declined(self, why: str, by: str, now_ns: int) -> Self:
        """Not taken on, and why. Refuses APPLICATION_DECIDED, and what `check_text` refuses."""
        check_text("why", why, length_max=WHY_LENGTH_MAX)
        return self._decided(ApplicationState.DECLINED, by, now_ns, why=why)

    def check_waiting(self) -> None:
        """Refuses APPLICATION_DECIDED."""
        if self.state != ApplicationState.APPLIED:
            raise Refusal(MerchantReason.APPLICATION_DECIDED, state=str(self.state))

    def _decided(self, state: ApplicationState, by: str, now_ns: int, *, merchant_id: int = 0, why: str = "") -> Self:
        self.check_waiting()
        return msgspec.structs.replace(
            self, state=state, why=why, decided_by=by, merchant_id=merchant_id, changed_ns=now_ns
        )


def applied(id_: int, form: ApplicationForm, now_ns: int) -> Application:
    """An application as it comes in; the form is checked."""
    return Application(
        id=id_,
        **msgspec.structs.asdict(form),
        state=ApplicationState.APPLIED,
        why="",
        decided_by="",
        merchant_id=0,
        created_ns=now_ns,
        changed_ns=now_ns,
    )
