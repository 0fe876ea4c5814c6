"""What the desk shows: an institution, and the services that read it as a whole."""

from dataclasses import dataclass

from hutong.institution.books.service import BookService
from hutong.institution.merchants.register_service import RegisterService
from hutong.institution.node import InstitutionNode
from hutong.institution.reconciliation.service import ReconciliationService


@dataclass(frozen=True, slots=True)
class DeskParts:
    """Wired with the node."""

    institution: InstitutionNode
    books: BookService
    register: RegisterService
    reconciliation: ReconciliationService
