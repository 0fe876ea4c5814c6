"""An institution's whole API: what its people, merchants, payments and notices offer over HTTP."""

from litestar.types import ControllerRouterHandler

from hutong.institution.complaints.api import complaint_api
from hutong.institution.door_api import doors_of
from hutong.institution.erasure.api import erasure_api
from hutong.institution.holds.api import hold_api
from hutong.institution.merchants.api import merchant_routes
from hutong.institution.merchants.application_api import application_routes
from hutong.institution.merchants.staff_api import staff_routes
from hutong.institution.merchants.staff_key import SESSION_PREFIX, Right
from hutong.institution.node import InstitutionNode
from hutong.institution.notices.api import notices_api
from hutong.institution.payments.api import payment_api
from hutong.institution.payments.withdrawal_api import withdrawal_routes
from hutong.institution.people.api import people_api
from hutong.institution.recalls.api import recall_api
from hutong.institution.requests.api import request_routes
from hutong.institution.settlement.api import settlement_routes
from hutong.operators.api import operators_api

STAFF_PREFIXES = ("sk_", SESSION_PREFIX)


def institution_api(institution: InstitutionNode) -> list[ControllerRouterHandler]:
    """The handlers for `runtime.http_app.make_app`."""
    node = institution.node
    people, merchants = institution.people, institution.merchants
    doors = doors_of(node, people, merchants)
    operator_only = doors.operators.guard

    def owner_of(token: str) -> int:
        """Whose feed a token reads: a merchant's, by a key or session of its staff that sees all of it, or a user's, by a session."""
        if not token.startswith(STAFF_PREFIXES):
            return people.session(token).user_id
        key = merchants.key(token)
        key.check_whole_merchant()
        return key.merchant_id

    def merchant_of(token: str) -> int:
        """Whose endpoints a staff key manages."""
        key = merchants.key(token)
        key.check_right(Right.MANAGE)
        key.check_whole_merchant()
        return key.merchant_id

    return [
        operators_api(node, people.operators, operator_only),
        *erasure_api(institution.erasure, doors),
        *people_api(node, people, institution.balance_of),
        *merchant_routes(node, merchants, institution.plates, people.operators.approvals, operator_only),
        *application_routes(node, institution.applications, operator_only),
        *staff_routes(node, merchants, institution.staff, operator_only),
        settlement_routes(node, institution.settlement, institution.proofs, operator_only),
        request_routes(node, merchants, institution.requests, institution.tills.charge),
        *payment_api(institution.payments, people, institution.tills, institution.counter, doors),
        withdrawal_routes(node, merchants, institution.withdrawals, institution.staff),
        *recall_api(institution.recalls, doors),
        *complaint_api(institution.complaints, doors),
        hold_api(institution.holds, doors.people),
        *notices_api(
            node,
            institution.notices,
            institution.webhooks,
            institution.deliveries,
            owner_of=owner_of,
            merchant_of=merchant_of,
        ),
    ]
