"""What a person of ours is told of a hold here: as of one by a merchant elsewhere, under the same names."""

from collections.abc import Callable
from functools import partial

from hutong.gateways.preauth.preauth import Preauth
from hutong.institution.node import InstitutionNode


class PersonService:
    """`merchant_name` may raise `Cold`."""

    def __init__(
        self, institution: InstitutionNode, get: Callable[[int], Preauth], merchant_name: Callable[[Preauth], str]
    ) -> None:
        self._node = institution.node
        self._notices = institution.notices
        self._get = get
        self._merchant_name = merchant_name

    def asked(self, preauth: Preauth, user_id: int, merchant_name: str) -> None:
        """Their payment code was shown, and it takes their PIN."""
        self._tell("hold.asked", preauth, user_id, merchant_name)

    def held(self, preauth_id: int) -> None:
        """It is held: told in a decision of its own, as the merchant's name may have to be loaded."""
        self._node.journal.effect(partial(self._node.decide, partial(self._held, preauth_id)))

    def _held(self, preauth_id: int) -> None:
        preauth = self._get(preauth_id)
        self._tell("hold.held", preauth, preauth.user_id, self._merchant_name(preauth))

    def _tell(self, news: str, preauth: Preauth, user_id: int, merchant_name: str) -> None:
        told = {
            "hold_id": preauth.creditor,
            "merchant_name": merchant_name,
            "title": preauth.title,
            "amount": preauth.amount,
            "state": preauth.state,
        }
        self._notices.tell_user(user_id, news, told)
