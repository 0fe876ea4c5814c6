"""At the bank: mandates, granted and revoked by the bank's own user."""

import hashlib

from msgspec.structs import replace

from hutong.institution.payments.mandate import (
    MANDATES,
    SECRET_BYTES,
    Mandate,
    mandate_id,
    mandate_text,
)
from hutong.institution.payments.payment import Payment, check_amount, check_same
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.request_to_pay import ToPay, to_pay_id
from hutong.institution.policy.policy import Policies
from hutong.kernel.errors import Refusal
from hutong.kernel.text import check_text
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf

NAME_LENGTH_MAX = 70
MANDATES_MAX = 20


class MandateService:
    """The mandates of our users, for other institutions to take money under."""

    def __init__(
        self, node: NodeRuntime, policies: Policies, requests_to_pay: Shelf[ToPay], currency: str, key: bytes
    ) -> None:
        self._node = node
        self._key = key
        self._policies = policies
        self._requests_to_pay = requests_to_pay
        self._currency = currency
        self._mandates = Shelf(MANDATES, node.journal, node.store, by=("user_id",))

    def grant(self, user_id: int, grantee: str, daily_max: int, name: str, grant_id: str = "") -> tuple[Mandate, str]:
        """
        A new mandate, and its text, which is kept nowhere.

        Refuses:  MANDATES_TOO_MANY; what is wrong with an amount or a text.
        Repeats:  under the user's own `grant_id` the same mandate and text; ID_TAKEN, naming the field, for other content.
                  Without one, another mandate each time.
        """
        check_amount(daily_max)
        check_text("grantee", grantee, length_max=35, ascii_only=True)
        check_text("name", name, length_max=NAME_LENGTH_MAX, empty=True)
        check_text("grant_id", grant_id, length_max=NAME_LENGTH_MAX, empty=True)
        granted = self._mandates.find("user_id", user_id)
        now_ns = self._node.clock.now_ns()
        text = mandate_text(self._node.node_id, self._secret(user_id, grant_id))
        known = self._mandates.get(mandate_id(text)) if grant_id else None
        if known is not None:
            check_same("grantee", known.grantee, grantee)
            check_same("daily_max", known.daily_max, daily_max)
            check_same("name", known.name, name)
            return known, text
        if sum(not other.revoked_ns for other in granted) >= MANDATES_MAX:
            raise Refusal(PaymentReason.MANDATES_TOO_MANY, mandates_max=MANDATES_MAX)
        mandate = Mandate(
            id=mandate_id(text),
            user_id=user_id,
            grantee=grantee,
            name=name,
            currency=self._currency,
            daily_max=daily_max,
            day=self._policies.day_of(now_ns)[0],
            used=0,
            created_ns=now_ns,
        )
        self._mandates.put(mandate)
        return mandate, text

    def granted(self, user_id: int, grant_id: str) -> tuple[Mandate, str] | None:
        """The mandate that was granted under the user's own id, and its text; also one that was revoked. May raise `Cold`."""
        text = mandate_text(self._node.node_id, self._secret(user_id, grant_id))
        known = self._mandates.get(mandate_id(text))
        return None if known is None else (known, text)

    def _secret(self, user_id: int, grant_id: str) -> bytes:
        """What makes a mandate's text hard to guess; under a caller's id the same again, from the node's key."""
        if not grant_id:
            return self._node.randomness.randbytes(SECRET_BYTES)
        grant = f"{user_id:032x}/{grant_id}".encode()
        return hashlib.blake2b(grant, key=self._key, digest_size=SECRET_BYTES, person=b"hutong grant").digest()

    def revoke(self, user_id: int, id_: int) -> Mandate:
        """Nothing more is taken under it. Refuses MANDATE_UNKNOWN, also for another's; repeats: the same."""
        mandate = self.mandate(id_)
        if mandate.user_id != user_id:
            raise Refusal(PaymentReason.MANDATE_UNKNOWN)
        if not mandate.revoked_ns:
            mandate = replace(mandate, revoked_ns=self._node.clock.now_ns())
            self._mandates.put(mandate)
        return mandate

    def mandates(self, user_id: int) -> list[Mandate]:
        return self._mandates.find("user_id", user_id)

    def mandate(self, id_: int) -> Mandate:
        """Refuses MANDATE_UNKNOWN."""
        mandate = self._mandates.get(id_)
        if mandate is None:
            raise Refusal(PaymentReason.MANDATE_UNKNOWN)
        return mandate

    def account_mark(self, text: str, grantee: str) -> int:
        """
        What we call the account behind a mandate towards who was granted it: always the same, and no news to anybody else.

        Refuses:  MANDATE_MALFORMED, MANDATE_UNKNOWN, MANDATE_OF_ANOTHER, MANDATE_REVOKED.
        """
        mandate = self.mandate(mandate_id(text))
        mandate.check_usable(grantee)
        whose = f"{mandate.user_id:032x}/{grantee}".encode()
        return int.from_bytes(hashlib.blake2b(whose, key=self._key, digest_size=16, person=b"hutong account").digest())

    def claim(self, text: str, grantee: str, amount: int, currency: str) -> Mandate:
        """Use `amount` of today's room. Refuses MANDATE_MALFORMED, MANDATE_UNKNOWN, and as `Mandate.claimed`."""
        mandate = self.mandate(mandate_id(text))
        day, _ = self._policies.day_of(self._node.clock.now_ns())
        claimed = mandate.claimed(grantee, amount, currency, day)
        self._mandates.put(claimed)
        return claimed

    def look_up(self, payment: Payment) -> None:
        """What a rejection of this payment gives back to; may be cold, so before anything is written."""
        self.mandate(payment.mandate_id)
        self._requests_to_pay.get(to_pay_id(payment.creditor_agent, payment.request_id))

    def rejected(self, payment: Payment) -> None:
        """A payment under a mandate was rejected: what its request to pay had claimed is free again."""
        asked = self._requests_to_pay.get(to_pay_id(payment.creditor_agent, payment.request_id))
        assert asked is not None, "a payment under a mandate answers a request to pay"
        self.give_back(asked)

    def give_back(self, asked: ToPay) -> None:
        """What was claimed for this request was not taken; another day's room is gone anyway."""
        mandate = self.mandate(asked.mandate_id)
        # The day it was claimed: its payment may have begun behind midnight.
        if mandate.day == self._policies.day_of(asked.created_ns)[0]:
            self._mandates.put(replace(mandate, used=mandate.used - asked.amount))
