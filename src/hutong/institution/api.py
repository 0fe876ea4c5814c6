"""An institution's whole API: what its people, merchants, payments and notices offer over HTTP."""

from litestar.types import ControllerRouterHandler

from hutong.institution.merchants.api import merchant_routes
from hutong.institution.node import InstitutionNode
from hutong.institution.requests.api import request_routes


def institution_api(institution: InstitutionNode) -> list[ControllerRouterHandler]:
    """The handlers for `runtime.http_app.make_app`."""
    node = institution.node
    operator = institution.people.operator
    return [
        *merchant_routes(node, institution.merchants, institution.plates, operator),
        request_routes(node, institution.merchants, institution.requests, institution.requests.create),
    ]
